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

/// The same index of the shares that are a hundredth of the whole or more, for those who are not known beforehand: threads
/// that only help do not count.
///
/// Of one alone it says nothing, who may be meant to be alone or the only one of many that got anything.
///
/// - Parameter least: so many there are meant to be; who is missing got nothing.
/// - Returns: nil where one did everything, if no more are known to be meant.
package func jainIndex(ofBusy shares: [UInt64], atLeast least: Int) -> Double? {
    let whole = shares.reduce(0) { $0 + Double($1) }
    let busy = shares.filter { Double($0) >= 0.01 * whole }
    guard max(busy.count, least) > 1 else { return nil }
    return jainIndex(busy + Array(repeating: 0, count: max(least - busy.count, 0)))
}
