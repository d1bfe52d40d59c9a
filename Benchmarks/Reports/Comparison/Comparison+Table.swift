import Records
import Statistics

extension Comparison {
    /// The comparison for a terminal: a section per arm, a line per metric, what it amounts to, and the warnings.
    package func table(width: Int, styled: Bool) -> String {
        var table = TextTable(headings: [
            .init(title: "metric", alignment: .left), .init(title: "base"), .init(title: "new"),
            .init(title: "new/base", unit: confidenceLabel), .init(title: "verdict", alignment: .left),
            .init(title: "n", unit: design == .paired ? "blocks" : "runs", rank: 1),
        ])
        let arms = rows.map(\.arm).distinct
        let varying = Arm.varyingColumns(of: arms + absences.map(\.arm))
        for arm in arms {
            if arms.count > 1 { table.lines.append(.section(arm.label(varying: varying))) }
            table.lines += rows.filter { $0.arm == arm }.map { .cells(cells($0)) }
        }
        let text = [conclusion] + footnotes + doubts(varying) + missing(varying) + warnings.map { "Warning: \($0)" }
        return table.render(width: width, styled: styled)
            + text.flatMap { wrap($0, width: width) }.map { $0 + "\n" }.joined()
    }

    private var confidenceLabel: String {
        let confidences = rows.compactMap(\.interval?.confidence)
        guard let least = confidences.min() else { return "" }
        return "[\(Decimal.fixed(100 * least, digits: 1)) %]"
    }

    private func cells(_ row: MetricComparison) -> [String] {
        func human(_ value: Double) -> String { HumanUnits.of(value, column: row.metric) }
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
        let names = deciding.map(\.metric).distinct
        let phrase = outcome.rawValue.lowercased()
        return "Overall: \(phrase)\(names.isEmpty ? "" : " (\(names.joined(separator: ", ")))")."
    }

    /// What was not decided for another reason than want of runs, a line for each reason.
    private func doubts(_ varying: [String]) -> [String] {
        let open = rows.filter { $0.counts && $0.doubt != nil }
        let reasons = open.compactMap(\.doubt).distinct
        return reasons.map { reason in
            let arms = open.filter { $0.doubt == reason }.map { $0.arm.label(varying: varying) }.distinct
            return "Not decided (\(arms.joined(separator: ", "))): \(reason)."
        } + armsWithoutTimes.map { "Not decided (\($0.label(varying: varying))): no time was measured on both sides." }
    }

    private func missing(_ varying: [String]) -> [String] {
        let list = absences.map { absence in
            let name = [absence.arm.label(varying: varying), absence.metric].compactMap { $0 }.joined(separator: " ")
            return "Not compared: \(name): \(absence.reason)."
        }
        guard !list.isEmpty, !allowsMissing else { return list }
        return list + ["What is not compared ends with exit code 3; --allow-missing accepts it."]
    }

    private var footnotes: [String] {
        guard !rows.isEmpty else { return [] }
        var notes = ["* decides the overall verdict."]
        let others = rows.filter { !$0.isGating }
        if others.contains(where: \.counts) {
            notes.append("A verdict in brackets counts where it is a clear change; its doubt does not.")
        } else if !others.isEmpty {
            notes.append("A verdict in brackets decides nothing and is not adjusted for the number of metrics.")
        }
        let worse = others.filter { !$0.counts && $0.verdict == .regressed }.map(\.metric).distinct
        if !worse.isEmpty { notes.append("Regressed, and not named in --fail-on: \(worse.joined(separator: ", ")).") }
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
            notes.append("Counts that hardly vary from run to run, or lie clearly apart, need no interval.")
        }
        let unit = design == .paired ? "blocks" : "runs of each side"
        let open = rows.filter {
            ($0.isGating || $0.isSuspect) && $0.verdict == .inconclusive && $0.method != .exactCount && $0.doubt == nil
        }
        if open.contains(where: { $0.blocksNeeded == nil }) {
            notes.append(
                "More than \(MetricTest.mostBlocks) \(unit) would be needed: a change is as large as its margin.")
        } else if let most = open.compactMap(\.blocksNeeded).max() {
            notes.append("About \(most) \(unit) would settle what is inconclusive.")
        }
        return notes
    }
}
