import Foundation
import Records

/// Prints the runs that were whole when the user stopped an invocation.
func printWholeRuns(_ rows: [RunRecord], heading: String? = nil) {
    if let heading { print(heading) }
    let whole = ResultFolder.wholeRuns(rows)
    guard !whole.isEmpty else { return print("No run was completed.") }
    print(summaryTable(for: inModeOrder(whole), width: Terminal.columns, styled: Terminal.isStyled))
}

/// What to type to go on with an interrupted invocation.
func resumeCommand(_ subcommand: String, _ folder: String) -> String {
    [CommandLine.arguments.first ?? "bench", subcommand, "--resume", folder].map(quoted).joined(separator: " ")
}

/// As a shell takes it for one word.
private func quoted(_ word: String) -> String {
    let isPlain =
        !word.isEmpty
        && word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_-./+:,@%".utf8.contains(byte)
            }
        }
    return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
}

extension ResultFolder {
    /// The runs of an interrupted invocation that were whole, as they would be had it gone on.
    static func wholeRuns(_ rows: [RunRecord]) -> [RunRecord] {
        rows.compactMap { row in
            var row = row
            if row.reason == interruptedAfter { (row.status, row.reason) = (.ok, "") }
            return row.status == .partial ? nil : row
        }
    }
}
