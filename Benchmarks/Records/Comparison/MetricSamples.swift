import Foundation

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

    /// ln(new ÷ base) per block.
    var logRatios: [Double] { zip(base, new).map { logarithm($1) - logarithm($0) } }

    /// Whether the counts are so steady on both sides that they need no statistics.
    ///
    /// A count is free of noise only where the threads' timing has no part in it. That is seen from the runs
    /// themselves: at least three on each side, none further than `tolerance` from its median.
    func isSteadyCount(tolerance: Double) -> Bool {
        isSteady(base, tolerance) && isSteady(new, tolerance)
    }

    /// The same of the base alone.
    func isSteadyBase(tolerance: Double) -> Bool { isSteady(base, tolerance) }

    private func isSteady(_ side: [Double], _ tolerance: Double) -> Bool {
        guard column.isCount, side.count >= 3 else { return false }
        let middle = median(side) ?? 0
        return side.allSatisfy { abs($0 - middle) <= max(tolerance * middle, resolution) }
    }

    /// The verdict on steady counts: changed if both ranges, or where `byMedian` both medians, lie apart by more than
    /// the margin.
    func countVerdict(margin: Double, byMedian: Bool = false) -> Verdict {
        guard let low = base.min(), let high = base.max(), let newLow = new.min(), let newHigh = new.max() else {
            return .inconclusive
        }
        let (old, now) = (median(base) ?? 0, median(new) ?? 0)
        let allowed = max(margin * old, resolution)
        if byMedian || newLow > high, now - old > allowed { return column.better == .lower ? .regressed : .improved }
        if byMedian || newHigh < low, old - now > allowed { return column.better == .lower ? .improved : .regressed }
        return .same
    }
}
