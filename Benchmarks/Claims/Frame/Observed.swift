/// What an experiment saw: values by name, in the order in which they are printed.
package struct Observed: Sendable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
    private var pairs: [(key: String, value: Datum)] = []
    /// How it came about, for the reader; no verdict depends on it.
    package var detail: String

    package init(detail: String = "") { self.detail = detail }

    package init(dictionaryLiteral elements: (String, any ObservedValue)...) {
        detail = ""
        for (key, value) in elements { self[key] = value.observed }
    }

    package var keys: [String] { pairs.map(\.key) }

    /// A value; ``Datum/absent`` if it was not observed. Setting one that is there keeps its place.
    package subscript(key: String) -> Datum {
        get { pairs.first { $0.key == key }?.value ?? .absent }
        set {
            let index = pairs.firstIndex { $0.key == key } ?? pairs.endIndex
            let new = newValue == .absent ? [] : [(key: key, value: newValue)]
            pairs.replaceSubrange(index..<min(index + 1, pairs.endIndex), with: new)
        }
    }

    /// `key=value;key=value`
    package var description: String { pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ";") }

    /// One value. Text holds neither `;` nor `=`.
    package enum Datum: Sendable, Equatable {
        case absent
        /// A whole number; a boolean counts as 1 or 0. An eventfd counts beyond `Int`.
        case integer(Int128)
        case decimal(Double)
        case word(String)
        case list([Datum], separator: String)

        /// The number; NaN, which compares as false, if it is none.
        package var number: Double {
            switch self {
            case .integer(let value): Double(value)
            case .decimal(let value): value
            case .absent, .word, .list: .nan
            }
        }

        package var elements: [Datum] { if case .list(let values, _) = self { values } else { [] } }

        static func list(_ values: [some ObservedValue], _ separator: String) -> Datum {
            .list(values.map(\.observed), separator: separator)
        }
    }
}

extension Observed.Datum: CustomStringConvertible {
    package var description: String {
        switch self {
        case .absent: ""
        case .integer(let value): "\(value)"
        case .decimal(let value): "\(value)"
        case .word(let text): text
        case .list(let values, let separator): values.map(\.description).joined(separator: separator)
        }
    }
}

extension Observed.Datum: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    package init(integerLiteral value: Int) { self = value.observed }
    package init(stringLiteral value: String) { self = value.observed }
    package init(booleanLiteral value: Bool) { self = value.observed }
}

package protocol ObservedValue: Sendable {
    var observed: Observed.Datum { get }
}

extension ObservedValue where Self: BinaryInteger {
    package var observed: Observed.Datum { .integer(Int128(self)) }
}

extension Int: ObservedValue {}
extension CInt: ObservedValue {}
extension UInt32: ObservedValue {}
extension UInt64: ObservedValue {}
extension Double: ObservedValue { package var observed: Observed.Datum { .decimal(self) } }
extension Bool: ObservedValue { package var observed: Observed.Datum { .integer(self ? 1 : 0) } }
extension String: ObservedValue { package var observed: Observed.Datum { .word(self) } }
extension Observed.Datum: ObservedValue { package var observed: Observed.Datum { self } }
