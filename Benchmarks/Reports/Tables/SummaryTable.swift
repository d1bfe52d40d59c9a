package import Records
import Statistics

/// The table that a run prints: one line per arm, the median of its rounds.
///
/// The options that the arms share are left out; those that differ get a column each or, where that would be wider
/// than `width`, a heading above the modes. An arm without a usable run shows the reason instead of numbers.
package func summaryTable(for records: [RunRecord], width: Int, styled: Bool) -> String {
    let workloads = records.map(\.workload).distinct
    let tables = workloads.map { workload in
        var groups = ArmRuns.group(records.filter { $0.workload == workload })
        if groups.searchRates {
            // The question is which holds most.
            let capacities = groups.map { median($0.values(\.capacityOpsPerS)) ?? -1 }
            groups = groups.indices.sorted { (capacities[$1], $0) < (capacities[$0], $1) }.map { groups[$0] }
        }
        return SummaryTable(groups: groups, workload: workload).render(width: width, styled: styled)
    }
    return tables.joined(separator: "\n")
}

private struct SummaryTable {
    let groups: [ArmRuns]
    let workload: String

    /// The widest form that fits: the spread of the rounds beside each figure or under it; what the options are as
    /// columns or as headings; and last without the columns that tell least.
    func render(width: Int, styled: Bool) -> String {
        let varying = Arm.varyingColumns(of: groups.map(\.arm))
        let places = varying.isEmpty ? [false] : [false, true]
        let forms = [false, true].flatMap { under in
            places.map { $0 ? withSections(varying, spreadUnder: under) : withColumns(varying, spreadUnder: under) }
        }
        let table = forms.first { $0.naturalWidth(gap: 1) <= width } ?? forms[forms.count - 1]
        let notes = self.notes.flatMap { wrap($0, width: width) }
        return table.render(width: width, styled: styled) + notes.map { $0 + "\n" }.joined()
    }

    private func withColumns(_ varying: [String], spreadUnder: Bool) -> TextTable {
        let extra = varying.map { TextTable.Heading(title: Self.titles[$0] ?? $0, alignment: .left) }
        var table = TextTable(
            headings: [Self.modeHeading] + extra + metrics.map { .init(title: $0.title, unit: $0.unit, rank: $0.rank) })
        table.lines = lines(groups, varying: varying, spreadUnder: spreadUnder)
        return table
    }

    private func withSections(_ varying: [String], spreadUnder: Bool) -> TextTable {
        var table = TextTable(
            headings: [Self.modeHeading] + metrics.map { .init(title: $0.title, unit: $0.unit, rank: $0.rank) })
        let keys = groups.map { group in varying.map { group.arm[$0] } }
        let bySection = Dictionary(grouping: zip(keys, groups), by: \.0).mapValues { $0.map(\.1) }
        for key in keys.distinct {
            table.lines.append(.section(zip(varying, key).map { Arm.phrase($0, $1) }.joined(separator: ", ")))
            table.lines += lines(bySection[key] ?? [], varying: [], spreadUnder: spreadUnder)
        }
        return table
    }

    private func lines(_ groups: [ArmRuns], varying: [String], spreadUnder: Bool) -> [TextTable.Line] {
        let spreads = groups.map { group in metrics.map { Spread.text(group.values($0.value), format: $0.format) } }
        // Of equal width in a column, so that the figures beside them line up.
        let widths = metrics.indices.map { index in spreads.map { $0[index].count }.max() ?? 0 }
        return zip(groups, spreads).flatMap { group, spread -> [TextTable.Line] in
            let extra = varying.map { group.arm[$0] }
            guard !group.usable.isEmpty else { return [note(for: group, extra: extra)] }
            let figures = metrics.map { metric in median(group.values(metric.value)).map(metric.format) ?? "–" }
            let marked = figures.enumerated().map { index, figure in
                metrics[index].isServed && hasSaturation ? figure + (group.keptItsRate ? " " : "*") : figure
            }
            let identity = [group.arm["mode"]] + extra
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
        guard byTopology.count > 1, let most = byTopology.max(by: { $0.value.count < $1.value.count }) else {
            return nil
        }
        let others = byTopology.filter { $0.key != most.key }.sorted { $0.key < $1.key }
        let exceptions = others.map { "\($0.value.joined(separator: ", ")): \($0.key)" }
        return "Topology: \(most.key); \(exceptions.joined(separator: "; "))."
    }

    private var metrics: [SummaryMetric] {
        SummaryMetric.all(noun: OperationName.of(workload: workload).short, groups)
    }

    private static let modeHeading = TextTable.Heading(title: "mode", alignment: .left)
    private static let titles = [
        "message_size_bytes": "bytes", "rate_per_s": "rate", "service_time": "service", "connections": "conns",
        "implementation": "lang", "service": "kind",
    ]
}
