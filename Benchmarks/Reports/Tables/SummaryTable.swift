package import Records
import Statistics

/// The table that a run prints: one line per arm, the median of its rounds, the best first where arms had the same to do.
///
/// The options that the arms share are left out; those that differ get a column each or, where that would be wider
/// than `width`, a heading above the modes. An arm without a usable run shows the reason instead of numbers.
package func summaryTable(for records: [RunRecord], width: Int, styled: Bool) -> String {
    let workloads = records.map(\.workload).distinct
    let tables = workloads.map { workload in
        SummaryTable(ArmRuns.group(records.filter { $0.workload == workload }), workload: workload)
            .render(width: width, styled: styled)
    }
    return tables.joined(separator: "\n")
}

private struct SummaryTable {
    /// An arm and its place among those of its condition.
    private struct Line {
        let group: ArmRuns
        let place: String
    }

    private let parts: [(condition: Condition, ranking: Ranking, lines: [Line])]
    private let groups: [ArmRuns]
    private let metrics: [SummaryMetric]

    init(_ groups: [ArmRuns], workload: String) {
        parts = groups.byCondition.map { condition, members in
            let ranking = Ranking(members)
            let lines = ranking.order.map { Line(group: members[$0], place: $1.map(String.init) ?? "–") }
            return (condition, ranking, lines)
        }
        self.groups = parts.flatMap { $0.lines.map(\.group) }
        metrics = SummaryMetric.shown(noun: OperationName.of(workload: workload).short, groups)
    }

    private var hasPlaces: Bool { parts.contains { $0.ranking.hasPlaces } }

    /// The widest form that fits: the spread of the rounds beside each figure or under it; what the options are as
    /// columns or as headings; and last without the columns that tell least.
    func render(width: Int, styled: Bool) -> String {
        let varying = Arm.varyingColumns(of: groups.map(\.arm))
        let places = varying.isEmpty ? [false] : [false, true]
        let forms = [false, true].flatMap { under in
            places.map { $0 ? withSections(spreadUnder: under) : withColumns(varying, spreadUnder: under) }
        }
        let table = forms.first { $0.naturalWidth(gap: 1) <= width } ?? forms[forms.count - 1]
        let notes = self.notes.flatMap { wrap($0, width: width) }
        return table.render(width: width, styled: styled) + notes.map { $0 + "\n" }.joined()
    }

    private func withColumns(_ varying: [String], spreadUnder: Bool) -> TextTable {
        var table = TextTable(
            headings: headings(varying.map { .init(title: Self.titles[$0] ?? $0, alignment: .left) }))
        table.lines = lines(parts.flatMap(\.lines), varying: varying, spreadUnder: spreadUnder)
        return table
    }

    private func withSections(spreadUnder: Bool) -> TextTable {
        var table = TextTable(headings: headings([]))
        for part in parts {
            table.lines.append(.section(part.condition.title))
            table.lines += lines(part.lines, varying: [], spreadUnder: spreadUnder)
        }
        return table
    }

    private func headings(_ options: [TextTable.Heading]) -> [TextTable.Heading] {
        [.init(title: "mode", alignment: .left)] + options + (hasPlaces ? [.init(title: "#")] : [])
            + metrics.map { .init(title: $0.title, unit: $0.unit, rank: $0.rank) }
    }

    private func lines(_ lines: [Line], varying: [String], spreadUnder: Bool) -> [TextTable.Line] {
        let spreads = lines.map { line in metrics.map { Spread.text(line.group.values($0.value), format: $0.format) } }
        // Of equal width in a column, so that the figures beside them line up.
        let widths = metrics.indices.map { index in spreads.map { $0[index].count }.max() ?? 0 }
        return zip(lines, spreads).flatMap { line, spread -> [TextTable.Line] in
            let group = line.group
            let extra = varying.map { group.arm[$0] }
            guard !group.usable.isEmpty else { return [note(for: group, extra: extra)] }
            let figures = metrics.map { metric in median(group.values(metric.value)).map(metric.format) ?? "–" }
            let marked = figures.enumerated().map { index, figure in
                metrics[index].isServed && hasSaturation ? figure + (group.keptItsRate ? " " : "*") : figure
            }
            let identity = [group.arm["mode"]] + extra + (hasPlaces ? [line.place] : [])
            guard !spreadUnder else {
                let own = TextTable.Line.cells(identity + marked)
                return spread.allSatisfy(\.isEmpty) ? [own] : [own, .cells(identity.map { _ in "" } + spread)]
            }
            let cells = marked.enumerated().map { index, figure in
                let space = widths[index] - spread[index].count
                return widths[index] == 0 ? figure : "\(figure) \(String(repeating: " ", count: space))\(spread[index])"
            }
            return [.cells(identity + cells)]
        }
    }

    private func note(for group: ArmRuns, extra: [String]) -> TextTable.Line {
        let identity = ([group.arm["mode"]] + extra.filter { !$0.isEmpty }).joined(separator: " ")
        return .note(identity, Set(group.records.map(\.state)).sorted().joined(separator: "; "))
    }

    private var hasSaturation: Bool { !groups.allSatisfy(\.keptItsRate) }

    /// How many rounds the medians are of, and which rows were left out of them.
    private var notes: [String] {
        let counts = Set(groups.map(\.usable.count).filter { $0 > 0 })
        var notes: [String] = []
        if counts == [1] { notes.append("One round: a difference between two lines may be chance.") }
        if let most = counts.max(), most > 1 {
            let least = counts.min() ?? most
            let rounds = least == most ? "\(most)" : "\(least) to \(most)"
            notes.append("Median of \(rounds) rounds; ± is how far the farthest of them lies from it.")
        }
        notes += Ranking.notes(parts.map(\.ranking), among: groups)
        let varying = Arm.varyingColumns(of: groups.map(\.arm))
        if groups.searchRates {
            let bound = varying.contains("slo") ? "its bound" : groups.first?.arm["slo"] ?? ""
            notes.append("capacity: the highest rate that kept \(bound); the other figures are those at that rate.")
            if let note = capacityNote(groups, varying: varying) { notes.append(note) }
            for group in groups where !group.usable.isEmpty {
                let found = group.values(\.capacityOpsPerS).count
                guard found < group.usable.count else { continue }
                notes.append(
                    "\(group.arm.label(varying: varying)): a capacity was confirmed in \(found) of \(group.usable.count) rounds."
                )
            }
        }
        if hasSaturation {
            notes.append(
                "* served clearly less than was offered: operations waited for their turn, so that the latencies are "
                    + "those of a growing queue and rank nothing.")
        }
        if !varying.contains("topology"), let note = topologyNote { notes.append(note) }
        for group in groups where !group.usable.isEmpty {
            for record in group.records where record.status != .ok {
                let label = group.arm.label(varying: varying)
                notes.append("Left out: \(label), round \(record.round), \(record.state)")
            }
        }
        return notes
    }

    /// Which modes have another topology than most, where each mode has one.
    private var topologyNote: String? {
        let byTopology = Dictionary(grouping: groups.filter { !$0.arm["topology"].isEmpty }) { $0.arm["topology"] }
            .mapValues { group in
                group.map { $0.arm["mode"] }.distinct
            }
        guard byTopology.count > 1,
            let most = byTopology.max(by: { ($0.value.count, $1.key) < ($1.value.count, $0.key) })
        else {
            return nil
        }
        let others = byTopology.filter { $0.key != most.key }.sorted { $0.key < $1.key }
        let exceptions = others.map { "\($0.value.joined(separator: ", ")): \($0.key)" }
        return "Topology: \(most.key); \(exceptions.joined(separator: "; "))."
    }

    private static let titles = [
        "message_size_bytes": "bytes", "rate_per_s": "rate", "service_time": "service", "connections": "conns",
        "implementation": "lang", "service": "kind",
    ]
}
