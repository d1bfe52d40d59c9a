/// Jain's fairness index of what each worker got: (Σx)² / (n · Σx²).
///
/// 1 when all got the same, 1/n when one got everything, `nil` when there is nothing to divide. After R. Jain, D. Chiu
/// and W. Hawe, "A Quantitative Measure of Fairness and Discrimination", DEC-TR-301, 1984.
package func jainIndex(_ shares: [UInt64]) -> Double? {
    // Scaled by the largest, so that the squares of large counts keep their precision.
    guard let largest = shares.max(), largest > 0 else { return nil }
    let scaled = shares.map { Double($0) / Double(largest) }
    let sum = scaled.reduce(0, +)
    let squares = scaled.reduce(0) { $0 + $1 * $1 }
    return Swift.min(1, sum * sum / (Double(shares.count) * squares))
}
