package import Records
package import Statistics

package enum Verdict: String, Sendable, Codable, CaseIterable {
    /// The interval, or every run of runs measured apart, lies wholly beyond the margin, on the worse side.
    case regressed
    case improved
    case same
    case inconclusive
}

package struct MetricComparison: Sendable {
    package enum Method: String, Sendable {
        case pairedMedian
        case hodgesLehmann
        /// Both sides' counts hardly vary, or lie clearly apart, so they are compared as they are.
        case exactCount
    }

    package var arm: Arm
    package var metric: String
    package var isGating: Bool
    package var counts: Bool
    package var base: Double
    package var new: Double
    package var ratio: Double
    /// Interval of the ratio; `nil` for too few runs or an exact count.
    package var interval: Interval?
    /// The change that is still "same", as a share: the larger of the minimum effect and the noise floor.
    package var margin: Double
    /// The probability of at least this much evidence beyond the margin from identical code, adjusted for the number
    /// of gating metrics; `nil` for an exact count.
    package var adjustedP: Double?
    package var verdict: Verdict
    package var blocks: Int
    /// Blocks that would probably decide an inconclusive one; `nil` if it is decided, or if more than 200
    /// would be needed.
    package var blocksNeeded: Int?
    package var method: Method
    /// Why nothing was decided, where that is not for want of runs.
    package var doubt: String?

    /// Worse as seen alone, and not beyond doubt among so many metrics.
    var isSuspect: Bool {
        guard verdict == .inconclusive, doubt == nil, let interval, let column = Column.named(metric) else {
            return false
        }
        return column.better == .lower ? interval.lower > 1 + margin : interval.upper < 1 / (1 + margin)
    }
}
