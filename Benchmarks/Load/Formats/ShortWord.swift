/// The first word of a line, as far as it fits 15 bytes, without memory of its own.
struct ShortWord: BitwiseCopyable, Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private(set) var count = 0

    init() {}

    /// A word to compare with; at most 15 bytes.
    init(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { append(unsafe text.utf8Start[index]) }
    }

    /// Adds a byte; false if it no longer fits.
    @discardableResult mutating func append(_ byte: UInt8) -> Bool {
        guard count < 15 else { return false }
        if count < 8 {
            low |= UInt64(byte) << UInt64(8 * count)
        } else {
            high |= UInt64(byte) << UInt64(8 * (count - 8))
        }
        count += 1
        return true
    }

    private func byte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (index < 8 ? low : high) >> UInt64(index % 8 * 8))
    }

    /// True for digits alone.
    var isNumber: Bool { count > 0 && (0..<count).allSatisfy { byte($0).isDigit } }

    /// The bytes, those that cannot be printed as `?`.
    var text: String {
        var text = ""
        for index in 0..<count {
            let byte = byte(index)
            text.unicodeScalars.append(Unicode.Scalar(byte > 32 && byte < 127 ? byte : UInt8(ascii: "?")))
        }
        return text
    }
}
