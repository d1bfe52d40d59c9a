/// P-values adjusted so that, of all statements with an adjusted p ≤ α, any is wrong with probability at most α.
///
/// S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979.
func holmAdjusted(_ pValues: [Double]) -> [Double] {
    let ascending = pValues.indices.sorted { pValues[$0] < pValues[$1] }
    var adjusted = pValues
    var largest = 0.0
    for (place, index) in ascending.enumerated() {
        largest = max(largest, Swift.min(1, Double(pValues.count - place) * pValues[index]))
        adjusted[index] = largest
    }
    return adjusted
}
