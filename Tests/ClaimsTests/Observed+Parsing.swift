@testable import Claims
@testable import Loops
@testable import Runs

extension Observed {
    /// Reads `key=value;key=value`; nil if it is not of that form.
    init?(parsing text: String) {
        self.init()
        for pair in text.split(separator: ";") {
            let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            self[String(parts[0])] = Datum(parsing: String(parts[1]))
        }
    }
}

extension Observed.Datum {
    fileprivate init(parsing text: String) {
        if let separator = text.first(where: { "|/,".contains($0) }) {
            let values = text.split(separator: separator, omittingEmptySubsequences: false)
            self = .list(values.map { Self(parsing: String($0)) }, separator: String(separator))
        } else if let value = Int128(text) {
            self = .integer(value)
        } else {
            self = Double(text).map { .decimal($0) } ?? .word(text)
        }
    }
}
