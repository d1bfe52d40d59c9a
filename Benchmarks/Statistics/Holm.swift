/// P-values adjusted so that, of all statements with an adjusted p ≤ α, any is wrong with probability at most α.
///
/// S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979, with
/// the weights of its section 4.
///
/// - Parameter weights: each statement's share in α, relative to the others; equal shares if `nil`.
package func holmAdjusted(_ pValues: [Double], weights: [Double]? = nil) -> [Double] {
    let weights = weights ?? Array(repeating: 1, count: pValues.count)
    let ascending = pValues.indices.sorted { pValues[$0] / weights[$0] < pValues[$1] / weights[$1] }
    var adjusted = pValues
    var largest = 0.0
    for (place, index) in ascending.enumerated() {
        let remaining = ascending[place...].reduce(0) { $0 + weights[$1] }
        largest = max(largest, Swift.min(1, remaining / weights[index] * pValues[index]))
        adjusted[index] = largest
    }
    return adjusted
}
