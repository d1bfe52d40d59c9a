package import Records

/// The statements, verdicts and observations as a Markdown page.
package func claimsMarkdown(for records: [ClaimRecord], kernel: String, processors: Int, date: String) -> String {
    let rows = records.map { record in
        let source = record.source.split(separator: ",").first.map(String.init) ?? ""
        // Without a verdict the detail says what was missing, or what failed.
        let isUndecided = ["unsupported", "not-observable"].contains(record.verdict)
        let observed = isUndecided ? record.detail : "`\(record.observed)`"
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

/// A cell without what would end it.
private func escaped(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("\n", with: " ")
}
