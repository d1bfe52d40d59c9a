public import SystemPackage

/// Memory for the bytes of one request: filled by a receive, emptied by a send.
///
/// While a request works on it the ring owns it, so nobody can read, change or free it before its time. It holds a run of
/// bytes, ``bytes``, with room before and behind: a receive puts what comes behind them, and a send takes what it sent
/// from their front. What is left after a send was not sent yet:
///
/// ```swift
/// case .receive:
///     try ring.prepareSend(event.token, from: event.takeBuffer())
/// case .send:
///     let buffer = event.takeBuffer()
///     if buffer.isEmpty {
///         try ring.prepareReceive(event.token, into: buffer)
///     } else {
///         try ring.prepareSend(event.token, from: buffer)
///     }
/// ```
@safe @frozen public struct RequestBuffer: ~Copyable, Sendable {
    // Sendable although it is a pointer: the memory has no other owner.
    @usableFromInline nonisolated(unsafe) let header: UnsafeMutablePointer<Header>

    /// Lies before the bytes.
    @usableFromInline struct Header {
        @usableFromInline let capacity: Int
        @usableFromInline var lower = 0
        @usableFromInline var upper = 0

        @usableFromInline init(capacity: Int) { self.capacity = capacity }
    }

    /// Keeps the bytes apart from the header, on a border that suits every type.
    @inlinable static var headerBytes: Int { 32 }

    /// Allocates room for bytes.
    ///
    /// - Precondition: the capacity is 1 to 2 147 479 552, what one request can move.
    public init(capacity: Int) {
        precondition(capacity > 0 && capacity <= largestTransferBytes, "a buffer has 1 to 2147479552 bytes")
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.headerBytes + capacity, alignment: 16)
        unsafe header = memory.bindMemory(to: Header.self, capacity: 1)
        unsafe header.initialize(to: Header(capacity: capacity))
    }

    /// Takes over what ``giveAway()`` gave.
    @inlinable init(_ header: UnsafeMutablePointer<Header>) { unsafe self.header = header }

    @inlinable consuming func giveAway() -> UnsafeMutablePointer<Header> {
        let header = unsafe header
        discard self
        return unsafe header
    }

    @inlinable deinit { unsafe header.deallocate() }

    @inlinable var base: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(header) + Self.headerBytes }

    /// How many bytes there is room for.
    @inlinable public var capacity: Int { unsafe header.pointee.capacity }

    /// How many bytes it holds.
    @inlinable public var count: Int { unsafe header.pointee.upper - header.pointee.lower }

    /// True if it holds no bytes.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// The bytes that it holds.
    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: base + header.pointee.lower, byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The bytes that it holds, to be changed in place.
    @inlinable public var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableRawSpan(_unsafeStart: base + header.pointee.lower, byteCount: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// Puts bytes behind those that it holds.
    ///
    /// - Returns: how many had room.
    public mutating func append(_ more: RawSpan) -> Int {
        moveToFront()
        let taken = unsafe min(more.byteCount, capacity - header.pointee.upper)
        unsafe more.withUnsafeBytes { source in
            guard taken > 0, let start = source.baseAddress else { return }
            unsafe (base + header.pointee.upper).copyMemory(from: start, byteCount: taken)
        }
        unsafe header.pointee.upper += taken
        return taken
    }

    /// Takes bytes from the front.
    ///
    /// - Precondition: it holds as many.
    @inlinable public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more bytes than the buffer holds")
        unsafe header.pointee.lower += count
    }

    /// Takes bytes from the end.
    ///
    /// - Precondition: it holds as many.
    @inlinable public mutating func removeLast(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more bytes than the buffer holds")
        unsafe header.pointee.upper -= count
    }

    /// Forgets all bytes.
    @inlinable public mutating func removeAll() {
        unsafe header.pointee.lower = 0
        unsafe header.pointee.upper = 0
    }

    /// All room that is left comes to be behind the bytes.
    func moveToFront() {
        let (lower, count) = unsafe (header.pointee.lower, count)
        if lower == 0 { return }
        if count > 0 { unsafe base.copyMemory(from: base + lower, byteCount: count) }
        unsafe header.pointee.lower = 0
        unsafe header.pointee.upper = count
    }

    /// Where a receive puts what comes, and how much of it.
    @inlinable func room() throws(Errno) -> (start: UnsafeMutableRawPointer, count: Int) {
        if unsafe header.pointee.lower > 0 { makeRoom() }
        let count = unsafe capacity - header.pointee.upper
        if count == 0 { throw .invalidArgument }
        return unsafe (base + header.pointee.upper, count)
    }

    @usableFromInline func makeRoom() {
        if unsafe isEmpty || header.pointee.upper == capacity { moveToFront() }
    }
}
