import Foundation
import Records

/// A scale: its range, and where it has which tick.
struct Axis {
    var range: ClosedRange<Double>
    var isLogarithmic = false
    var ticks: [(text: String, value: Double)] = []
    var title = ""
    var hasGrid = true

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

    /// From zero to the first of about `ticks` ticks that nothing exceeds.
    static func fromZero(to maximum: Double, _ format: Format, ticks: Int, title: String = "") -> Axis {
        let top = maximum.isFinite && maximum > 0 ? maximum : 1
        let step = niceStep(top / Double(ticks))
        let values = (0...Int((top / step - 1e-9).rounded(.up))).map { Double($0) * step }
        // Half of a mark on the last tick lies beyond it.
        return Axis(
            range: 0...((values.last ?? top) * 1.015), ticks: values.map { (format.tick($0), $0) }, title: title)
    }

    /// 1, 2 or 5 times a power of ten, at least `smallest`.
    private static func niceStep(_ smallest: Double) -> Double {
        let power = pow(10, floor(log10(smallest)))
        return ([1, 2, 2.5, 5, 10].first { $0 * power >= smallest * 0.999 } ?? 10) * power
    }

    /// Logarithmic over `values`, which must be above zero, from a tick to a tick.
    static func logarithmic(_ values: [Double], _ format: Format, title: String = "", mostTicks: Int = 7) -> Axis {
        let (low, high) = (values.min() ?? 1, values.max() ?? 10)
        let places =
            high / low < 1.5
            ? linearTicks(low, high, mostTicks) : logarithmicTicks(low, high, mostTicks)
        let (first, last) = (places.first ?? low, places.last ?? high)
        let pad = pow(last / first, 0.015)
        return Axis(
            range: (first / pad)...(last * pad), isLogarithmic: true, ticks: places.map { (format.tick($0), $0) },
            title: title)
    }

    /// Over `values` from zero where one of them is zero, which a logarithmic scale has no place for.
    static func fitting(_ values: [Double], _ format: Format, title: String = "") -> Axis {
        if values.allSatisfy({ $0 > 0 }) { return logarithmic(values, format, title: title) }
        return fromZero(to: values.max() ?? 0, format, ticks: 4, title: title)
    }

    /// In equal steps: within a short range a logarithmic scale is nearly linear. A flat series still gets a scale.
    private static func linearTicks(_ low: Double, _ high: Double, _ most: Int) -> [Double] {
        let (low, high) = high / low < 1.02 ? (low * 0.97, high * 1.03) : (low, high)
        let step = niceStep((high - low) / Double(max(most - 2, 1)))
        let (first, last) = ((low / step + 1e-9).rounded(.down), (high / step - 1e-9).rounded(.up))
        return stride(from: max(first, 1), through: last, by: 1).map { $0 * step }
    }

    /// At multiples of powers of ten, as many as there may be.
    private static func logarithmicTicks(_ low: Double, _ high: Double, _ most: Int) -> [Double] {
        let powers = Int(floor(log10(low)))...Int(ceil(log10(high)))
        for factors in [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]] {
            let all = powers.flatMap { power in factors.map { $0 * pow(10, Double(power)) } }
            let first = all.last { $0 <= low * (1 + 1e-9) } ?? low
            let last = all.first { $0 >= high * (1 - 1e-9) } ?? high
            let ticks = all.filter { (first...last).contains($0) }
            if ticks.count <= most { return ticks }
        }
        let step = (powers.count + most - 2) / max(most - 1, 1)
        let last = powers.lowerBound + (powers.count + step - 2) / step * step
        return stride(from: powers.lowerBound, through: last, by: step).map { pow(10, Double($0)) }
    }

    /// Logarithmic, with a tick at each of these values, as far as there is room for its text; zero, which has no place,
    /// is put at `zeroPlace`.
    static func logarithmic(at values: [Double], zeroAt zeroPlace: Double, title: String) -> Axis {
        let places = values.map { $0 > 0 ? $0 : zeroPlace }
        let (low, high) = (places.min() ?? 1, places.max() ?? 10)
        let pad = max(pow(high / low, 0.05), 1.15)
        var axis = Axis(range: (low / pad)...(high * pad), isLogarithmic: true, title: title)
        for (value, place) in zip(values, places).reversed() {
            let next = axis.ticks.first.map { axis.share(of: $0.value) } ?? 2
            // The first and the last one always stay.
            if next - axis.share(of: place) < 0.09 && place > low { continue }
            axis.ticks.insert((Format.count.tick(value), place), at: 0)
        }
        if axis.ticks.count > 2, axis.share(of: axis.ticks[1].value) - axis.share(of: low) < 0.09 {
            axis.ticks.remove(at: 1)
        }
        return axis
    }
}
