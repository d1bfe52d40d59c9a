import Foundation
import Records
import Statistics

/// One metric's values on both sides, made comparable as ratios.
struct MetricSamples {
    let column: Column
    /// Per block where paired, else each side's values in the order of time.
    let base: [Double]
    let new: [Double]

    /// Smaller values are taken for this one. A ratio of two values that are zero within the resolution says nothing: a
    /// hundredth of a wakeup per operation is none, whether it doubles or not.
    private static let resolutions = ["1/op": 0.01, "ns": 1, "ns/op": 1, "1/s": 0.001]

    private var resolution: Double { Self.resolutions[column.unit] ?? 0.001 }

    func logarithm(_ value: Double) -> Double { log(max(value, resolution)) }

    var logRatios: [Double] { zip(base, new).map { logarithm($1) - logarithm($0) } }

    /// How far a run's count may lie from the median of its side and still be free of noise. It is no matter of what
    /// change is of interest: a count that scatters needs statistics, however large the minimum effect.
    static let steadyTolerance = 0.005

    /// Whether every count of a side is a whole number for each operation. What load changes, how much waits when a
    /// worker wakes up, leaves fractions.
    ///
    /// Not a share of the count: half a percent of a hundred calls would be near a whole number always.
    private func isWhole(_ side: [Double]) -> Bool { side.allSatisfy { abs($0 - $0.rounded()) <= Self.wholeTolerance } }

    /// How far a count may lie from a whole number, for what a run does once.
    private static let wholeTolerance = 0.005

    /// Counts that are not exact are changed nevertheless where every run of one side has more than every run of the
    /// other by more than this share.
    static let clearShare = 0.05

    /// Whether they are counts whose ranges lie apart by more than ``clearShare`` and `minEffect`.
    func liesApart(_ minEffect: Double) -> Bool {
        column.isCount && isHigherThroughout(by: log(1 + max(Self.clearShare, minEffect))) != nil
    }

    /// Whether every value of the new side is higher, or every one lower, than every value of the base by more than
    /// `bound`, a logarithm; `nil` if neither.
    func isHigherThroughout(by bound: Double) -> Bool? {
        guard let low = base.min(), let high = base.max(), let newLow = new.min(), let newHigh = new.max() else {
            return nil
        }
        if logarithm(newLow) - logarithm(high) > bound { return true }
        return logarithm(low) - logarithm(newHigh) > bound ? false : nil
    }

    func verdict(isHigher: Bool) -> Verdict { isHigher == (column.better == .lower) ? .regressed : .improved }

    /// Whether a side's counts are so steady that they need no statistics.
    ///
    /// A count is free of noise only where the threads' timing has no part in it. That is seen from the runs
    /// themselves: at least three, none further than ``steadyTolerance`` from their median.
    func isSteady(_ side: [Double]) -> Bool {
        guard column.isCount, side.count >= 3 else { return false }
        let middle = median(side) ?? 0
        return side.allSatisfy { abs($0 - middle) <= max(Self.steadyTolerance * middle, resolution) }
    }

    /// Whether the counts are free of noise, so that they are compared without statistics.
    ///
    /// A count may be steady as long as the load of the machine is, and another one under another load. Interleaved
    /// sides share the load. Otherwise it takes a calibration, which counts beside a busy machine too, or without one
    /// whole numbers on both sides.
    func isExact(calibratedDrift: Double?, options: ComparisonOptions) -> Bool {
        if options.comparesSteadyCountsOnly { return isSteady(base) && isWhole(base) }
        guard isSteady(base), isSteady(new) else { return false }
        if options.design == .paired { return true }
        return calibratedDrift.map { $0 <= Self.steadyTolerance } ?? (isWhole(base) && isWhole(new))
    }

    /// The verdict on counts whose base is steady: changed if the ranges lie apart and the medians by more than the
    /// margin. A new side that scatters into the base's range leaves doubt.
    func countVerdict(margin: Double) -> Verdict {
        guard let low = base.min(), let high = base.max(), let newLow = new.min(), let newHigh = new.max() else {
            return .inconclusive
        }
        let (old, now) = (median(base) ?? 0, median(new) ?? 0)
        let allowed = max(margin * old, resolution)
        if newLow > high, now - old > allowed { return verdict(isHigher: true) }
        if newHigh < low, old - now > allowed { return verdict(isHigher: false) }
        return isSteady(new) ? .same : .inconclusive
    }
}
