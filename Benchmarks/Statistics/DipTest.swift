/// Whether values cluster around two levels rather than one, as they do when a run falls by chance into one of two
/// states.
///
/// J. and P. Hartigan, "The Dip Test of Unimodality", Annals of Statistics 13, 1985: the dip is the distance between
/// the values' distribution and the nearest one with a single mode; its p-value is taken against the uniform
/// distribution, the hardest unimodal one to tell apart.
package enum DipTest {
    /// The dip statistic; `nil` for fewer than four values.
    static func dip(_ values: [Double]) -> Double? {
        guard values.count >= 4 else { return nil }
        let sorted = values.sorted()
        guard sorted[0] < sorted[sorted.count - 1] else { return 1 / (2 * Double(sorted.count)) }
        return Modal(sorted).dip()
    }

    /// The dips of `simulations` uniform samples of `count` values, ascending: what a single mode gives by chance.
    package static func null(count: Int, simulations: Int = 999, seed: UInt64 = 1) -> [Double] {
        var generator = SplitMix64(seed: seed)
        return (0..<simulations).compactMap { _ in
            dip((0..<count).map { _ in Double(generator.next() >> 11) })
        }.sorted()
    }

    /// The share of the `null` dips that are at least as large as the values'; at least one counts.
    package static func pValue(_ values: [Double], null: [Double]) -> Double? {
        guard let observed = dip(values) else { return nil }
        let larger = null.reversed().prefix { $0 >= observed }.count
        return Double(larger + 1) / Double(null.count + 1)
    }
}

/// The search for the modal interval. Heights are counts: 1 stands for a step of the distribution function.
private struct Modal {
    private let x: [Double]

    init(_ sorted: [Double]) { x = sorted }

    func dip() -> Double {
        var (low, high) = (0, x.count - 1)
        // A step of the distribution function is never nearer than half its height.
        var dip = 1.0
        while true {
            let minorant = hull(from: low, to: high, isConvex: true)
            let majorant = hull(from: low, to: high, isConvex: false)
            let widest = widestGap(minorant, majorant)
            if widest.gap <= dip { break }
            dip = max(dip, excess(minorant, upTo: widest.low, isConvex: true))
            dip = max(dip, excess(majorant, from: widest.high, isConvex: false))
            if widest.low == low && widest.high == high { break }
            (low, high) = (widest.low, widest.high)
        }
        return dip / (2 * Double(x.count))
    }

    /// The points that the greatest convex minorant or the least concave majorant of the distribution touches.
    private func hull(from low: Int, to high: Int, isConvex: Bool) -> [Int] {
        var points: [Int] = []
        for point in low...high {
            while points.count >= 2 {
                let (a, b) = (points[points.count - 2], points[points.count - 1])
                // Compares the slopes a–b and a–point without dividing by distances that may be zero.
                let turn = Double(b - a) * (x[point] - x[a]) - Double(point - a) * (x[b] - x[a])
                guard isConvex ? turn >= 0 : turn <= 0 else { break }
                points.removeLast()
            }
            points.append(point)
        }
        return points
    }

    /// The height at `point` of the chord of `hull` that spans it.
    private func height(_ hull: [Int], at point: Int) -> Double {
        let right = hull.firstIndex { $0 >= point } ?? hull.count - 1
        if right == 0 || hull[right] == point { return Double(hull[right]) }
        let (a, b) = (hull[right - 1], hull[right])
        return Double(a) + (x[point] - x[a]) * Double(b - a) / (x[b] - x[a])
    }

    /// Where the majorant lies highest above the minorant, and the touching points that enclose the place.
    ///
    /// The majorant belongs to the upper ends of the steps, the minorant to the lower ones, hence the added 1.
    private func widestGap(_ minorant: [Int], _ majorant: [Int]) -> (gap: Double, low: Int, high: Int) {
        var widest = (gap: 0.0, low: minorant[0], high: majorant[majorant.count - 1])
        for point in minorant {
            let gap = height(majorant, at: point) - Double(point) + 1
            let high = majorant.first { $0 >= point } ?? point
            if gap > widest.gap { widest = (gap, point, high) }
        }
        for point in majorant {
            let gap = Double(point) - height(minorant, at: point) + 1
            let low = minorant.last { $0 <= point } ?? point
            if gap > widest.gap { widest = (gap, low, point) }
        }
        return widest
    }

    /// How far the distribution leaves the hull outside the modal interval.
    private func excess(_ hull: [Int], upTo limit: Int = .max, from start: Int = .min, isConvex: Bool) -> Double {
        var largest = 1.0
        for (a, b) in zip(hull, hull.dropFirst()) where a >= start && b <= limit && b - a > 1 {
            let slope = Double(b - a) / (x[b] - x[a])
            guard slope.isFinite else { continue }
            for point in a...b {
                let above = Double(point - a) - (x[point] - x[a]) * slope
                largest = max(largest, (isConvex ? above : -above) + 1)
            }
        }
        return largest
    }
}
