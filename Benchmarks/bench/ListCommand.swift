import ArgumentParser
import Records
import Workloads

/// `bench list`: every mode, and whether this kernel can run it.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists modes and workloads, and which of them this kernel supports.")

    @Flag(help: "Print the table of modes as Markdown, as the README has it.")
    var markdown = false

    @Flag(help: "Print what every column of runs.csv means, as Markdown.")
    var columns = false

    func run() throws {
        if markdown { return print(Mode.markdownTable, terminator: "") }
        if columns { return print(Column.markdownTable, terminator: "") }
        let rings = RingSupport.probe()
        let nameWidth = Mode.all.map(\.name.count).max() ?? 0
        let aliasWidth = Mode.all.compactMap(\.alias?.count).max() ?? 0
        print("Modes (name, alias, first kernel, here):")
        for mode in Mode.all {
            let reason = mode.unsupportedReason(rings: rings)
            let columns = [
                pad(mode.name, nameWidth), pad(mode.alias ?? "", aliasWidth), pad(mode.kernel, 6),
                reason == nil ? "yes" : "no ", mode.summary,
            ]
            print("  " + columns.joined(separator: "  "))
            if let reason { print("  \(pad("", nameWidth))  not here: \(reason)") }
        }
        print("\nTopologies: \(Topology.allCases.map(\.rawValue).joined(separator: ", "))")
        print("Listeners: \(ListenerSharing.allCases.map(\.rawValue).joined(separator: ", "))")
        print("Workloads: \(Workload.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 0))
    }
}
