import Claims
import Pictures
import Records
import Loops
import Meters
import Reports

/// What an option or argument can be given, for completion.
enum OptionValues {
    case one([String])
    case list([String])
    case file
    case folder
    /// Numbers, and what else cannot be listed.
    case free

    private static let modes = Mode.every.flatMap { [$0.name] + ($0.alias.map { [$0] } ?? []) }
    private static let metrics = Column.metrics.map(\.name)
    private static let lists = ["--topology", "--listener", "--implementation", "--rearm", "--signal", "--descriptors"]

    /// The values of an option; what its commands do not share goes by the command.
    static func of(_ option: String, command: String) -> OptionValues {
        let names = namesInOrder[String(option.dropFirst(2))]?.filter { !$0.isEmpty } ?? []
        return switch (option, command) {
        case ("--mode", "export"), ("--mode", "serve"): .one(modes)
        case ("--mode", "history"): .list(modes)
        case ("--mode", _): .list(["all", "everything"] + modes)
        case ("--modes", _): .list(modes)
        case ("--scenario", _): .one(Scenario.names)
        case ("--workload", "history"): .list(names)
        case ("--workload", "serve"): .one(names.filter { ![Workload.wake, .datagram].map(\.rawValue).contains($0) })
        case ("--topology", "serve"), ("--listener", "serve"), ("--protocol", _): .one(names)
        case ("--pin", "serve"): .one(["none", "auto"])
        case ("--workload", _), ("--shape", _), ("--spacing", _), ("--close", _), ("--service", _): .one(names)
        case (let option, _) where lists.contains(option): .list(["all"] + names)
        case ("--service-time", _): .one(["none", "fixed:", "exp:", "bimodal:"])
        case ("--pin", _): .one(["auto", "none", "same"])
        case ("--address", _): .one(["127.0.0.1", "::1"])
        case ("--format", "export"): .one(bench.names(ExportFormat.self))
        case ("--format", _): .one(bench.names(PictureFormat.self))
        case ("--direction", _): .one(["smaller", "bigger"])
        case ("--kind", _): .list(bench.names(PictureKind.self))
        case ("--metrics", _): .list(metrics)
        case ("--fail-on", _): .list(metrics + ["inconclusive"])
        case ("--ignore", _): .list(Arm.columns.map(\.name))
        case ("--only", _): .list(Experiment.all.map(\.id))
        case ("--generate-completion-script", _): .one(bench.names(Shell.self))
        case ("--output", "report"), ("--output", "export"): .file
        case ("--csv", _), ("--markdown", _), ("--otava-config", _), ("--binaries", _), ("--body", _),
            ("--request", _), ("--requests", _), ("--tls-ca", _), ("--unix", _), ("--secret-file", _):
            .file
        case ("--output", _), ("--resume", _), ("--baseline", _): .folder
        default: .free
        }
    }

    /// The values of an argument without an option: result folders, for commands that take any.
    static func ofPosition(command: CommandTree) -> OptionValues {
        let takesAny = command.arguments?.contains { $0.kind == "positional" && $0.parsingStrategy == "default" }
        return takesAny == true ? .folder : .free
    }
}
