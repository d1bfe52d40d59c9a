/// Integers in network order, as HdrHistogram's and zlib's headers have them.
extension [UInt8] {
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

extension ArraySlice<UInt8> {
    /// Takes an integer off the front; `nil` if there are too few bytes.
    mutating func takeBigEndian<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
        let size = Value.bitWidth / 8
        guard count >= size else { return nil }
        let value = prefix(size).reduce(Value.zero) { $0 << 8 | Value(truncatingIfNeeded: $1) }
        removeFirst(size)
        return value
    }
}
