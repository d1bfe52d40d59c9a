import Pictures
import Records
import Workloads

/// What an option or argument can be given, for completion.
enum OptionValues {
    /// One of these names.
    case one([String])
    /// Any of these names, separated by commas.
    case list([String])
    /// The path of a file.
    case file
    /// The path of a folder.
    case folder
    /// Numbers, and what else cannot be listed.
    case free

    private static let modes = Mode.all.flatMap { [$0.name] + ($0.alias.map { [$0] } ?? []) }
    private static let workloads = names(Workload.self)
    private static let metrics = Column.metrics.map(\.name)

    private static func names<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> [String] {
        Choice.allCases.map(\.rawValue)
    }

    /// The values of an option; what its commands do not share goes by the command.
    static func of(_ option: String, command: String) -> OptionValues {
        switch (option, command) {
        case ("--mode", "export"): .one(modes)
        case ("--mode", "history"): .list(modes)
        case ("--mode", _): .list(["all"] + modes)
        case ("--modes", _): .list(modes)
        case ("--workload", "history"): .list(workloads)
        case ("--workload", _): .one(workloads)
        case ("--topology", _): .list(["all"] + names(Topology.self))
        case ("--listener", _): .list(["all"] + names(ListenerSharing.self))
        case ("--implementation", _): .list(["all"] + names(RunPlan.Implementation.self))
        case ("--rearm", _): .list(["all"] + names(RunPlan.Rearm.self))
        case ("--signal", _): .list(["all"] + names(WakeSignal.self))
        case ("--descriptors", _): .list(["all"] + names(TaskDescriptors.self))
        case ("--shape", _): .one(names(WakeShape.self))
        case ("--spacing", _): .one(names(RunPlan.Spacing.self))
        case ("--close", _): .one(names(RunPlan.CloseStyle.self))
        case ("--service", _): .one(names(ServiceTime.Work.self))
        case ("--service-time", _): .one(["none", "fixed:", "exp:", "bimodal:"])
        case ("--pin", _): .one(["auto", "none", "same"])
        case ("--address", _): .one(["127.0.0.1", "::1"])
        case ("--format", "export"): .one(names(ExportFormat.self))
        case ("--format", _): .one(names(PictureFormat.self))
        case ("--direction", _): .one(["smaller", "bigger"])
        case ("--kind", _): .list(names(PictureKind.self))
        case ("--metrics", _): .list(metrics)
        case ("--fail-on", _): .list(metrics + ["inconclusive"])
        case ("--ignore", _): .list(Arm.columns.map(\.name))
        case ("--only", _): .list(Experiment.all.map(\.id))
        case ("--generate-completion-script", _): .one(names(Shell.self))
        case ("--output", "report"), ("--output", "export"): .file
        case ("--csv", _), ("--markdown", _), ("--otava-config", _), ("--binaries", _): .file
        case ("--output", _), ("--resume", _), ("--baseline", _): .folder
        default: .free
        }
    }

    /// What stands without an option: result folders, wherever a command takes any.
    static func ofPosition(command: CommandTree) -> OptionValues {
        let takesAny = command.arguments?.contains { $0.kind == "positional" && $0.parsingStrategy == "default" }
        return takesAny == true ? .folder : .free
    }
}
