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
        "| [`\(worth.feature.name)`](#\(anchor(worth.feature.name))) | \(worth.feature.without) | \(worth.sentence) |\n"
    }
    let links = folders.map { "[\($0)](\($0)/runs.csv)" }.joined(separator: ", ")
    let rest = missing.map { feature, reason in
        "- `\(feature.name)`\(feature.kernel.isEmpty ? "" : " (Linux \(feature.kernel))"): \(reason)\n"
    }
    return """
        # What each feature is worth

        Each feature is a variant of a mode, a kind of listener or signal, or an option, and nothing else differs. A ratio is
        the figure with it divided by that without it: the median over the rounds, each of which has both, in random order,
        and in brackets the interval of the median. Shown in bold: the interval lies wholly beyond ±\(HumanUnits.percent(FeatureWorth.Change.margin)).
        Each interval can be wrong, of a hundred three or so; a sentence that rests on one load alone is a hint. Left out are runs
        in which other programs had more than \(HumanUnits.percent(Feature.mostForeignShare)) of the machine, and of several listeners those in which one worker got
        nearly everything. System calls are those that the loops count.

        \(machine); written by `bench features --markdown`. Rows: \(links). Load and server share the machine, over loopback.

        | feature | of | when to use it |
        |---|---|---|
        \(summary.joined())
        \(worths.map(section).joined(separator: "\n"))\(rest.isEmpty ? "" : "\n## Not measured here\n\n\(rest.joined())")
        """
}

private func section(_ worth: FeatureWorth) -> String {
    let feature = worth.feature
    let hasModes = feature.column != .mode
    let rows = worth.cells.map { (hasModes ? "| \($0.load.mode) " : "") + row($0) }
    let since = feature.kernel.isEmpty ? "" : "Since Linux \(feature.kernel). "
    let heading = "| workload | connections | message | depth | server CPU | median latency | system calls | rounds |"
    return """
        ## \(feature.name)

        \(feature.summary). \(since)Against \(feature.without). \(worth.sentence)

        \(hasModes ? "| mode " : "")\(heading)
        \(hasModes ? "|---" : "")|---|---|---|---|---|---|---|---|
        \(rows.joined())
        """
}

private func row(_ cell: FeatureWorth.Cell) -> String {
    let load = cell.load
    let calls = cell.calls.map { "\(HumanUnits.perOperation($0.base)) → \(HumanUnits.perOperation($0.variant))" }
    let cells: [String] = [
        load.shape.isEmpty ? load.workload : "\(load.workload), \(load.shape)",
        load.shape.isEmpty ? String(load.connections) : "", load.messageBytes.map { "\($0) B" } ?? "",
        load.depth.map(String.init) ?? "", text(cell.cpu), text(cell.latency), calls ?? "", String(cell.rounds),
    ]
    return "| \(cells.joined(separator: " | ")) |\n"
}

private func text(_ change: FeatureWorth.Change?) -> String {
    guard let change else { return "" }
    let ratio = Decimal.fixed(change.ratio, digits: 2)
    let shown = change.isLess || change.isMore ? "**\(ratio)**" : ratio
    guard let interval = change.interval else { return shown }
    return "\(shown) [\(Decimal.fixed(interval.lower, digits: 2)), \(Decimal.fixed(interval.upper, digits: 2))]"
}

extension Feature {
    fileprivate var without: String { base.isEmpty ? "the same without" : "`\(base)`" }
}

/// Where a heading is linked to: its letters, digits and hyphens.
private func anchor(_ heading: String) -> String {
    heading.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
}
