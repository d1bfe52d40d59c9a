/// How far the values of one independent sample lie above those of another.
///
/// J. Hodges and E. Lehmann, "Estimates of Location Based on Rank Tests", Annals of Mathematical Statistics 34, 1963:
/// the median of all differences, and the interval of the shifts that a U test does not reject.
package struct HodgesLehmann {
    private let base: [Double]
    private let new: [Double]
    private let cumulative: (Int) -> Double

    package init?(base: [Double], new: [Double]) {
        guard !base.isEmpty, !new.isEmpty else { return nil }
        self.base = base.sorted()
        self.new = new.sorted()
        cumulative = MannWhitney.cumulative(base, new)
    }

    private var pairs: Int { base.count * new.count }

    package var estimate: Double {
        let upper = difference(rank: pairs / 2 + 1)
        return pairs % 2 == 1 ? upper : (difference(rank: pairs / 2) + upper) / 2
    }

    /// `nil` where the samples are too small for the confidence: 4 and 4 are the fewest for 95 %.
    package func interval(confidence: Double) -> Interval? {
        let tail = (1 - confidence) / 2
        guard cumulative(0) <= tail else { return nil }
        var (rank, beyond) = (1, pairs / 2 + 1)
        while beyond - rank > 1 {
            let middle = (rank + beyond) / 2
            if cumulative(middle - 1) <= tail { rank = middle } else { beyond = middle }
        }
        return Interval(
            lower: difference(rank: rank), upper: difference(rank: pairs + 1 - rank),
            confidence: 1 - 2 * cumulative(rank - 1))
    }

    /// The two-sided p-value that the shift is not beyond `bound`, away from zero; the counterpart of the interval.
    package func pValue(beyond bound: Double) -> Double {
        // A difference that equals the bound counts as not beyond it, which errs towards "inconclusive".
        let within = bound < 0 ? count(below: bound) : pairs - count(atMost: bound)
        return Swift.min(1, 2 * cumulative(pairs - within))
    }

    /// The difference that `rank` − 1 others do not exceed, found without listing the m · n of them.
    ///
    /// Counting those at most `t` takes one pass over both sorted samples; bisecting over the ordered bit patterns of
    /// doubles makes the answer exact.
    private func difference(rank: Int) -> Double {
        var low = Self.ordered(new[0] - base[base.count - 1])
        var high = Self.ordered(new[new.count - 1] - base[0])
        while low < high {
            let middle = low + (high - low) / 2
            if count(atMost: Self.double(middle)) >= rank { high = middle } else { low = middle + 1 }
        }
        return Self.double(low)
    }

    private func count(atMost limit: Double) -> Int { count { $0 <= limit } }

    private func count(below limit: Double) -> Int { count { $0 < limit } }

    private func count(_ isCounted: (Double) -> Bool) -> Int {
        var total = 0
        var first = 0
        for value in new {
            // A larger `new` needs a larger `base` to keep the difference small.
            while first < base.count, !isCounted(value - base[first]) { first += 1 }
            total += base.count - first
        }
        return total
    }

    /// Unsigned integers in the order of the doubles.
    private static func ordered(_ value: Double) -> UInt64 {
        let bits = (value + 0).bitPattern
        return bits >> 63 == 1 ? ~bits : bits | 1 << 63
    }

    private static func double(_ ordered: UInt64) -> Double {
        Double(bitPattern: ordered >> 63 == 1 ? ordered & ~(1 << 63) : ~ordered)
    }
}
