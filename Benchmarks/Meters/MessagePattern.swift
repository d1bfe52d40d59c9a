public import Glibc

/// The bytes of the echo workloads: message `sequence` of a connection, so that either side can check what it gets.
///
/// From 16 bytes on, a message begins with its number and a mark; the rest, or all of a shorter one, is a slice of a
/// fixed pattern that depends on the number.
@safe @usableFromInline package final class MessagePattern: Sendable {
    @usableFromInline package let bytes: Int
    /// True if messages carry their number.
    @usableFromInline let isNumbered: Bool
    // Written once in init, and read-only after that.
    @usableFromInline nonisolated(unsafe) let pattern: UnsafeMutableRawPointer

    @inlinable static var mark: UInt64 { 0x6563_686f_2d6d_7367 }
    @inlinable package static var headerBytes: Int { 16 }
    @inlinable static var period: Int { 251 }

    package init(bytes: Int) {
        self.bytes = bytes
        isNumbered = bytes >= Self.headerBytes
        unsafe pattern = .allocate(byteCount: bytes + Self.period, alignment: 64)
        for index in 0..<bytes + Self.period {
            unsafe pattern.storeBytes(
                of: UInt8(truncatingIfNeeded: index &* 167 &+ 13), toByteOffset: index, as: UInt8.self)
        }
    }

    deinit {
        unsafe pattern.deallocate()
    }

    /// Writes a message.
    @unsafe @inlinable package func write(_ sequence: UInt64, to memory: UnsafeMutableRawPointer) {
        let header = isNumbered ? Self.headerBytes : 0
        if isNumbered {
            unsafe memory.storeBytes(of: sequence, as: UInt64.self)
            unsafe memory.storeBytes(of: Self.mark, toByteOffset: 8, as: UInt64.self)
        }
        unsafe (memory + header).copyMemory(from: slice(sequence), byteCount: bytes - header)
    }

    /// True if the memory holds this message, every byte of it.
    @unsafe @inlinable package func matches(_ sequence: UInt64, _ memory: UnsafeRawPointer) -> Bool {
        let header = isNumbered ? Self.headerBytes : 0
        if isNumbered {
            guard unsafe Self.sequence(memory) == sequence else { return false }
        }
        return unsafe memcmp(memory + header, slice(sequence), bytes - header) == 0
    }

    /// True if the memory holds `count` bytes of this message from `offset` on.
    @unsafe package func matches(_ sequence: UInt64, _ memory: UnsafeRawPointer, from offset: Int, count: Int) -> Bool {
        let header = isNumbered ? Self.headerBytes : 0
        for index in offset..<max(offset, min(header, offset + count)) {
            let word = index < 8 ? sequence : Self.mark
            let byte = UInt8(truncatingIfNeeded: word.littleEndian >> UInt64(index % 8 * 8))
            guard unsafe memory.load(fromByteOffset: index - offset, as: UInt8.self) == byte else { return false }
        }
        let first = max(offset, header)
        guard first < offset + count else { return true }
        return unsafe memcmp(memory + (first - offset), slice(sequence) + (first - header), offset + count - first) == 0
    }

    /// The number of a numbered message; nil if its mark is not where it belongs.
    @unsafe @inlinable @inline(__always) package static func sequence(_ memory: UnsafeRawPointer) -> UInt64? {
        guard unsafe memory.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == mark else { return nil }
        return unsafe memory.loadUnaligned(as: UInt64.self)
    }

    /// The bytes of the pattern that a message has behind its header.
    @unsafe @inlinable package func slice(_ sequence: UInt64) -> UnsafeRawPointer {
        unsafe UnsafeRawPointer(pattern + Int(sequence % UInt64(Self.period)))
    }
}
