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

    @Flag(help: "Print the table of modes, as the README has it, and that of variants, as Markdown.")
    var markdown = false

    @Flag(help: "Print what every column of runs.csv means, as Markdown.")
    var columns = false

    func run() throws {
        if markdown { return print(Mode.markdownTable + "\n" + Mode.markdownVariants, terminator: "") }
        if columns { return print(Column.markdownTable, terminator: "") }
        let rings = RingSupport.probe()
        let modes = Mode.every.filter { $0.base == nil }
        show(
            "Modes (--mode all: the first \(Mode.all.count)):", ["name", "alias", "since", "here"], text: "what it is",
            modes.map { cells($0, $0.alias, rings) })
        print()
        show(
            "Variants, each a mode with one thing changed (--mode everything runs them too):",
            ["name", "of", "since", "here"], text: "what it does",
            Mode.variants.map { cells($0, $0.base, rings) })
        print()
        show(
            "Workloads and topologies (* the default):",
            ["name"] + Workload.allCases.map(\.rawValue) + Topology.allCases.map(\.rawValue),
            Mode.every.map { mode in
                [mode.name] + Workload.allCases.map { mode.serves($0) ? "x" : "-" }
                    + Topology.allCases.map {
                        $0 == mode.topologies[0] ? "*" : mode.hasTopology($0) ? "x" : "-"
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
            "Signals (--workload wake):", ["name", "shapes"], text: "modes",
            WakeSignal.allCases.map { signal in
                [
                    signal.rawValue,
                    WakeShape.allCases.filter { signal.isTimer == ($0 == .timer) }.map(\.rawValue).joined(
                        separator: ", "),
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

    private func cells(_ mode: Mode, _ name: String?, _ rings: RingSupport) -> [String] {
        let reason = mode.unsupportedReason(rings: rings, for: nil)
        let accepts = mode.unsupportedReason(rings: rings, for: .accept) == nil
        var text = mode.summary
        if let reason { text += "; \(accepts ? "here --workload accept only" : "not here"): \(reason)" }
        for limit in mode.limits {
            text += "; --workload \(limit.workloads.map(\.rawValue).joined(separator: ", ")): \(limit.text)"
        }
        return [mode.name, name ?? "", mode.kernel, accepts ? "yes" : "no", text]
    }
}

extension Mode {
    /// Datagrams have a set for each worker, whatever the loop could wait in.
    fileprivate func hasTopology(_ topology: Topology) -> Bool {
        topologies.contains(topology) && (topology != .sharedSet || capabilities.workloads != [.datagram])
    }
}
