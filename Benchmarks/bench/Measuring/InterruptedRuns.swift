import Foundation
import Records
import Reports

/// Prints the runs that were whole when the user stopped an invocation.
func printWholeRuns(_ rows: [RunRecord], heading: String? = nil) {
    if let heading { print(heading) }
    let whole = rows.map(ResultFolder.asEnded).filter { $0.status != .partial }
    guard !whole.isEmpty else { return print("No run was completed.") }
    print(summaryTable(for: inModeOrder(whole), width: Terminal.columns, styled: Terminal.isStyled))
}

/// What to type to go on with an interrupted invocation.
func resumeCommand(_ subcommand: String, _ folder: String) -> String {
    [CommandLine.arguments.first ?? "bench", subcommand, "--resume", folder].map(shellQuoted).joined(separator: " ")
}
