import CIOUring
import Glibc
public import SystemPackage

/// Buffers that a ring knows beforehand (`io_uring_register_buffers(3)`), of one size each: requests on them need not find
/// and hold the pages each time.
///
/// The memory is this value's. It may end at any time: pages that the kernel holds stay until it is done with them, and
/// are no memory of the process any more.
///
/// ```swift
/// var buffers = try RegisteredBuffers(count: 16, bytes: 65_536)
/// try ring.registerBuffers(buffers)
/// try ring.prepareReadFixed(.descriptor(file), into: buffers.buffer(3), at: 0, token: 1)
/// try ring.submitAndWait()
/// if let completion = ring.nextCompletion(), completion.result > 0 {
///     parse(buffers.contents(of: 3, count: Int(completion.result)))
/// }
/// ```
@safe public struct RegisteredBuffers: ~Copyable, Sendable {
    // Sendable although it is a pointer: the memory has no other owner.
    nonisolated(unsafe) let start: UnsafeMutableRawPointer
    /// How many buffers there are.
    public let count: Int
    /// The size of each, in bytes.
    public let bytes: Int
    /// From one to the next: whole pages.
    let stride: Int

    /// Maps memory for `count` buffers of `bytes`, all zero.
    ///
    /// - Throws: `ENOMEM`.
    /// - Precondition: there are 1 to 16 384 buffers of 1 to 1 073 741 824 bytes, which is what a ring takes.
    public init(count: Int, bytes: Int) throws(Errno) {
        precondition((1...1 << 14).contains(count), "a ring has 1 to 16384 buffers")
        precondition((1...1 << 30).contains(bytes), "a buffer has 1 to 1073741824 bytes")
        let page = Int(sysconf(CInt(_SC_PAGESIZE)))
        self.count = count
        self.bytes = bytes
        stride = (bytes + page - 1) / page * page
        let map = unsafe mmap(nil, count * stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let map = unsafe map, unsafe map != MAP_FAILED else { throw Errno(rawValue: errno) }
        unsafe start = map
    }

    deinit { unsafe munmap(start, count * stride) }

    private func memory(of index: Int) -> UnsafeMutableRawPointer {
        precondition((0..<count).contains(index), "a buffer that there is not")
        return unsafe start + index * stride
    }

    /// The first `count` bytes of a buffer. While a request works on it they may change.
    ///
    /// - Precondition: there is such a buffer, and it has as many bytes.
    @_lifetime(borrow self) public func contents(of index: Int, count: Int) -> RawSpan {
        precondition((0...bytes).contains(count), "more bytes than the buffer has")
        let span = unsafe RawSpan(_unsafeStart: memory(of: index), byteCount: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// A buffer, to be filled. What a request is sending from it should be left alone.
    ///
    /// - Precondition: there is such a buffer.
    @_lifetime(&self) public mutating func mutableContents(of index: Int) -> MutableRawSpan {
        let span = unsafe MutableRawSpan(_unsafeStart: memory(of: index), byteCount: bytes)
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Names a buffer to requests.
    ///
    /// - Parameters:
    ///   - index: the buffer.
    ///   - slot: where it is in the ring's table, if it was put there by
    ///     ``Ring/registerBuffer(_:of:slot:token:)``; the same number if not given.
    /// - Precondition: there is such a buffer.
    public func buffer(_ index: Int, slot: UInt16? = nil) -> RegisteredBuffer {
        let address = UInt(bitPattern: unsafe memory(of: index))
        return RegisteredBuffer(address: address, count: bytes, slot: slot ?? UInt16(index))
    }

    func vector(_ index: Int) -> iovec { unsafe iovec(iov_base: memory(of: index), iov_len: .init(bytes)) }
}

/// A buffer of a ring's table, or a part of one, for requests to name.
///
/// It owns nothing. The kernel looks whether it lies within what is registered in its slot, and says `EFAULT` if not, so a
/// name that is out of date harms nobody.
@frozen public struct RegisteredBuffer: Sendable, Hashable {
    @usableFromInline let address: UInt
    /// How many bytes it has.
    public let count: Int
    /// Where it is in the ring's table.
    public let slot: UInt16

    @usableFromInline init(address: UInt, count: Int, slot: UInt16) {
        self.address = address
        self.count = count
        self.slot = slot
    }

    /// A part of it.
    ///
    /// - Precondition: the range lies within it.
    @inlinable public func extracting(_ range: Range<Int>) -> RegisteredBuffer {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "more than the buffer has")
        return RegisteredBuffer(address: address + UInt(range.lowerBound), count: range.count, slot: slot)
    }
}
