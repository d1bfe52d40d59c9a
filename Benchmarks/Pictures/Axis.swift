import Foundation
import Records

/// A scale: its range, and where it has which tick.
struct Axis {
    var range: ClosedRange<Double>
    var isLogarithmic = false
    var ticks: [(text: String, value: Double)] = []
    var title = ""
    /// Whether lines are drawn through the panel at the ticks.
    var hasGrid = true

    /// How the values of a metric are written.
    enum Format: Sendable {
        case time, count, perOperation, plain

        /// `20 µs`, `1.5M`: short, for a tick.
        func tick(_ value: Double) -> String {
            if value == 0 { return "0" }
            switch self {
            case .time: return Self.trimmed(HumanUnits.time(nanoseconds: value))
            case .count: return Self.trimmed(HumanUnits.count(value))
            case .perOperation, .plain: return Decimal.text((value * 1e6).rounded() / 1e6)
            }
        }

        /// `20.3 µs`: three digits, for a value.
        func value(_ value: Double) -> String {
            switch self {
            case .time: HumanUnits.time(nanoseconds: value)
            case .count: HumanUnits.count(value)
            case .perOperation, .plain: HumanUnits.perOperation(value)
            }
        }

        /// Without the zeros at the end of the fraction.
        private static func trimmed(_ text: String) -> String {
            let digits = text.prefix { $0.isNumber || $0 == "." }
            guard digits.contains(".") else { return text }
            var short = digits
            while short.last == "0" { short.removeLast() }
            if short.last == "." { short.removeLast() }
            return String(short + text.dropFirst(digits.count))
        }
    }

    /// No scale: rows of names.
    static func rows(_ count: Int) -> Axis {
        Axis(range: 0.5...(Double(max(count, 1)) + 0.5), hasGrid: false)
    }

    /// From zero to a little beyond `maximum`, with about `ticks` ticks.
    static func fromZero(to maximum: Double, _ format: Format, ticks: Int, title: String = "") -> Axis {
        let top = maximum.isFinite && maximum > 0 ? maximum : 1
        let step = niceStep(top / Double(ticks))
        let values = (0...Int((top * 1.04 / step).rounded(.down))).map { Double($0) * step }
        return Axis(range: 0...(top * 1.05), ticks: values.map { (format.tick($0), $0) }, title: title)
    }

    /// 1, 2 or 5 times a power of ten, at least `smallest`.
    private static func niceStep(_ smallest: Double) -> Double {
        let power = pow(10, floor(log10(smallest)))
        return ([1, 2, 2.5, 5, 10].first { $0 * power >= smallest * 0.999 } ?? 10) * power
    }

    /// Logarithmic over `values`, which must be above zero; ticks at the powers of ten, or closer in a short range.
    static func logarithmic(_ values: [Double], _ format: Format, title: String = "") -> Axis {
        let (low, high) = (values.min() ?? 1, values.max() ?? 10)
        // A flat series still gets a scale.
        let spread = max(pow(high / low, 0.05), 1.15)
        let range = (low / spread)...(high * spread)
        let decades = log10(range.upperBound / range.lowerBound)
        let factors = Self.tickFactors.first { decades > $0.decades }?.factors ?? [1]
        let powers = Int(floor(log10(range.lowerBound)))...Int(ceil(log10(range.upperBound)))
        var ticks = powers.flatMap { power in factors.map { $0 * pow(10, Double(power)) } }.filter(range.contains)
        if ticks.count < 2 { ticks = [low, high] }
        return Axis(
            range: range, isLogarithmic: true, ticks: ticks.map { (format.tick($0), $0) }, title: title)
    }

    /// Which multiples of a power of ten get a tick, by how many powers the scale covers.
    private static let tickFactors: [(decades: Double, factors: [Double])] = [
        (2.2, [1]), (1.1, [1, 3]), (0.6, [1, 2, 5]), (0.3, [1, 1.5, 2, 3, 5, 7]),
        (0, [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9]),
    ]

    /// Logarithmic, with a tick at each of these values; zero, which has no place, is put at `zeroPlace`.
    static func logarithmic(at values: [Double], zeroAt zeroPlace: Double, title: String) -> Axis {
        let places = values.map { $0 > 0 ? $0 : zeroPlace }
        var axis = logarithmic(places, .plain, title: title)
        axis.ticks = zip(values, places).map { (Format.count.tick($0), $1) }
        return axis
    }
}
