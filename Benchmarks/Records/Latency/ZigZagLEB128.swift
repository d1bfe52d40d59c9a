/// The variable-length integers of HdrHistogram's V2 encoding: ZigZag, then seven bits a byte, least significant first;
/// a ninth byte carries eight.
enum ZigZagLEB128 {
    static func append(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        for _ in 0..<8 {
            if rest < 0x80 {
                bytes.append(UInt8(rest))
                return
            }
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Takes one integer off the front of `bytes`; `nil` if they end within it.
    static func take(from bytes: inout ArraySlice<UInt8>) -> Int64? {
        var value: UInt64 = 0
        for position in 0..<9 {
            guard let byte = bytes.popFirst() else { return nil }
            let isLast = position == 8 || byte < 0x80
            value |= UInt64(isLast ? byte : byte & 0x7f) << UInt64(7 * position)
            if isLast { break }
        }
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
