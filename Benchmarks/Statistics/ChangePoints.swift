/// Where a series of measurements changes its distribution.
///
/// E-divisive: D. Matteson and N. James, "A Nonparametric Approach for Multiple Change Point Analysis of Multivariate
/// Data", JASA 109, 2014, with exponent 1. A segment is split where the energy distance between both sides is largest,
/// if a permutation test of that segment finds it significant, and each side is then looked at by itself.
package struct ChangePoints: Sendable {
    /// Probability of splitting a segment that has no change.
    package var significance = 0.01
    /// Permutations per segment; their number bounds the smallest p-value.
    package var permutations = 499
    /// Fewest values on either side of a change.
    var shortestSegment = 3
    package var seed: UInt64 = 1

    package init() {}

    /// The indices at which a new level begins, ascending.
    package func find(in values: [Double]) -> [Int] {
        var generator = SplitMix64(seed: seed)
        return find(in: values[...], &generator)
    }

    private func find(in segment: ArraySlice<Double>, _ generator: inout SplitMix64) -> [Int] {
        guard let best = bestSplit(Array(segment)), isSignificant(best.statistic, Array(segment), &generator) else {
            return []
        }
        let split = segment.startIndex + best.index
        return find(in: segment[..<split], &generator) + [split] + find(in: segment[split...], &generator)
    }

    private func isSignificant(_ observed: Double, _ values: [Double], _ generator: inout SplitMix64) -> Bool {
        var allowed = Int(significance * Double(permutations + 1)) - 1
        for _ in 0..<permutations {
            let shuffled = values.seededShuffle(using: &generator)
            guard let best = bestSplit(shuffled), best.statistic >= observed else { continue }
            if allowed == 0 { return false }
            allowed -= 1
        }
        return allowed >= 0
    }

    /// The split with the largest Q = mn/(m+n) · (2·mean|a−b| − mean|a−a'| − mean|b−b'|).
    func bestSplit(_ values: [Double]) -> (index: Int, statistic: Double)? {
        let count = values.count
        let shortest = max(2, shortestSegment)
        guard count >= 2 * shortest else { return nil }
        // Sums of distances within the left part, across, and within the right part, kept while a value moves over.
        var (left, across, right) = (0.0, 0.0, 0.0)
        for i in 0..<count { for j in 0..<i { right += abs(values[i] - values[j]) } }
        var best: (index: Int, statistic: Double)?
        for moved in 0..<(count - shortest) {
            let value = values[moved]
            let toLeft = values[..<moved].reduce(0) { $0 + abs($1 - value) }
            let toRight = values[(moved + 1)...].reduce(0) { $0 + abs($1 - value) }
            left += toLeft
            across += toRight - toLeft
            right -= toRight
            guard moved + 1 >= shortest else { continue }
            let (m, n) = (Double(moved + 1), Double(count - moved - 1))
            let energy = 2 * across / (m * n) - 2 * left / (m * (m - 1)) - 2 * right / (n * (n - 1))
            let statistic = m * n / (m + n) * energy
            if statistic > best?.statistic ?? 0 { best = (moved + 1, statistic) }
        }
        return best
    }
}
