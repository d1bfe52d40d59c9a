/// Why a field's text is not a value of its column; completes the sentence "column … ".
struct FieldProblem: Error {
    var message: String
}

/// A type that a column can hold: how it is written to a CSV field and strictly read back.
protocol CSVField: Sendable {
    /// The field's text, before quoting.
    var csvText: String { get }
    /// The value as a number, for columns that can be compared.
    var number: Double? { get }
    /// Reads `text`; `range` bounds numbers.
    static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Self
}

extension CSVField {
    var number: Double? { nil }
}

extension String: CSVField {
    var csvText: String { self }

    static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> String { text }
}

extension Double: CSVField {
    var csvText: String { Decimal.text(self) }
    var number: Double? { isFinite ? self : nil }

    static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Double {
        // The form is checked first because `Double(_:)` also takes hexadecimal, "inf", "nan" and a plus in front.
        guard Decimal.isNumber(text), let value = Double(text) else { throw FieldProblem(message: "is not a number") }
        guard range.contains(value) else { throw .outOfRange(range) }
        return value
    }
}

extension FieldProblem {
    static func outOfRange(_ range: ClosedRange<Double>) -> FieldProblem {
        let upper = range.upperBound == .greatestFiniteMagnitude ? "what a double holds" : range.upperBound.csvText
        return FieldProblem(message: "is out of range, which is \(range.lowerBound.csvText) to \(upper)")
    }
}

extension FixedWidthInteger where Self: CSVField {
    var csvText: String { String(self) }
    var number: Double? { Double(self) }

    static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Self {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }) else {
            throw FieldProblem(message: "is not a whole number")
        }
        guard let value = Self(text), range.contains(Double(value)) else {
            throw FieldProblem(message: "is out of range, which is \(range.lowerBound.csvText) to \(Self.max)")
        }
        return value
    }
}

extension Int: CSVField {}
extension UInt64: CSVField {}

extension Optional: CSVField where Wrapped: CSVField {
    var csvText: String { self?.csvText ?? "" }
    var number: Double? { self?.number }

    static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Wrapped? {
        text.isEmpty ? nil : try Wrapped.parse(text, in: range)
    }
}

/// One number per worker, separated by `;`.
extension Array: CSVField where Element: CSVField {
    var csvText: String { map(\.csvText).joined(separator: ";") }

    static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> [Element] {
        if text.isEmpty { return [] }
        var values: [Element] = []
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            values.append(try Element.parse(String(part), in: range))
        }
        return values
    }
}

extension CSVField where Self: RawRepresentable & CaseIterable, RawValue == String {
    var csvText: String { rawValue }

    static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Self {
        guard let value = Self(rawValue: text) else {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            throw FieldProblem(message: "is not one of \(known)")
        }
        return value
    }
}

extension Status: CSVField {}
extension LatencyKind: CSVField {}
