/// Numbers as people read them in a table: three significant digits and a short unit. The CSV keeps the exact ones.
package enum HumanUnits {
    /// `850 ns`, `12.3 µs`, `1.20 ms`, `2.05 s`.
    package static func time(nanoseconds: Double) -> String {
        scaled(nanoseconds, [(1, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s")])
    }

    /// `950`, `9.87k`, `118k`, `1.20M`.
    package static func count(_ value: Double) -> String {
        scaled(value, [(1, ""), (1e3, "k"), (1e6, "M"), (1e9, "G")])
    }

    /// `0`, `0.004`, `1.02`, `12.3`, `118`: a ratio or a count per operation.
    package static func perOperation(_ value: Double) -> String {
        if value == 0 { return "0" }
        if value < 0.001 { return "<0.001" }
        return value < 0.1 ? Decimal.fixed(value, digits: 3) : threeDigits(value)
    }

    /// `97 %`
    package static func percent(_ share: Double) -> String { Decimal.fixed(100 * share, digits: 0) + " %" }

    /// A value of the column called `name`, in its unit.
    package static func of(_ value: Double, column name: String) -> String {
        switch Column.named(name)?.unit {
        case "ns", "ns/op": time(nanoseconds: value)
        case "1/s": count(value)
        default: perOperation(value)
        }
    }

    private static func scaled(_ value: Double, _ units: [(size: Double, name: String)]) -> String {
        // A value that rounds up to 1000 belongs to the next unit.
        let unit = units.last { value >= $0.size * 0.9995 } ?? units[0]
        return threeDigits(value / unit.size, whole: unit.size == 1) + unit.name
    }

    private static func threeDigits(_ value: Double, whole: Bool = false) -> String {
        if whole && value == value.rounded() { return Decimal.fixed(value, digits: 0) }
        return Decimal.fixed(value, digits: value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)
    }
}
