import Foundation

/// The Mann–Whitney U statistic of two independent samples.
///
/// H. Mann and D. Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the
/// Other", Annals of Mathematical Statistics 18, 1947.
package enum MannWhitney {
    /// Beyond this product of the samples' sizes the normal distribution is as good as the exact one, which grows with
    /// its square.
    static let largestExact = 900

    /// P(U ≤ u) for u = 0, 1, … m·n where both samples come from one continuous distribution.
    package static func exactCumulative(_ m: Int, _ n: Int) -> [Double] {
        // Rows for i of the first sample, each for j = 0...n of the second; the largest observation belongs to the
        // first with probability i / (i + j) and then exceeds all j.
        var row = Array(repeating: [1.0], count: n + 1)
        for i in stride(from: 1, through: m, by: 1) {
            var next: [[Double]] = [[1.0]]
            for j in stride(from: 1, through: n, by: 1) {
                var chances = Array(repeating: 0.0, count: i * j + 1)
                let first = Double(i) / Double(i + j)
                for (u, chance) in row[j].enumerated() { chances[u + j] += first * chance }
                for (u, chance) in next[j - 1].enumerated() { chances[u] += (1 - first) * chance }
                next.append(chances)
            }
            row = next
        }
        var sum = 0.0
        return row[n].map { chance in
            sum += chance
            return Swift.min(1, sum)
        }
    }

    /// The standard deviation of U, corrected for ties.
    static func standardDeviation(_ x: [Double], _ y: [Double]) -> Double {
        let (m, n, all) = (Double(x.count), Double(y.count), Double(x.count + y.count))
        guard all > 1 else { return 0 }
        let ties = Dictionary(grouping: x + y, by: { $0 }).values.reduce(0.0) { sum, group in
            let t = Double(group.count)
            return sum + t * t * t - t
        }
        return (m * n / 12 * (all + 1 - ties / (all * (all - 1)))).squareRoot()
    }

    /// P(U ≤ u) for these samples: exact where they are small, else normal with corrections for ties and continuity.
    static func cumulative(_ x: [Double], _ y: [Double]) -> (Int) -> Double {
        let pairs = x.count * y.count
        if pairs <= largestExact {
            let exact = exactCumulative(x.count, y.count)
            return { u in u < 0 ? 0 : exact[Swift.min(u, pairs)] }
        }
        let deviation = standardDeviation(x, y)
        let mean = Double(pairs) / 2
        return { u in
            if u < 0 { return 0 }
            if u >= pairs { return 1 }
            return deviation > 0 ? normalCumulative((Double(u) + 0.5 - mean) / deviation) : 1
        }
    }
}

/// P(Z ≤ z) of the standard normal distribution.
func normalCumulative(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }
