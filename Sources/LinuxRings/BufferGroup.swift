public import CIOUring
public import SystemPackage

/// Buffers from which the kernel picks one when data arrives: a provided-buffer ring
/// (`io_uring_register_buf_ring(3)`, Linux 5.19).
///
/// The memory is this type's. The kernel writes into it as long as the ``Ring`` lives that the group is registered
/// with, so the group must outlive the ring.
@safe @frozen public struct BufferGroup: ~Copyable {
    @usableFromInline let entries: UnsafeMutablePointer<io_uring_buf_ring>
    @usableFromInline let storage: UnsafeMutableRawPointer
    @usableFromInline let mask: CInt
    /// The group's number within its ring.
    public let identifier: UInt16
    /// How many buffers there are, a power of two.
    public let count: Int
    /// What the kernel may fill of each, in bytes.
    public let bytes: Int
    /// Bytes before each buffer that the kernel leaves alone, so that something can be put in front of the data.
    public let headroom: Int

    /// Allocates `count` buffers of `bytes`; `count` is rounded up to a power of two, at most 32768.
    public init(identifier: UInt16, count: Int, bytes: Int, headroom: Int = 0) {
        precondition(count > 0 && count <= 1 << 15 && bytes > 0, "a group has 1 to 32768 buffers of 1 byte or more")
        precondition(headroom >= 0, "headroom is a number of bytes")
        self.headroom = headroom
        let count = count == 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
        self.identifier = identifier
        self.count = count
        self.bytes = bytes
        mask = CInt(count - 1)
        let ring = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<io_uring_buf>.stride, alignment: 4096)
        unsafe entries = ring.bindMemory(to: io_uring_buf_ring.self, capacity: 1)
        unsafe storage = .allocate(byteCount: count * (headroom + bytes), alignment: 64)
        unsafe io_uring_buf_ring_init(entries)
        for index in 0..<count { unsafe add(UInt16(index), at: CInt(index)) }
        unsafe io_uring_buf_ring_advance(entries, CInt(count))
    }

    /// The data of a buffer that the kernel picked, with the headroom before it; yours until it is recycled.
    @unsafe @inlinable public func memory(of buffer: UInt16) -> UnsafeMutableRawPointer {
        unsafe storage + Int(buffer) * (headroom + bytes) + headroom
    }

    /// Gives a buffer back to the kernel, which must be one of the group's that it picked.
    @inlinable public func recycle(_ buffer: UInt16) {
        precondition(Int(buffer) < count, "a buffer of another group")
        unsafe add(buffer, at: 0)
        unsafe io_uring_buf_ring_advance(entries, 1)
    }

    @unsafe @inlinable func add(_ buffer: UInt16, at offset: CInt) {
        let slot = unsafe (CInt(entries.pointee.tail) &+ offset) & mask
        let memory = unsafe memory(of: buffer)
        // The entries begin where the ring does: io_uring_buf_ring is a union of them and of the tail.
        let entry = unsafe UnsafeMutableRawPointer(entries).assumingMemoryBound(to: io_uring_buf.self) + Int(slot)
        unsafe entry.pointee.addr = UInt64(UInt(bitPattern: memory))
        unsafe entry.pointee.len = UInt32(bytes)
        unsafe entry.pointee.bid = buffer
    }

    deinit {
        unsafe UnsafeMutableRawPointer(entries).deallocate()
        unsafe storage.deallocate()
    }
}

extension Ring {
    /// Hands the buffers to the kernel (`io_uring_register_buf_ring(3)`).
    ///
    /// Unsafe because nothing keeps the group alive: it must outlive the ring. Make the ring in a function that is handed
    /// the group, or declare the group first and keep it with `withExtendedLifetime(_:_:)`.
    ///
    /// - Throws: `EINVAL` before Linux 5.19, `EEXIST` when the ring has a group of this number.
    @unsafe public mutating func register(_ group: borrowing BufferGroup) throws(Errno) {
        var registration = io_uring_buf_reg()
        registration.ring_addr = UInt64(UInt(bitPattern: unsafe group.entries))
        registration.ring_entries = UInt32(group.count)
        registration.bgid = group.identifier
        let result = unsafe io_uring_register_buf_ring(&ring, &registration, 0)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}
