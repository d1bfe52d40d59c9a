/// What Wilcoxon's signed ranks say of the centre of paired differences, whose distribution is symmetric and otherwise
/// unknown.
///
/// F. Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1, 1945; for the bound, J. Hodges and
/// E. Lehmann, "Estimates of Location Based on Rank Tests", Annals of Mathematical Statistics 34, 1963.
package struct SignedRank: Sendable {
    private let count: Int
    /// P(W ≤ w) for each sum of ranks w, by n(n+1)/2 + 1 places.
    private let cumulative: [Double]

    /// The distribution of the sum of positive ranks of `count` differences.
    package init(count: Int) {
        self.count = count
        let most = count * (count + 1) / 2
        var chance = [1.0] + Array(repeating: 0, count: most)
        for rank in stride(from: 1, through: count, by: 1) {
            for sum in stride(from: rank * (rank + 1) / 2, through: 0, by: -1) {
                chance[sum] = (chance[sum] + (sum >= rank ? chance[sum - rank] : 0)) / 2
            }
        }
        var total = 0.0
        cumulative = chance.map { place in
            total += place
            return min(1, total)
        }
    }

    /// The one-sided p-value that the centre of `differences` is not below `bound`.
    package func pValue(_ differences: [Double], below bound: Double) -> Double {
        precondition(differences.count == count)
        let shifted = differences.map { $0 - bound }
        let order = shifted.indices.sorted { abs(shifted[$0]) < abs(shifted[$1]) }
        // Twice the sum, which is whole where ranks are shared. A difference of zero counts as above the bound.
        var twice = 0
        var first = 0
        while first < count {
            var end = first + 1
            while end < count, abs(shifted[order[end]]) == abs(shifted[order[first]]) { end += 1 }
            twice += order[first..<end].count { shifted[$0] >= 0 } * (first + 1 + end)
            first = end
        }
        return cumulative[(twice + 1) / 2]
    }

    /// The median of the means of all pairs, each difference with itself included.
    package static func estimate(_ differences: [Double]) -> Double? { median(walshAverages(differences)) }

    /// A bound that the centre exceeds with a probability of `error` at the most; infinite of too few differences.
    package func upperBound(_ differences: [Double], error: Double) -> Double {
        precondition(differences.count == count)
        guard let last = cumulative.lastIndex(where: { $0 <= error }) else { return .infinity }
        let averages = Self.walshAverages(differences).sorted()
        return averages[max(averages.count - 1 - last, 0)]
    }

    private static func walshAverages(_ values: [Double]) -> [Double] {
        values.indices.flatMap { first in values[first...].map { ($0 + values[first]) / 2 } }
    }
}
