import Foundation

/// The binomial distribution with probability one half: all that statements about a median need to know.
enum FairCoin {
    /// P(X ≤ `successes`) of `trials`.
    static func cumulative(_ successes: Int, of trials: Int) -> Double {
        if successes < 0 { return 0 }
        if successes >= trials { return 1 }
        // In logarithms, since 2^-n leaves the range of a double at 1075 trials.
        var logarithm = -Double(trials) * log(2.0)
        var sum = exp(logarithm)
        for k in stride(from: 1, through: successes, by: 1) {
            logarithm += log(Double(trials - k + 1) / Double(k))
            sum += exp(logarithm)
        }
        return Swift.min(1, sum)
    }
}

/// The interval for the median between two of the values themselves; it assumes nothing of their distribution.
///
/// Of 6 values at 95 % it lies between the 1st and the 6th (96.9 %), of 10 between the 2nd and the 9th (97.9 %), of 20
/// between the 6th and the 15th (95.9 %). `nil` where there are too few: fewer than 6 cannot give 95 %.
/// After H. David and H. Nagaraja, "Order Statistics", 3rd edition, section 7.1.
package func medianInterval(_ values: [Double], confidence: Double = 0.95) -> Interval? {
    let sorted = values.sorted()
    guard let rank = medianIntervalRank(count: sorted.count, confidence: confidence) else { return nil }
    return Interval(
        lower: sorted[rank - 1], upper: sorted[sorted.count - rank],
        confidence: 1 - 2 * FairCoin.cumulative(rank - 1, of: sorted.count))
}

/// Which value from either end bounds the interval, from 1.
func medianIntervalRank(count: Int, confidence: Double) -> Int? {
    let tail = (1 - confidence) / 2
    var rank = 0
    while rank < (count + 1) / 2, FairCoin.cumulative(rank, of: count) <= tail { rank += 1 }
    return rank > 0 ? rank : nil
}

/// The two-sided p-value of the sign test that the median does not lie beyond `bound`, away from zero.
///
/// It is the counterpart of ``medianInterval(_:confidence:)``: p ≤ α exactly where the interval at 1 − α lies wholly
/// beyond the bound. Values that equal the bound count as not beyond it.
package func signTest(_ values: [Double], beyond bound: Double) -> Double {
    let beyond = values.count { bound < 0 ? $0 < bound : $0 > bound }
    return Swift.min(1, 2 * FairCoin.cumulative(values.count - beyond, of: values.count))
}
