/// zlib streams (RFC 1950) whose deflate blocks (RFC 1951) are stored, not compressed.
///
/// HdrHistogram's format demands a zlib stream, not that it be small. A sparse histogram's zero runs are already folded
/// into one number each, so a compression library would be a dependency for little; every zlib reader takes this.
enum StoredZlib {
    private static let longestBlock = 0xffff

    static func encode(_ content: [UInt8]) -> [UInt8] {
        // 32 KiB window, no dictionary, fastest level; a multiple of 31, as RFC 1950 wants it.
        var stream: [UInt8] = [0x78, 0x01]
        var rest = content[...]
        repeat {
            let block = rest.prefix(longestBlock)
            rest = rest.dropFirst(block.count)
            let length = UInt16(block.count)
            stream.append(rest.isEmpty ? 1 : 0)
            // Least significant byte first, unlike everything around it.
            for half in [length, ~length] {
                stream.append(UInt8(truncatingIfNeeded: half))
                stream.append(UInt8(half >> 8))
            }
            stream += block
        } while !rest.isEmpty
        stream.appendBigEndian(adler32(content))
        return stream
    }

    static func decode(_ stream: ArraySlice<UInt8>) throws(HistogramDecodingError) -> [UInt8] {
        var rest = stream
        guard let header = rest.takeBigEndian(UInt16.self), header % 31 == 0, header >> 8 & 0x0f == 8 else {
            throw HistogramDecodingError("no zlib stream")
        }
        guard header & 0x20 == 0 else { throw HistogramDecodingError("a zlib stream with a preset dictionary") }
        var content: [UInt8] = []
        var isLast = false
        while !isLast {
            guard let blockHeader = rest.popFirst() else { throw .truncated }
            guard blockHeader & 0b110 == 0 else {
                throw HistogramDecodingError(
                    "a compressed deflate block; only stored blocks, as bench writes them, are read")
            }
            isLast = blockHeader & 1 == 1
            guard let length = rest.takeBigEndian(UInt16.self)?.byteSwapped,
                let complement = rest.takeBigEndian(UInt16.self)?.byteSwapped, rest.count >= length
            else { throw .truncated }
            guard length == ~complement else { throw HistogramDecodingError("a stored block of contradictory length") }
            content += rest.prefix(Int(length))
            rest.removeFirst(Int(length))
        }
        guard let checksum = rest.takeBigEndian(UInt32.self) else { throw .truncated }
        guard checksum == adler32(content) else { throw HistogramDecodingError("a wrong Adler-32 checksum") }
        return content
    }

    static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return b << 16 | a
    }
}
