import Foundation
package import Records
import Statistics

extension NoiseFloor {
    /// The floors of every metric of every mode in A/A runs: two usable runs of an arm per round.
    ///
    /// An arm with too few blocks for the confidence (6 for 95 %) gets no entry. Where several arms share a mode, the
    /// largest floor and drift count.
    ///
    /// - Parameter loaded: runs of the same arms beside processors that were kept busy.
    package init(
        runs: [RunRecord], loaded: [RunRecord] = [], kernel: String, measuredAt: String, seed: UInt64,
        confidence: Double = 0.95
    ) {
        var largest: [[String]: Entry] = [:]
        let busy = Dictionary(ArmRuns.group(loaded).map { ($0.arm, $0.usable) }) { first, _ in first }
        for group in ArmRuns.group(runs) {
            let pairs = Self.pairs(group.usable, seed: seed)
            for column in Column.metrics {
                let values = pairs.compactMap { pair -> (Double, Double)? in
                    guard let a = column.number(of: pair.0), let b = column.number(of: pair.1) else { return nil }
                    return (a, b)
                }
                let samples = MetricSamples(column: column, base: values.map(\.0), new: values.map(\.1))
                guard let interval = medianInterval(samples.logRatios, confidence: confidence) else { continue }
                let floor = exp(max(abs(interval.lower), abs(interval.upper))) - 1
                let drift = Self.drift(of: column, quiet: group.usable, busy: busy[group.arm] ?? [])
                let key = [group.arm["workload"], group.arm["mode"], column.name]
                var entry = Entry(
                    workload: key[0], mode: key[1], metric: key[2], floor: floor, blocks: values.count, drift: drift)
                if let known = largest[key] {
                    entry = known.floor >= floor ? known : entry
                    entry.drift = [known.drift, drift].contains(nil) ? nil : [known.drift ?? 0, drift ?? 0].max()
                }
                largest[key] = entry
            }
        }
        self.init(
            machineId: runs.first?.machineId ?? "", kernel: kernel, measuredAt: measuredAt,
            gitCommit: runs.first?.gitCommit ?? "", confidence: confidence,
            entries: largest.values.sorted { ($0.workload, $0.mode, $0.metric) < ($1.workload, $1.mode, $1.metric) })
    }

    /// How far what was measured at different times lies apart. The blocks are processes of their own; in the order of
    /// time they fall into as many as four groups of at least three, each as good as an invocation.
    private static func drift(of column: Column, quiet: [RunRecord], busy: [RunRecord]) -> Double? {
        let samples = MetricSamples(column: column, base: [], new: [])
        let logarithm = { (run: RunRecord) in column.number(of: run).map(samples.logarithm) }
        if column.isCount {
            let loaded = busy.compactMap(logarithm)
            guard !loaded.isEmpty else { return nil }
            return spread(quiet.compactMap(logarithm) + loaded)
        }
        let rounds = Dictionary(grouping: quiet, by: \.round).sorted { $0.key < $1.key }.map(\.value)
        let groups = min(4, rounds.count / 3)
        guard groups >= 2 else { return nil }
        let medians = (0..<groups).compactMap { group in
            let part = rounds[group * rounds.count / groups..<(group + 1) * rounds.count / groups]
            return median(part.joined().compactMap(logarithm))
        }
        guard medians.count == groups, let seen = spread(medians) else { return nil }
        // A calibration lasts minutes and sees little of what happens between days.
        return (1 + seen) * (1 + seen) - 1
    }

    /// The largest of logarithms over the smallest, as a share more.
    private static func spread(_ logarithms: [Double]) -> Double? {
        guard let low = logarithms.min(), let high = logarithms.max() else { return nil }
        return exp(high - low) - 1
    }

    private static func pairs(_ runs: [RunRecord], seed: UInt64) -> [(RunRecord, RunRecord)] {
        var generator = SplitMix64(seed: seed)
        let rounds = Dictionary(grouping: runs, by: \.round).sorted { $0.key < $1.key }
        return rounds.compactMap { _, runs in
            guard runs.count >= 2 else { return nil }
            let ordered = runs.sorted { $0.orderInRound < $1.orderInRound }
            return generator.next(below: 2) == 0 ? (ordered[0], ordered[1]) : (ordered[1], ordered[0])
        }
    }
}
