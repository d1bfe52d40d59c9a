extension Comparison {
    /// The comparison for a terminal: a section per arm, a line per metric, what it amounts to, and the warnings.
    ///
    /// - Parameters:
    ///   - width: columns of the terminal.
    ///   - styled: whether to use ANSI bold and dim.
    public func table(width: Int, styled: Bool) -> String {
        var table = TextTable(headings: [
            .init(title: "metric", alignment: .left), .init(title: "base"), .init(title: "new"),
            .init(title: "new/base", unit: confidenceLabel), .init(title: "verdict", alignment: .left),
            .init(title: "n", unit: design == .paired ? "blocks" : "runs", rank: 1),
        ])
        let arms = rows.map(\.arm).reduce(into: [Arm]()) { if !$0.contains($1) { $0.append($1) } }
        let varying = Arm.varyingColumns(of: arms)
        for arm in arms {
            if arms.count > 1 { table.lines.append(.section(arm.label(varying: varying))) }
            table.lines += rows.filter { $0.arm == arm }.map { .cells(cells($0)) }
        }
        let text = [conclusion] + footnotes + warnings.map { "Warning: \($0)" }
        return table.render(width: width, styled: styled)
            + text.flatMap { wrap($0, width: width) }.map { $0 + "\n" }.joined()
    }

    private var confidenceLabel: String {
        let confidences = rows.compactMap(\.interval?.confidence)
        guard let least = confidences.min() else { return "" }
        return "[\(Decimal.fixed(100 * least, digits: 1)) %]"
    }

    private func cells(_ row: MetricComparison) -> [String] {
        let column = Column.named(row.metric)
        func human(_ value: Double) -> String {
            switch column?.unit {
            case "ns", "ns/op": HumanUnits.time(nanoseconds: value)
            case "1/s": HumanUnits.count(value)
            default: HumanUnits.perOperation(value)
            }
        }
        // Nothing has no ratio to something.
        let hasRatio = row.base > 0 && row.new > 0 || row.ratio == 1
        let ratio = hasRatio ? Decimal.fixed(row.ratio, digits: 3) : "\(human(row.base)) to \(human(row.new))"
        let range = (hasRatio ? row.interval : nil).map {
            " [\(Decimal.fixed($0.lower, digits: 3)), \(Decimal.fixed($0.upper, digits: 3))]"
        }
        let needed = row.blocksNeeded.map { " of \($0)" } ?? ""
        return [
            row.metric + (row.isGating ? "*" : ""), human(row.base), human(row.new), ratio + (range ?? ""),
            row.isGating ? row.verdict.rawValue : "(\(row.verdict.rawValue))", "\(row.blocks)\(needed)",
        ]
    }

    private var conclusion: String {
        let deciding = rows.filter { $0.isGating && $0.verdict == verdict }
        guard !deciding.isEmpty else {
            return "Overall: \(verdict.rawValue); no gating metric was measured on both sides."
        }
        let names = deciding.map(\.metric).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return "Overall: \(verdict.rawValue) (\(names.joined(separator: ", ")))."
    }

    private var footnotes: [String] {
        var notes = ["* decides the overall verdict."]
        if rows.contains(where: { !$0.isGating }) {
            notes.append("A verdict in brackets decides nothing and is not adjusted for the number of metrics.")
        }
        if rows.contains(where: { $0.method == .pairedMedian }) {
            notes.append("new/base is the median of the ratios of the blocks, not the ratio of the two medians.")
        }
        if rows.contains(where: { $0.method != .exactCount && $0.interval == nil }) {
            let fewest = MetricTest.fewest(design, alpha: alpha)
            let unit = design == .paired ? "blocks" : "runs of each side"
            let confidence = 100 * (1 - alpha)
            let text = Decimal.fixed(confidence, digits: confidence == confidence.rounded() ? 0 : 1)
            notes.append("Too few \(unit) for an interval: fewer than \(fewest) cannot give \(text) %.")
        }
        if rows.contains(where: { $0.method == .exactCount }) {
            notes.append("Counts that did not vary from run to run need no interval.")
        }
        if design == .unpaired, rows.contains(where: { !$0.isGating && Column.named($0.metric)?.isCount == false }) {
            notes.append(
                "Times decide nothing here unless named in --fail-on: between two invocations the machine changes too.")
        }
        let unit = design == .paired ? "blocks" : "runs of each side"
        let open = rows.filter { $0.isGating && $0.verdict == .inconclusive && $0.method != .exactCount }
        if open.contains(where: { $0.blocksNeeded == nil }) {
            notes.append(
                "More than \(MetricTest.mostBlocks) \(unit) would be needed: a change is as large as its margin.")
        } else if let most = open.compactMap(\.blocksNeeded).max() {
            notes.append("About \(most) \(unit) would settle what is inconclusive.")
        }
        return notes
    }
}
