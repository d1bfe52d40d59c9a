/// The table that a run prints: one line per arm, the median of its rounds.
///
/// The options that the arms share are left out; those that differ get a column each or, where that would be wider
/// than `width`, a heading above the modes. An arm without a usable run shows the reason instead of numbers.
///
/// - Parameters:
///   - width: columns of the terminal.
///   - styled: whether to use ANSI bold and dim.
public func summaryTable(for records: [RunRecord], width: Int, styled: Bool) -> String {
    let workloads = records.map(\.workload).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let tables = workloads.map { workload in
        let groups = ArmRuns.group(records.filter { $0.workload == workload })
        return SummaryTable(groups: groups, workload: workload).render(width: width, styled: styled)
    }
    return tables.joined(separator: "\n")
}

/// The table of one workload.
package struct SummaryTable {
    let groups: [ArmRuns]
    let workload: String

    /// The runs of `workload` among `records`, each option that differs a heading above the modes.
    package static func withSections(
        of records: [RunRecord], workload: String
    ) -> (table: TextTable, notes: [String]) {
        let groups = ArmRuns.group(records.filter { $0.workload == workload })
        let summary = SummaryTable(groups: groups, workload: workload)
        let varying = Arm.varyingColumns(of: groups.map(\.arm))
        return (varying.isEmpty ? summary.withColumns([]) : summary.withSections(varying), summary.notes)
    }

    func render(width: Int, styled: Bool) -> String {
        let varying = Arm.varyingColumns(of: groups.map(\.arm))
        var table = withColumns(varying)
        if !varying.isEmpty && table.naturalWidth(gap: 1) > width { table = withSections(varying) }
        let notes = self.notes.flatMap { wrap($0, width: max(40, width)) }
        return table.render(width: width, styled: styled) + notes.map { $0 + "\n" }.joined()
    }

    private func withColumns(_ varying: [String]) -> TextTable {
        let extra = varying.map { TextTable.Heading(title: Self.titles[$0] ?? $0, alignment: .left) }
        var table = TextTable(headings: [Self.modeHeading] + extra + metrics.map(\.heading))
        table.lines = groups.map { line(for: $0, extra: varying.map { [arm = $0.arm] in arm[$0] }) }
        return table
    }

    private func withSections(_ varying: [String]) -> TextTable {
        var table = TextTable(headings: [Self.modeHeading] + metrics.map(\.heading))
        var order: [[String]] = []
        let bySection = Dictionary(grouping: groups) { group in varying.map { group.arm[$0] } }
        for key in groups.map({ group in varying.map { group.arm[$0] } }) where !order.contains(key) {
            order.append(key)
        }
        for key in order {
            table.lines.append(.section(zip(varying, key).map { Arm.phrase($0, $1) }.joined(separator: ", ")))
            table.lines += (bySection[key] ?? []).map { line(for: $0, extra: []) }
        }
        return table
    }

    private func line(for group: ArmRuns, extra: [String]) -> TextTable.Line {
        guard group.usable.isEmpty else {
            let cells = metrics.map { metric in median(group.values(metric.value)).map(metric.format) ?? "–" }
            return .cells([group.arm["mode"]] + extra + cells)
        }
        let identity = ([group.arm["mode"]] + extra.filter { !$0.isEmpty }).joined(separator: " ")
        let states = group.records.map {
            $0.reason.isEmpty ? $0.status.rawValue : "\($0.status.rawValue): \($0.reason)"
        }
        return .note(identity, Set(states).sorted().joined(separator: "; "))
    }

    /// How many rounds the medians are of, and which rows were left out of them.
    private var notes: [String] {
        let counts = Set(groups.map(\.usable.count).filter { $0 > 0 })
        var notes: [String] = []
        if counts == [1] { notes.append("One round: a difference between two lines may be chance.") }
        if let most = counts.max(), most > 1 {
            let least = counts.min() ?? most
            notes.append("Median of \(least == most ? "\(most)" : "\(least) to \(most)") rounds.")
        }
        let varying = Arm.varyingColumns(of: groups.map(\.arm))
        if !varying.contains("topology"), let note = topologyNote { notes.append(note) }
        for group in groups where !group.usable.isEmpty {
            for record in group.records where record.status != .ok {
                let reason = record.reason.isEmpty ? "" : ": \(record.reason)"
                let label = group.arm.label(varying: varying)
                notes.append("Left out: \(label), round \(record.round), \(record.status.rawValue)\(reason)")
            }
        }
        return notes
    }

    /// Which modes have another topology than most, where each mode has one.
    private var topologyNote: String? {
        let byTopology = Dictionary(grouping: groups) { $0.arm["topology"] }.mapValues { group in
            group.map { $0.arm["mode"] }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        }
        guard byTopology.count > 1, let most = byTopology.max(by: { $0.value.count < $1.value.count }) else {
            return nil
        }
        let others = byTopology.filter { $0.key != most.key }.sorted { $0.key < $1.key }
        let exceptions = others.map { "\($0.value.joined(separator: ", ")): \($0.key)" }
        return "Topology: \(most.key); \(exceptions.joined(separator: "; "))."
    }

    private struct Metric {
        var heading: TextTable.Heading
        var value: (RunRecord) -> Double?
        var format: (Double) -> String
    }

    private var metrics: [Metric] {
        let noun = OperationName.of(workload: workload).short
        func perOp(_ title: String, _ value: @escaping (RunRecord) -> Double?) -> Metric {
            Metric(heading: .init(title: title, unit: "/\(noun)"), value: value, format: HumanUnits.perOperation)
        }
        func time(_ title: String, unit: String = "", _ value: @escaping (RunRecord) -> Double?) -> Metric {
            Metric(heading: .init(title: title, unit: unit), value: value, format: HumanUnits.time)
        }
        return [
            Metric(heading: .init(title: "\(noun)/s"), value: \.throughputOpsPerS, format: HumanUnits.count),
            time("p50") { $0.latencyP50Ns?.number },
            time("p99") { $0.latencyP99Ns?.number },
            time("CPU", unit: "/\(noun)", \.serverCpuNsPerOp),
            perOp("calls", \.syscallsPerOp),
            perOp("wakeups", \.wakeupsPerOp),
            perOp("spurious", \.spuriousWakeupsPerOp),
            Metric(heading: .init(title: "fair", unit: "Jain"), value: \.fairnessJain, format: HumanUnits.perOperation),
        ]
    }

    private static let modeHeading = TextTable.Heading(title: "mode", alignment: .left)
    private static let titles = [
        "message_size_bytes": "bytes", "rate_per_s": "rate", "service_time": "service", "connections": "conns",
        "implementation": "lang", "service": "kind",
    ]
}
