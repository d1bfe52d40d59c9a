import Foundation
package import Records
package import Statistics

/// What a feature was worth in the runs of some result folders, condition by condition.
package struct FeatureWorth: Sendable {
    /// Which feature.
    package let feature: Feature
    /// What was measured under each condition, in the order of workload, connections and message size.
    package let cells: [Cell]

    /// What both sides had to do.
    package struct Load: Hashable, Sendable {
        package let workload: String
        /// How both wait; empty where that is what differs.
        package let mode: String
        /// How threads wake each other, and where they run; empty of other workloads.
        package let shape: String
        package let workers: Int
        package let connections: Int
        package let messageBytes: Int?
        package let depth: Int?
        /// What else tells arms apart, but for what differs.
        private let others: [String]

        init(_ record: RunRecord, besides column: Feature.Column) {
            let arm = Arm(record)
            others = zip(Arm.columns, arm.values).filter { !column.ownColumns.contains($0.0.name) }.map(\.1)
            workload = record.workload
            mode = column == .mode ? "" : record.mode
            shape = [record.shape, record.placement].filter { !$0.isEmpty }.joined(separator: ", ")
            workers = record.workers
            connections = record.connections
            messageBytes = record.messageSizeBytes
            depth = record.depth
        }
    }

    /// One side against the other under one load.
    package struct Cell: Sendable {
        package let load: Load
        /// Rounds in which both have a usable run.
        package let rounds: Int
        /// CPU time of the server per operation, the poller's included.
        package let cpu: Change?
        /// Median latency.
        package let latency: Change?
        /// System calls per operation of the base and of the variant.
        package let calls: (base: Double, variant: Double)?
    }

    /// How much of the base's figure the variant's is, over the rounds.
    package struct Change: Sendable {
        /// The median of the rounds' ratios.
        package let ratio: Double
        /// Where the median lies with the probability given; nil with fewer than 6 rounds.
        package let interval: Interval?

        /// Less than this is not worth a decision.
        package static let margin = 0.02
        /// Within this, two figures are taken for the same.
        static let small = 0.05

        /// True if the variant is shown to need less.
        package var isLess: Bool { interval.map { $0.upper < 1 - Self.margin } ?? false }
        /// True if the variant is shown to need more.
        package var isMore: Bool { interval.map { $0.lower > 1 + Self.margin } ?? false }
    }

    /// The features of which both sides were measured, in the order given.
    ///
    /// - Parameter folders: the rows of each folder, whose rounds are its own.
    package static func measure(_ features: [Feature], in folders: [[RunRecord]]) -> [FeatureWorth] {
        features.compactMap { feature in
            let pairs = folders.flatMap { Self.pairs(feature, in: $0) }
            guard !pairs.isEmpty else { return nil }
            let cells = Dictionary(grouping: pairs) { Load($0.variant, besides: feature.column) }.map { Cell($0, $1) }
            return FeatureWorth(feature: feature, cells: cells.sorted { $0.load.precedes($1.load) })
        }
    }

    /// Why a feature has no figures in these rows.
    package static func absence(of feature: Feature, in folders: [[RunRecord]]) -> String {
        let rows = folders.flatMap { $0 }.filter { feature.column.value(of: $0) == feature.name }
        if let row = rows.first(where: { $0.status != .ok }), !row.reason.isEmpty { return row.reason }
        return rows.isEmpty
            ? "no run of it" : "no run \(feature.base.isEmpty ? "without" : "of \(feature.base) beside") it"
    }

    fileprivate struct Pair {
        let base: RunRecord
        let variant: RunRecord
    }

    /// The runs of each round: it holds each side once under each load, and of a void run and its repetition one is usable.
    private static func pairs(_ feature: Feature, in rows: [RunRecord]) -> [Pair] {
        struct Place: Hashable {
            let load: Load
            let round: Int
        }
        func runs(of value: String) -> [(Place, RunRecord)] {
            rows.filter { feature.column.value(of: $0) == value && feature.admits($0) }
                .map { (Place(load: Load($0, besides: feature.column), round: $0.round), $0) }
        }
        let bases = Dictionary(runs(of: feature.base)) { $1 }
        return runs(of: feature.name).compactMap { place, run in
            bases[place].map { Pair(base: $0, variant: run) }
        }
    }
}

extension FeatureWorth.Load {
    func precedes(_ other: Self) -> Bool {
        let left = (workload, connections, messageBytes ?? 0, workers, depth ?? 0)
        let right = (other.workload, other.connections, other.messageBytes ?? 0, other.workers, other.depth ?? 0)
        return left == right ? (shape, mode) < (other.shape, other.mode) : left < right
    }
}

extension FeatureWorth.Cell {
    fileprivate init(_ load: FeatureWorth.Load, _ pairs: [FeatureWorth.Pair]) {
        self.load = load
        rounds = pairs.count
        func change(_ value: (RunRecord) -> Double?) -> FeatureWorth.Change? {
            let ratios = pairs.compactMap { pair -> Double? in
                guard let base = value(pair.base), let variant = value(pair.variant), base > 0, variant > 0 else {
                    return nil
                }
                return log(variant / base)
            }
            guard let middle = median(ratios) else { return nil }
            return FeatureWorth.Change(ratio: exp(middle), interval: medianInterval(ratios)?.mapped(exp))
        }
        cpu = change(\.serverCpuNsPerOp)
        latency = change { $0.latencyP50Ns.map(Double.init) }
        let before = median(pairs.compactMap(\.base.syscallsPerOp))
        let after = median(pairs.compactMap(\.variant.syscallsPerOp))
        calls = before.flatMap { before in after.map { (before, $0) } }
    }
}
