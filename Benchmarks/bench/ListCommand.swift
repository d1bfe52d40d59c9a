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
                reason == nil ? "yes" : "no ",
            ]
            let start = "  " + columns.joined(separator: "  ") + "  "
            var text = mode.summary
            if let reason {
                text += "; not here: \(reason)"
            } else if let reason = mode.unsupportedReason(rings: rings, for: .read) {
                text += "; here --workload accept only: \(reason)"
            }
            for (index, line) in lines(text, width: max(Terminal.columns, 80) - start.count).enumerated() {
                print((index == 0 ? start : pad("", start.count)) + line)
            }
        }
        printWorkloads()
        printListeners()
        printSignals()
    }

    /// Which modes take part in which workload and topology.
    private func printWorkloads() {
        let heads = Workload.allCases.map(\.rawValue) + Topology.allCases.map(\.rawValue)
        let nameWidth = Mode.all.map(\.name.count).max() ?? 0
        print("\nWorkloads and topologies (* the default):")
        print("  " + pad("", nameWidth) + heads.map { "  " + $0 }.joined())
        for mode in Mode.all {
            let marks =
                Workload.allCases.map { $0 != .wake || !mode.signals.isEmpty ? "x" : "-" }
                + Topology.allCases.map { $0 == mode.topologies[0] ? "*" : mode.topologies.contains($0) ? "x" : "-" }
            let cells = zip(heads, marks).map { "  " + pad($1, $0.count) }.joined()
            print(trimmed("  " + pad(mode.name, nameWidth) + cells))
        }
    }

    /// The ways of sharing a listener, and whether this kernel and user can have them.
    private func printListeners() {
        print("\nListeners (every mode; --workload accept and crr):")
        let width = ListenerSharing.allCases.map(\.rawValue.count).max() ?? 0
        for listener in ListenerSharing.allCases {
            let reason = listener.unsupportedReason()
            print("  \(pad(listener.rawValue, width))  " + (reason.map { "no: \($0)" } ?? "yes"))
        }
    }

    /// The signals of `--workload wake` and the modes that can wait for them.
    private func printSignals() {
        print("\nSignals (--workload wake):")
        let width = WakeSignal.allCases.map(\.rawValue.count).max() ?? 0
        for signal in WakeSignal.allCases {
            let modes = Mode.all.filter { $0.signals.contains(signal) }.map(\.name)
            let start = "  \(pad(signal.rawValue, width))  "
            let text = lines(modes.joined(separator: ", "), width: max(Terminal.columns, 80) - start.count)
            for (index, line) in text.enumerated() { print((index == 0 ? start : pad("", start.count)) + line) }
        }
    }

    private func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 0))
    }

    /// Breaks a text between words into lines that are not longer than `width` unless a word is.
    private func lines(_ text: String, width: Int) -> [String] {
        text.split(separator: " ").reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
    }
}
