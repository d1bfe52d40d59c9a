import Foundation

/// The two-sided p-value that values in the order of time have no monotone trend: small where a machine drifts.
///
/// H. Mann, "Nonparametric Tests Against Trend", Econometrica 13, 1945, with Kendall's correction for ties and the
/// normal distribution. `nil` for fewer than 8 values, where that does not hold, and where all are equal.
package func trendPValue(_ values: [Double]) -> Double? {
    let n = Double(values.count)
    guard values.count >= 8 else { return nil }
    var concordance = 0
    for later in values.indices {
        for earlier in 0..<later where values[earlier] != values[later] {
            concordance += values[earlier] < values[later] ? 1 : -1
        }
    }
    let ties = Dictionary(grouping: values, by: { $0 }).values.reduce(0.0) { sum, group in
        let t = Double(group.count)
        return sum + t * (t - 1) * (2 * t + 5)
    }
    let variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    guard variance > 0 else { return nil }
    return erfc(abs(Double(concordance)) / variance.squareRoot() / 2.0.squareRoot())
}
