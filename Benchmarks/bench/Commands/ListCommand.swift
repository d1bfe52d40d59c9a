import ArgumentParser
import Records
import Load
import Loops
import Meters
import Reports
import Runs
import Servers

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
        show("Modes:", ["name", "alias", "since", "here"], text: "what it is", Mode.every.map { cells($0, rings) })
        print()
        show(
            "Workloads and topologies (* the default):",
            ["name"] + Workload.allCases.map(\.rawValue) + Topology.allCases.map(\.rawValue),
            Mode.every.map { mode in
                [mode.name] + Workload.allCases.map { $0 != .wake || !mode.capabilities.signals.isEmpty ? "x" : "-" }
                    + Topology.allCases.map {
                        $0 == mode.topologies[0] ? "*" : mode.topologies.contains($0) ? "x" : "-"
                    }
            })
        print()
        show(
            "Listeners (every mode; --workload accept and crr):", ["name", "here"], text: "why not",
            ListenerSharing.allCases.map { listener in
                let reason = listener.unsupportedReason()
                return [listener.rawValue, reason == nil ? "yes" : "no", reason ?? ""]
            })
        print()
        show(
            "TLS (--workload crr and read of other servers):", ["name", "here"], text: "why not",
            [["tls", TLSContext.refusal == nil ? "yes" : "no", TLSContext.refusal ?? ""]])
        print()
        show(
            "Signals (--workload wake):", ["name"], text: "modes",
            WakeSignal.allCases.map { signal in
                [
                    signal.rawValue,
                    Mode.every.filter { $0.capabilities.signals.contains(signal) }.map(\.name).joined(separator: ", "),
                ]
            })
    }

    /// - Parameter text: the heading of a last column of sentences.
    private func show(_ title: String, _ headings: [String], text: String? = nil, _ rows: [[String]]) {
        var all = headings.map { TextTable.Heading(title: $0, alignment: .left) }
        if let text { all.append(TextTable.Heading(title: text, alignment: .left, wraps: true)) }
        var table = TextTable(headings: all)
        table.lines = rows.map { .cells($0) }
        say(title)
        print(table.render(width: Terminal.columns, styled: Terminal.isStyled), terminator: "")
    }

    private func cells(_ mode: Mode, _ rings: RingSupport) -> [String] {
        let reason = mode.unsupportedReason(rings: rings, for: nil)
        let accepts = mode.unsupportedReason(rings: rings, for: .accept) == nil
        var text = mode.summary
        if let reason { text += "; \(accepts ? "here --workload accept only" : "not here"): \(reason)" }
        for limit in mode.limits {
            text += "; --workload \(limit.workloads.map(\.rawValue).joined(separator: ", ")): \(limit.text)"
        }
        return [mode.name, mode.alias ?? "", mode.kernel, accepts ? "yes" : "no", text]
    }
}
