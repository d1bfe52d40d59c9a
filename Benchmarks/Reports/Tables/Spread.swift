import Records
import Statistics

enum Spread {
    /// The distance of the farthest value from the median, as a share of it: `±12%`; empty for fewer than two values.
    /// Where the median is nothing, the largest value: `≤0.30`.
    static func text(_ values: [Double], format: (Double) -> String) -> String {
        guard values.count > 1, let middle = median(values), let low = values.min(), let high = values.max() else {
            return ""
        }
        if low == high { return "±0%" }
        guard middle > 0 else { return "≤" + format(high) }
        let share = max(high - middle, middle - low) / middle
        if share < 0.01 { return "±<1%" }
        return share < 9.995 ? "±\(Decimal.fixed(100 * share, digits: 0))%" : "±>999%"
    }
}
