import CIOUring
import Glibc

/// What a message holds.
extension MessageBuffer {
    /// How many bytes a segment has room for.
    ///
    /// - Precondition: there is such a segment.
    public func capacity(ofSegment index: Int = 0) -> Int {
        precondition((0..<segmentCount).contains(index), "a segment that the message has not")
        return unsafe segments[index].capacity
    }

    /// The bytes of a segment: those that came, or those that are to be sent.
    ///
    /// - Precondition: there is such a segment, and no request works on the message.
    @_lifetime(borrow self) public func contents(ofSegment index: Int = 0) -> RawSpan {
        ensureOwn()
        precondition((0..<segmentCount).contains(index), "a segment that the message has not")
        let vector = unsafe vectors[index]
        let start = unsafe UnsafeRawPointer(vector.iov_base ?? segments[index].start)
        let span = unsafe RawSpan(_unsafeStart: start, byteCount: Int(vector.iov_len))
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// How many bytes all segments hold.
    public var count: Int {
        ensureOwn()
        return (0..<segmentCount).reduce(0) { unsafe $0 + Int(vectors[$1].iov_len) }
    }

    /// Puts bytes into a segment, in place of what it holds.
    ///
    /// - Precondition: they fit, and no request works on the message.
    public mutating func setContents(_ bytes: RawSpan, ofSegment index: Int = 0) {
        ensureOwn()
        precondition(bytes.byteCount <= capacity(ofSegment: index), "more bytes than the segment has room for")
        let start = unsafe segments[index].start
        unsafe bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe start.copyMemory(from: base, byteCount: source.count) }
        }
        unsafe vectors[index] = iovec(iov_base: start, iov_len: .init(bytes.byteCount))
    }

    /// Takes bytes from the front, of one segment after the other: what a stream has taken, so that the rest can be sent.
    ///
    /// - Precondition: it holds as many, and no request works on the message.
    public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more bytes than the message holds")
        var left = count
        for index in 0..<segmentCount where left > 0 {
            let vector = unsafe vectors[index]
            let taken = unsafe min(left, Int(vector.iov_len))
            unsafe vectors[index] = iovec(
                iov_base: vector.iov_base.map { unsafe $0 + taken }, iov_len: vector.iov_len - .init(taken))
            left -= taken
        }
    }

    /// Forgets bytes, address and control data.
    ///
    /// - Precondition: no request works on the message.
    public mutating func removeAll() {
        ensureOwn()
        fill(0)
        removeAddress()
        removeControl()
        flags = []
    }

    // MARK: The address

    /// The peer's address: a `sockaddr` of its family, as the kernel has it. Empty of a socket that is connected, and of
    /// a peer that has no name.
    ///
    /// - Precondition: no request works on the message.
    public var address: RawSpan {
        @_lifetime(borrow self) get {
            ensureOwn()
            let count = min(addressLength, addressCapacity)
            let span = unsafe RawSpan(_unsafeStart: addressStart, byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Whether the address that came is longer than the room for it.
    public var isAddressTruncated: Bool { addressLength > addressCapacity }

    /// Says whom the message is for: a `sockaddr` of its family, as the kernel has it.
    ///
    /// - Precondition: it fits, and no request works on the message.
    public mutating func setAddress(_ bytes: RawSpan) {
        ensureOwn()
        precondition(bytes.byteCount <= addressCapacity, "a longer address than there is room for")
        let start = unsafe addressStart
        unsafe bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe start.copyMemory(from: base, byteCount: source.count) }
        }
        addressLength = bytes.byteCount
    }

    /// Leaves the message to whom the socket is connected to.
    public mutating func removeAddress() {
        ensureOwn()
        addressLength = 0
    }

    /// The segments hold the first `count` bytes of what they have room for.
    func fill(_ count: Int) {
        var left = count
        for index in 0..<segmentCount {
            let segment = unsafe segments[index]
            let length = unsafe min(left, segment.capacity)
            unsafe vectors[index] = iovec(iov_base: segment.start, iov_len: .init(length))
            left -= length
        }
    }
}
