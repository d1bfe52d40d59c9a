package import Records
import Statistics

package struct StoredRuns: Sendable {
    package var name: String
    package var records: [RunRecord]

    package init(name: String, records: [RunRecord]) {
        self.name = name
        self.records = records
    }

    private var first: RunRecord? { records.min { ($0.startTime ?? .start) < ($1.startTime ?? .start) } }
    var startTime: Timestamp { first?.startTime ?? .start }
    var startedAt: String { first?.startedAt ?? "" }
    var gitCommit: String { records.first?.gitCommit ?? "" }
    var machineId: String { records.first?.machineId ?? "" }
}

/// How the metrics of each arm went over the stored runs of one machine.
package struct History: Sendable {
    package struct Trend: Sendable {
        package var arm: Arm
        package var metric: String
        /// The median of each stored run, in the order of ``History/points``; `nil` where it lacks the arm.
        package var values: [Double?]
        package var changes: [Change]

        var hasGaps: Bool { values.contains { $0 == nil } }
    }

    package struct Change: Sendable, Equatable {
        /// Index of the first stored run at the new level.
        package var index: Int
        package var gitCommit: String
        /// The commit of the last stored run at the old level: what changed lies after it.
        var lastCommitBefore: String
        package var before: Double
        package var after: Double
    }

    package var points: [(name: String, startedAt: String, gitCommit: String)]
    package var machineId: String
    /// Rows that were left out because they are of another build than `release`.
    package var otherBuilds: Int
    package var trends: [Trend]

    /// A history for each machine in `stored`, in the order of their names: what differs between machines is no trend.
    package static func ofMachines(
        in stored: [StoredRuns], metrics: [String] = ComparisonOptions.defaultMetrics
    ) throws(ComparisonError) -> [History] {
        var byMachine: [String: [StoredRuns]] = [:]
        for runs in stored {
            for (machine, records) in Dictionary(grouping: runs.records, by: \.machineId) {
                byMachine[machine, default: []].append(StoredRuns(name: runs.name, records: records))
            }
        }
        var histories: [History] = []
        for machine in byMachine.keys.sorted() {
            histories.append(try History(byMachine[machine] ?? [], metrics: metrics))
        }
        return histories
    }

    /// The trends of `metrics` over `stored`, which are of one machine and may be in any order.
    package init(
        _ stored: [StoredRuns], metrics: [String] = ComparisonOptions.defaultMetrics
    ) throws(ComparisonError) {
        var columns: [Column] = []
        for name in metrics {
            guard let column = Column.named(name), column.better != .none else { throw .unknownMetric(name) }
            columns.append(column)
        }
        let released = stored.map { runs in
            StoredRuns(name: runs.name, records: runs.records.filter { $0.build == "release" })
        }
        otherBuilds = stored.reduce(0) { $0 + $1.records.count } - released.reduce(0) { $0 + $1.records.count }
        let ordered = Self.merged(released.filter { !$0.records.isEmpty }.sorted { $0.startTime < $1.startTime })
        let machine = stored.first?.machineId ?? ""
        if let other = stored.first(where: { $0.machineId != machine }) {
            throw .differentMachines(base: machine, new: other.machineId)
        }
        machineId = machine
        points = ordered.map { ($0.name, $0.startedAt, $0.gitCommit) }
        let groups = ordered.map { stored in
            Dictionary(uniqueKeysWithValues: ArmRuns.group(stored.records).map { ($0.arm, $0) })
        }
        let arms = ArmRuns.group(ordered.flatMap(\.records)).map(\.arm)
        trends = arms.flatMap { arm in
            columns.compactMap { column in
                let values = groups.map { median($0[arm]?.values { column.number(of: $0) } ?? []) }
                guard values.contains(where: { $0 != nil }) else { return nil }
                return Trend(arm: arm, metric: column.name, values: values, changes: [])
            }
        }
        findChanges(commits: ordered.map(\.gitCommit))
    }

    /// Successive runs of one commit that share no arm are one point in time: each workload has a folder of its own.
    private static func merged(_ ordered: [StoredRuns]) -> [StoredRuns] {
        var points: [StoredRuns] = []
        for runs in ordered {
            if let last = points.last, last.gitCommit == runs.gitCommit, last.machineId == runs.machineId,
                Set(last.records.map(Arm.init)).isDisjoint(with: runs.records.map(Arm.init))
            {
                points[points.count - 1].records += runs.records
            } else {
                points.append(runs)
            }
        }
        return points
    }

    /// Looks at all trends with the significance shared among them after Holm: what is found in some makes the rest a
    /// smaller family, which is looked at again.
    private mutating func findChanges(commits: [String]) {
        // What never varied cannot change, and takes no part in the family.
        var open = trends.indices.filter { Set(trends[$0].values.compactMap(\.self)).count > 1 }
        while !open.isEmpty {
            var method = ChangePoints()
            method.significance /= Double(open.count)
            // The smallest p-value that permutations can give must pass.
            method.permutations = max(method.permutations, Int((1 / method.significance).rounded(.up)))
            let found = open.filter { index in
                trends[index].changes = Self.changes(trends[index].values, commits: commits, method)
                return !trends[index].changes.isEmpty
            }
            guard !found.isEmpty else { break }
            open.removeAll(where: found.contains)
        }
    }

    /// Changes by less are not worth a search for their cause.
    private static let minEffect = 0.02

    private static func changes(_ values: [Double?], commits: [String], _ method: ChangePoints) -> [Change] {
        let present = values.indices.filter { values[$0] != nil }
        let series = present.compactMap { values[$0] }
        let splits = method.find(in: series)
        let bounds = [0] + splits + [series.count]
        return splits.enumerated().compactMap { number, split in
            let before = median(Array(series[bounds[number]..<split])) ?? 0
            let after = median(Array(series[split..<bounds[number + 2]])) ?? 0
            guard abs(after - before) >= minEffect * before else { return nil }
            return Change(
                index: present[split], gitCommit: commits[present[split]],
                lastCommitBefore: commits[present[split - 1]], before: before, after: after)
        }
    }
}
