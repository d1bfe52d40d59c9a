/// Why a field's text is not a value of its column; completes the sentence "column … ".
package struct FieldProblem: Error {
    package var message: String
}

/// A type that a column can hold: how it is written to a CSV field and strictly read back.
package protocol CSVField: Sendable {
    var csvText: String { get }
    /// The value as a number, for columns that can be compared.
    var number: Double? { get }
    /// Reads `text`; `range` bounds numbers.
    static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Self
}

extension CSVField {
    package var number: Double? { nil }
}

extension String: CSVField {
    package var csvText: String { self }

    package static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> String { text }
}

extension Double: CSVField {
    package var csvText: String { Decimal.text(self) }
    package var number: Double? { isFinite ? self : nil }

    package static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Double {
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
    package var csvText: String { String(self) }
    package var number: Double? { Double(self) }

    package static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Self {
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
    package var csvText: String { self?.csvText ?? "" }
    package var number: Double? { self?.number }

    package static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Wrapped? {
        text.isEmpty ? nil : try Wrapped.parse(text, in: range)
    }
}

/// One number per worker, separated by `;`.
extension Array: CSVField where Element: CSVField {
    package var csvText: String { map(\.csvText).joined(separator: ";") }

    package static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> [Element] {
        if text.isEmpty { return [] }
        var values: [Element] = []
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            values.append(try Element.parse(String(part), in: range))
        }
        return values
    }
}

extension CSVField where Self: RawRepresentable & CaseIterable, RawValue == String {
    package var csvText: String { rawValue }

    package static func parse(_ text: String, in range: ClosedRange<Double>) throws(FieldProblem) -> Self {
        guard let value = Self(rawValue: text) else {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            throw FieldProblem(message: "is not one of \(known)")
        }
        return value
    }
}

extension Status: CSVField {}
extension LatencyKind: CSVField {}
