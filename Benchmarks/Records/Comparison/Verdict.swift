/// What the runs say about a change.
public enum Verdict: String, Sendable, Codable, CaseIterable {
    /// The interval, or every run of runs measured apart, lies wholly beyond the margin, on the worse side.
    case regressed
    /// The same on the better side.
    case improved
    /// The interval lies wholly inside the margin.
    case same
    /// None of these: more blocks are needed.
    case inconclusive
}

/// One metric of one arm, compared.
public struct MetricComparison: Sendable {
    /// How the verdict was reached.
    public enum Method: String, Sendable {
        /// Exact interval of the median of per-block ratios.
        case pairedMedian
        /// Hodges–Lehmann estimate with a U-test interval.
        case hodgesLehmann
        /// Both sides' counts hardly vary, or lie clearly apart, so they are compared as they are.
        case exactCount
    }

    /// What was run.
    public var arm: Arm
    /// The metric's column name.
    public var metric: String
    /// Whether it decides the overall verdict.
    public var isGating: Bool
    /// Whether a clear change of it counts in the overall verdict: of a gating metric always.
    public var counts: Bool
    /// Median of the base runs.
    public var base: Double
    /// Median of the new runs.
    public var new: Double
    /// Estimate of new ÷ base.
    public var ratio: Double
    /// Interval of the ratio; `nil` for too few runs or an exact count.
    public var interval: Interval?
    /// The change that is still "same", as a share: the larger of the minimum effect and the noise floor.
    public var margin: Double
    /// The probability of at least this much evidence beyond the margin from identical code, adjusted for the number
    /// of gating metrics; `nil` for an exact count.
    public var adjustedP: Double?
    /// What it amounts to.
    public var verdict: Verdict
    /// Blocks (paired) or runs of the smaller side (unpaired).
    public var blocks: Int
    /// Blocks that would probably decide an inconclusive one; `nil` if it is decided, or if more than 200
    /// would be needed.
    public var blocksNeeded: Int?
    /// How the verdict was reached.
    public var method: Method
    /// Why nothing was decided, where that is not for want of runs.
    public var doubt: String?

    /// Worse as seen alone, and not beyond doubt among so many metrics.
    var isSuspect: Bool {
        guard verdict == .inconclusive, doubt == nil, let interval, let column = Column.named(metric) else {
            return false
        }
        return column.better == .lower ? interval.lower > 1 + margin : interval.upper < 1 / (1 + margin)
    }
}
