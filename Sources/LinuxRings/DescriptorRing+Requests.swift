public import CIOUring
public import LinuxDescriptors
public import SystemPackage

/// Requests, named by token. Each throws `ENOENT` for a token that is not live or is another ring's, `ESTALE` in a
/// child, and what ``Ring/submit()`` throws when the queue was full; a buffer that was given is freed then, or given back
/// to its group. What they return names the request, to be cancelled alone (``cancel(_:)``).
extension DescriptorRing {
    /// Queues an accept, which with `multishot` completes once for each connection (Linux 5.19). Each event brings a
    /// connection, which ``insert(_:)`` gives to the ring.
    @inlinable @discardableResult public mutating func prepareAccept(
        _ token: RingToken, multishot: Bool = true, nonblocking: Bool = false
    ) throws(Errno) -> RingRequest {
        let member = unsafe try live(token)
        let listener = unsafe BorrowedDescriptor(rawValue: member.pointee.number)
        let identifier = requests.nextIdentifier()
        if multishot {
            try ring.prepareMultishotAccept(on: listener, nonblocking: nonblocking, token: identifier)
        } else {
            try ring.prepareAccept(on: listener, nonblocking: nonblocking, token: identifier)
        }
        unsafe ring.queuedEntry(0).pointee.flags |= member.pointee.fileFlags
        unsafe requests.begin(.accept, on: token.index, &member.pointee.firstRequest, .descriptor)
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    /// Queues one receive into a buffer, behind what it holds. The event gives the buffer back.
    ///
    /// - Throws: `EINVAL` for a buffer without room, too.
    @inlinable @discardableResult public mutating func prepareReceive(
        _ token: RingToken, into buffer: consuming RequestBuffer
    ) throws(Errno) -> RingRequest {
        let member = unsafe try live(token)
        let room = unsafe try buffer.room()
        let entry = unsafe try ring.nextEntry(0)
        let identifier = requests.nextIdentifier()
        unsafe io_uring_prep_recv(entry, member.pointee.number, room.start, room.count, 0)
        unsafe entry.pointee.flags = member.pointee.fileFlags
        unsafe entry.pointee.user_data = identifier
        unsafe requests.begin(
            .receive, on: token.index, &member.pointee.firstRequest, .buffer, buffer: buffer.giveAway())
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    /// Queues one send of what a buffer holds. The event gives the buffer back, without what was sent: if it holds
    /// something then, send that again.
    @inlinable @discardableResult public mutating func prepareSend(
        _ token: RingToken, from buffer: consuming RequestBuffer
    ) throws(Errno) -> RingRequest {
        let member = unsafe try live(token)
        let entry = unsafe try ring.nextEntry(0)
        let identifier = requests.nextIdentifier()
        let start = unsafe UnsafeRawPointer(buffer.base + buffer.header.pointee.lower)
        unsafe io_uring_prep_send(entry, member.pointee.number, start, buffer.count, noSignal)
        unsafe entry.pointee.flags = member.pointee.fileFlags
        unsafe entry.pointee.user_data = identifier
        unsafe requests.begin(
            .send, on: token.index, &member.pointee.firstRequest, .buffer, buffer: buffer.giveAway())
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    @inlinable @inline(__always)
    func live(_ token: RingToken) throws(Errno) -> UnsafeMutablePointer<RingSlots.Member> {
        try ensureUsable()
        guard let member = unsafe slots.find(token) else { throw .noSuchFileOrDirectory }
        return unsafe member
    }
}

/// Transfers without the ring, at once.
extension DescriptorRing {
    /// Receives what is there (`recv(2)`, `MSG_DONTWAIT`).
    ///
    /// - Returns: the number of bytes, 0 after the peer's last one; nil if nothing is there.
    /// - Throws: `ENOENT` for a token that is not live, `ESTALE` in a child, `EBADF` for a slot, and what
    ///   `BorrowedDescriptor.receive(into:waiting:)` throws.
    @inlinable public func receive(from token: RingToken, into bytes: inout MutableRawSpan) throws(Errno) -> Int? {
        let member = unsafe try live(token)
        if unsafe member.pointee.kind == .slot { throw .badFileDescriptor }
        return try unsafe BorrowedDescriptor(rawValue: member.pointee.number).receive(
            into: &bytes, waiting: false)
    }

    /// Sends as much as the socket's buffer takes (`send(2)`, `MSG_DONTWAIT`, `MSG_NOSIGNAL`).
    ///
    /// - Returns: the number of bytes taken, which may be fewer than given; nil if the socket's buffer is full.
    /// - Throws: `ENOENT` for a token that is not live, `ESTALE` in a child, `EBADF` for a slot, and what
    ///   `BorrowedDescriptor.send(_:waiting:)` throws.
    @inlinable public func send(_ bytes: RawSpan, to token: RingToken) throws(Errno) -> Int? {
        let member = unsafe try live(token)
        if unsafe member.pointee.kind == .slot { throw .badFileDescriptor }
        return try unsafe BorrowedDescriptor(rawValue: member.pointee.number).send(bytes, waiting: false)
    }
}
