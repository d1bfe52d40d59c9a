/// The statements, verdicts and observations as a Markdown page.
///
/// - Parameters:
///   - records: The lines of `claims.csv`.
///   - kernel: What `uname -r` says.
///   - processors: How many the machine has.
///   - date: The day, as `2026-01-31`.
public func claimsMarkdown(for records: [ClaimRecord], kernel: String, processors: Int, date: String) -> String {
    let rows = records.map { record in
        let source = record.source.split(separator: ",").first.map(String.init) ?? ""
        // Without a verdict the reader is told what was missing, or what went wrong.
        let isTold = ["unsupported", "not-observable"].contains(record.verdict)
        let observed = isTold ? record.detail : "`\(record.observed)`"
        let cells = ["`\(record.claim)`", record.statement, source, record.verdict, observed]
        return "| " + cells.map(escaped).joined(separator: " | ") + " |\n"
    }
    return """
        # What is said, and what this kernel does

        Linux \(kernel), \(processors) \(processors == 1 ? "processor" : "processors"), \(date); written by
        `bench claims --markdown`. The verdict is on the statement, and follows from what was observed.

        | claim | statement | source | verdict | observed |
        |---|---|---|---|---|
        \(rows.joined())
        """
}

/// A cell, which must not end early.
private func escaped(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("\n", with: " ")
}
