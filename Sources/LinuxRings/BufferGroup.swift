public import CIOUring
import Glibc
public import SystemPackage

/// Buffers from which the kernel picks one when data arrives: a provided-buffer ring
/// (`io_uring_register_buf_ring(3)`, Linux 5.19).
///
/// It can be registered once, with one ``Ring``, which keeps its memory from then on, so group and ring may end in any
/// order. The memory is freed when both have ended and the kernel is surely done with the ring's requests; where that
/// cannot be shown within a second (and before Linux 6.0) it is never freed, rather than written into after it was.
@safe @frozen public struct BufferGroup: ~Copyable {
    @usableFromInline let memory: BufferMemory
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

    /// Allocates `count` buffers of `bytes`.
    ///
    /// - Precondition: `count` is 1 to 32 768, and is rounded up to a power of two; `bytes` is 1 to 2 147 479 552, what
    ///   one receive can move; `headroom` is not below 0; all of it together can be counted in an `Int`.
    public init(identifier: UInt16, count: Int, bytes: Int, headroom: Int = 0) {
        precondition(count > 0 && count <= 1 << 15, "a group has 1 to 32768 buffers")
        precondition(bytes > 0 && bytes <= largestTransferBytes, "a buffer has 1 to 2147479552 bytes")
        let count = count == 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
        precondition(headroom >= 0 && headroom <= Int.max / count - bytes, "headroom is a number of bytes")
        self.headroom = headroom
        self.identifier = identifier
        self.count = count
        self.bytes = bytes
        mask = CInt(count - 1)
        let ring = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<io_uring_buf>.stride, alignment: Int(sysconf(CInt(_SC_PAGESIZE))))
        unsafe entries = ring.bindMemory(to: io_uring_buf_ring.self, capacity: 1)
        unsafe storage = .allocate(byteCount: count * (headroom + bytes), alignment: 64)
        // What the kernel did not write can be read, too.
        unsafe storage.initializeMemory(as: UInt8.self, repeating: 0, count: count * (headroom + bytes))
        memory = unsafe BufferMemory(entries: entries, storage: storage)
        unsafe io_uring_buf_ring_init(entries)
        for index in 0..<count { unsafe add(UInt16(index), at: CInt(index)) }
        unsafe io_uring_buf_ring_advance(entries, CInt(count))
    }

    /// Where the memory of all buffers begins; each has its headroom before it.
    @unsafe @inlinable public var start: UnsafeMutableRawPointer { unsafe storage }

    /// The data of a buffer that the kernel picked, with the headroom before it; yours until it is recycled.
    @unsafe @inlinable public func memory(of buffer: UInt16) -> UnsafeMutableRawPointer {
        unsafe storage + Int(buffer) * (headroom + bytes) + headroom
    }

    /// The first `count` bytes of a buffer that the kernel picked, readable until the group is used otherwise:
    ///
    /// ```swift
    /// if let buffer = completion.bufferIdentifier {
    ///     parse(group.contents(of: buffer, count: Int(completion.result)))
    ///     group.recycle(buffer)
    /// }
    /// ```
    ///
    /// - Precondition: it is a buffer of the group, and has as many bytes.
    @inlinable @_lifetime(borrow self) public func contents(of buffer: UInt16, count: Int) -> RawSpan {
        precondition(Int(buffer) < self.count, "a buffer of another group")
        precondition(count >= 0 && count <= bytes, "more bytes than the buffer has")
        let span = unsafe RawSpan(_unsafeStart: memory(of: buffer), byteCount: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Gives a buffer back to the kernel, which must be one of the group's that it picked.
    @inlinable public mutating func recycle(_ buffer: UInt16) {
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
        unsafe entry.pointee.len = UInt32(truncatingIfNeeded: bytes)
        unsafe entry.pointee.bid = buffer
    }
}

extension Ring {
    /// Hands the buffers to the kernel (`io_uring_register_buf_ring(3)`), and keeps their memory from then on.
    ///
    /// - Throws: `EINVAL` before Linux 5.19, `EEXIST` when the ring has a group of this number, `EBUSY` for a group that
    ///   was registered before, with this ring or another: the kernel would hand out buffers that are in use.
    public mutating func register(_ group: borrowing BufferGroup) throws(Errno) {
        try register(group, flags: 0)
    }

    mutating func register(_ group: borrowing BufferGroup, flags: UInt16) throws(Errno) {
        if group.memory.wasRegistered { throw .resourceBusy }
        let result = unsafe c_io_uring_register_buffer_group(
            &ring, group.entries, UInt32(group.count), group.identifier, flags)
        if result < 0 { throw Errno(rawValue: -result) }
        group.memory.wasRegistered = true
        groups.keep(group.memory, as: group.identifier)
    }

    /// Takes a group of buffers from the kernel (`io_uring_unregister_buf_ring(3)`). Receives that are pending end
    /// with `ENOBUFS` when data comes, and the number is free for another group.
    ///
    /// A receive may just have picked one of the buffers, so the ring keeps their memory until it ends: whoever swaps
    /// groups again and again on one ring keeps the memory of all of them.
    ///
    /// - Throws: `ENOENT` when the ring has no group of this number, `EINVAL` before Linux 5.19.
    public mutating func unregisterGroup(_ identifier: UInt16) throws(Errno) {
        let result = unsafe io_uring_unregister_buf_ring(&ring, CInt(identifier))
        if result < 0 { throw Errno(rawValue: -result) }
        groups.retire(identifier)
    }

    /// How many buffers of a group the kernel has to pick from (`IORING_REGISTER_PBUF_STATUS`, Linux 6.8). The others
    /// were picked and not given back.
    ///
    /// Costs a system call: a program that has to know all the time counts what it takes and gives back.
    ///
    /// - Throws: `ENOENT` for a group that is not registered with this ring, `EINVAL` before Linux 6.8.
    public mutating func freeBuffers(in group: borrowing BufferGroup) throws(Errno) -> Int {
        guard groups.isKept(group.memory, as: group.identifier) else { throw .noSuchFileOrDirectory }
        let head = unsafe c_io_uring_buffer_group_head(&ring, group.identifier)
        if head < 0 { throw Errno(rawValue: -head) }
        return unsafe Int(group.entries.pointee.tail &- UInt16(truncatingIfNeeded: head))
    }
}
