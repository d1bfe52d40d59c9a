import Records
import Statistics

struct MatchedArm {
    let base: ArmRuns
    let new: ArmRuns

    /// Of searches for a rate the capacity alone: the other figures of each side are of the rate that it found.
    func compares(_ column: Column) -> Bool {
        base.arm["slo"].isEmpty == (column.name != "capacity_ops_per_s")
    }

    func samples(_ column: Column, design: ComparisonOptions.Design) -> MetricSamples? {
        guard compares(column) else { return nil }
        if column.isLatency && saturation != nil { return nil }
        var (left, right): ([Double], [Double]) = ([], [])
        switch design {
        case .unpaired:
            left = base.values { column.comparable($0) }
            right = new.values { column.comparable($0) }
        case .paired:
            // A run that was repeated replaces the earlier one of its round.
            var byRound: [Int: Double] = [:]
            for run in new.usable { byRound[run.round] = column.comparable(run) }
            var seen: Set<Int> = []
            for run in base.usable.reversed() where seen.insert(run.round).inserted {
                guard let old = column.comparable(run), let now = byRound[run.round] else { continue }
                left.append(old)
                right.append(now)
            }
            left.reverse()
            right.reverse()
        }
        return left.isEmpty || right.isEmpty ? nil : MetricSamples(column: column, base: left, new: right)
    }

    enum Saturation { case base, new, both }

    /// The latency of a server that fell behind is the length of its queue, and grows with the run. A side is saturated
    /// if half of its runs are; `nil` if neither is.
    var saturation: Saturation? {
        func isSaturated(_ side: ArmRuns) -> Bool {
            let saturated = side.usable.count { $0.saturated == "yes" }
            return saturated > 0 && 2 * saturated >= side.usable.count
        }
        switch (isSaturated(base), isSaturated(new)) {
        case (true, true): return .both
        case (true, false): return .base
        case (false, true): return .new
        case (false, false): return nil
        }
    }

    var loneRounds: (lone: Int, all: Int) {
        let rounds = [base, new].map { Set($0.records.map(\.round)) }
        return (rounds[0].symmetricDifference(rounds[1]).count, rounds[0].union(rounds[1]).count)
    }

    /// What one side lacks of the other's runs, where that is more than an accident; `nil` otherwise. Of interleaved
    /// sides that is more than a fifth of the rounds. Others may well have different numbers of runs; one or two beside
    /// more than twice as many are the rest of something.
    func imbalance(_ design: ComparisonOptions.Design) -> String? {
        switch design {
        case .paired:
            let (lone, all) = loneRounds
            return 5 * lone > all ? "\(lone) of \(all) rounds are on one side only" : nil
        case .unpaired:
            let (old, now) = (base.usable.count, new.usable.count)
            guard min(old, now) < 3, 2 * min(old, now) < max(old, now) else { return nil }
            return "\(old) run\(old == 1 ? "" : "s") on the base, \(now) on the new side"
        }
    }

    /// More of the machine than this in the hands of other programs leaves open what caused a difference.
    static let mostForeignLoad = 0.05

    /// Why the two sides, measured at different times, did not have the same machine; `nil` if they had.
    var foreignLoad: String? {
        let shares = [base, new].map { median($0.values(\.foreignCpu)) ?? 0 }
        guard shares.contains(where: { $0 > Self.mostForeignLoad }) else { return nil }
        let (old, now) = (HumanUnits.percent(shares[0]), HumanUnits.percent(shares[1]))
        return "other programs took \(old) of the machine beside the base and \(now) beside the new side"
    }
}

extension Column {
    var isLatency: Bool { name.hasPrefix("latency_") }

    /// The value in a run; `nil` for the latency of a run that did not keep the rate.
    func comparable(_ run: RunRecord) -> Double? {
        isLatency && run.saturated == "yes" ? nil : number(of: run)
    }
}
