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
        show("Modes:", modeTable(rings))
        print()
        show("Workloads and topologies (* the default):", workloadTable)
        print()
        show("Listeners (every mode; --workload accept and crr):", listenerTable)
        print()
        show("Signals (--workload wake):", signalTable)
    }

    private func show(_ title: String, _ table: TextTable) {
        say(title)
        print(table.render(width: Terminal.columns, styled: Terminal.isStyled), terminator: "")
    }

    /// - Parameter text: the heading of a last column of sentences.
    private func table(_ titles: [String], text: String? = nil) -> TextTable {
        var headings = titles.map { TextTable.Heading(title: $0, alignment: .left) }
        if let text { headings.append(TextTable.Heading(title: text, alignment: .left, wraps: true)) }
        return TextTable(headings: headings)
    }

    /// Every mode, and whether this kernel can run it.
    private func modeTable(_ rings: RingSupport) -> TextTable {
        var table = table(["name", "alias", "since", "here"], text: "what it is")
        for mode in Mode.all {
            let reason = mode.unsupportedReason(rings: rings, for: nil)
            let accepts = mode.unsupportedReason(rings: rings, for: .accept) == nil
            var text = mode.summary
            if let reason { text += "; \(accepts ? "here --workload accept only" : "not here"): \(reason)" }
            for limit in mode.limits {
                let workloads = limit.workloads.map(\.rawValue).joined(separator: ", ")
                text += "; --workload \(workloads): \(limit.text)"
            }
            table.lines.append(.cells([mode.name, mode.alias ?? "", mode.kernel, accepts ? "yes" : "no", text]))
        }
        return table
    }

    /// Which modes take part in which workload and topology.
    private var workloadTable: TextTable {
        var table = table(["name"] + Workload.allCases.map(\.rawValue) + Topology.allCases.map(\.rawValue))
        for mode in Mode.all {
            let marks =
                Workload.allCases.map { $0 != .wake || !mode.signals.isEmpty ? "x" : "-" }
                + Topology.allCases.map { $0 == mode.topologies[0] ? "*" : mode.topologies.contains($0) ? "x" : "-" }
            table.lines.append(.cells([mode.name] + marks))
        }
        return table
    }

    /// The ways of sharing a listener, and whether this kernel and user can have them.
    private var listenerTable: TextTable {
        var table = table(["name", "here"], text: "why not")
        for listener in ListenerSharing.allCases {
            let reason = listener.unsupportedReason()
            table.lines.append(.cells([listener.rawValue, reason == nil ? "yes" : "no", reason ?? ""]))
        }
        return table
    }

    /// The signals of `--workload wake` and the modes that can wait for them.
    private var signalTable: TextTable {
        var table = table(["name"], text: "modes")
        for signal in WakeSignal.allCases {
            let modes = Mode.all.filter { $0.signals.contains(signal) }.map(\.name)
            table.lines.append(.cells([signal.rawValue, modes.joined(separator: ", ")]))
        }
        return table
    }
}
