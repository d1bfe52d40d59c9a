/// What an experiment saw: values by name, in the order in which they are printed.
///
/// Values hold neither `;` nor `=`. A key that could not be observed is left out.
public struct Observed: Sendable, Equatable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
    private(set) var pairs: [(key: String, value: String)] = []
    /// How it came about, for the reader; no verdict depends on it.
    public var detail = ""

    /// Nothing was seen, for this reason.
    public init(detail: String = "") {
        self.detail = detail
    }

    /// Takes the values in order.
    public init(dictionaryLiteral elements: (String, any CustomStringConvertible & Sendable)...) {
        for (key, value) in elements { self[key] = "\(value)" }
    }

    /// Reads `key=value;key=value`; nil if it is not of that form.
    public init?(parsing text: String) {
        for pair in text.split(separator: ";") {
            let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            self[String(parts[0])] = String(parts[1])
        }
    }

    /// The names, in order.
    public var keys: [String] { pairs.map(\.key) }

    /// A value as text. Setting one that is there keeps its place; setting nil removes it.
    public subscript(key: String) -> String? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let index = pairs.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): pairs[index].value = value
            case (let index?, nil): pairs.remove(at: index)
            case (nil, let value?): pairs.append((key, value))
            case (nil, nil): break
            }
        }
    }

    /// A value as a number; nil if it is absent or none.
    public func number(_ key: String) -> Double? { self[key].flatMap { Double($0) } }

    /// A value as a whole number; nil if it is absent or none.
    public func integer(_ key: String) -> Int? { self[key].flatMap { Int($0) } }

    /// The same with a sentence on how it came about.
    func with(detail: String) -> Observed {
        var copy = self
        copy.detail = detail
        return copy
    }

    /// `key=value;key=value`
    public var description: String { pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ";") }

    /// Equality of what was seen; the detail does not count.
    public static func == (one: Observed, other: Observed) -> Bool { one.description == other.description }
}
