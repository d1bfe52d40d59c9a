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
            let text = mode.summary + (reason.map { "; not here: \($0)" } ?? "")
            for (index, line) in lines(text, width: max(Terminal.columns, 80) - start.count).enumerated() {
                print((index == 0 ? start : pad("", start.count)) + line)
            }
        }
        print("\nTopologies: \(Topology.allCases.map(\.rawValue).joined(separator: ", "))")
        print("Listeners: \(ListenerSharing.allCases.map(\.rawValue).joined(separator: ", "))")
        print("Wake signals: \(WakeSignal.allCases.map(\.rawValue).joined(separator: ", "))")
        print("Workloads: \(Workload.allCases.map(\.rawValue).joined(separator: ", "))")
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
