import Records
import Statistics

/// What each feature is worth, as a page in Markdown.
///
/// - Parameters:
///   - worths: what was measured.
///   - missing: features of which a side was not measured, with the reason in the row where there is one.
///   - machine: kernel, processors and date, for the first sentence.
///   - folders: where the rows are, as links of the page.
package func featuresMarkdown(
    _ worths: [FeatureWorth], missing: [(feature: Feature, reason: String)], machine: String, folders: [String]
) -> String {
    let summary = worths.map { worth in
        "| [`\(worth.feature.name)`](#\(worth.feature.name)) | `\(worth.feature.base)` | \(worth.sentence) |\n"
    }
    let links = folders.map { "[\($0)](\($0)/runs.csv)" }.joined(separator: ", ")
    let rest = missing.map { "- `\($0.feature.name)` (Linux \($0.feature.kernel)): \($0.reason)\n" }
    return """
        # What each feature is worth

        Each feature is a variant of a mode that differs from it in nothing else. A ratio is the variant's figure divided by
        that of the mode without it: the median over the rounds, each of which has both, in random order, and in brackets the
        interval of the median. Shown in bold: the interval lies wholly beyond ±\(HumanUnits.percent(FeatureWorth.Change.margin)).
        Each interval can be wrong, of a hundred three or so; a sentence that rests on one load alone is a hint.

        \(machine); written by `bench features --markdown`. Rows: \(links). Load and server share the machine, over loopback.

        | feature | of | when to use it |
        |---|---|---|
        \(summary.joined())
        \(worths.map(section).joined(separator: "\n"))\(rest.isEmpty ? "" : "\n## Not measured here\n\n\(rest.joined())")
        """
}

private func section(_ worth: FeatureWorth) -> String {
    let rows = worth.cells.map { cell in
        let load = cell.load
        let calls =
            cell.calls.map { "\(HumanUnits.perOperation($0.base)) → \(HumanUnits.perOperation($0.variant))" } ?? ""
        let cells = [
            load.workload, String(load.connections), load.messageBytes.map { "\($0) B" } ?? "",
            load.depth.map(String.init) ?? "", text(cell.cpu),
            text(cell.latency), calls, String(cell.rounds),
        ]
        return "| \(cells.joined(separator: " | ")) |\n"
    }
    return """
        ## \(worth.feature.name)

        \(worth.feature.summary). Since Linux \(worth.feature.kernel); against `\(worth.feature.base)`. \(worth.sentence)

        | workload | connections | message | depth | server CPU | median latency | system calls | rounds |
        |---|---|---|---|---|---|---|---|
        \(rows.joined())
        """
}

private func text(_ change: FeatureWorth.Change?) -> String {
    guard let change else { return "" }
    let ratio = Decimal.fixed(change.ratio, digits: 2)
    let shown = change.isLess || change.isMore ? "**\(ratio)**" : ratio
    guard let interval = change.interval else { return shown }
    return "\(shown) [\(Decimal.fixed(interval.lower, digits: 2)), \(Decimal.fixed(interval.upper, digits: 2))]"
}
