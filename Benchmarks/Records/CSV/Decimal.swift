/// Numbers as text that reads the same everywhere: a point, no exponent, no locale.
package enum Decimal {
    /// The shortest digits that read back as the same value, never in exponent form; empty for NaN and infinities.
    package static func text(_ value: Double) -> String {
        guard value.isFinite else { return "" }
        let shortest = value.description
        guard let e = shortest.firstIndex(of: "e") else {
            return shortest.hasSuffix(".0") ? String(shortest.dropLast(2)) : shortest
        }
        let exponent = Int(shortest[shortest.index(after: e)...]) ?? 0
        return plain(mantissa: shortest[..<e], exponent: exponent)
    }

    /// Whether text is a decimal number as CSV and JSON have them: digits around at most one point, and an exponent
    /// if need be.
    package static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func digits() -> Bool {
            let count = rest.prefix { (48...57).contains($0) }.count
            rest = rest.dropFirst(count)
            return count > 0
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        guard digits() else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() else { return false }
        }
        guard let exponent = rest.first else { return true }
        guard exponent == UInt8(ascii: "e") || exponent == UInt8(ascii: "E") else { return false }
        rest = rest.dropFirst()
        if let sign = rest.first, "+-".utf8.contains(sign) { rest = rest.dropFirst() }
        return digits() && rest.isEmpty
    }

    /// Moves the point of `mantissa` (`-1.25`) by `exponent` places.
    private static func plain(mantissa: Substring, exponent: Int) -> String {
        let sign = mantissa.hasPrefix("-") ? "-" : ""
        let parts = mantissa.drop { $0 == "-" }.split(separator: ".")
        let fraction = parts.count > 1 && parts[1] != "0" ? String(parts[1]) : ""
        let digits = String(parts[0]) + fraction
        let point = parts[0].count + exponent
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if point >= digits.count { return sign + digits + String(repeating: "0", count: point - digits.count) }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }

    /// `value` rounded to `digits` places, as C's `%.3f` prints it.
    package static func fixed(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        // Beyond this a double has no fraction.
        guard scaled < 0x1p53 else { return text(value) }
        let number = String(UInt64(scaled))
        let padded = String(repeating: "0", count: max(0, digits + 1 - number.count)) + number
        let sign = value < 0 && scaled > 0 ? "-" : ""
        return sign + padded.dropLast(digits) + (digits > 0 ? "." : "") + padded.suffix(digits)
    }
}
