public import LinuxDescriptors
public import SystemPackage

/// Requests, named by token. Each throws `ENOENT` for a token that is not live or is another ring's, `ESTALE` in a
/// child, and what ``Ring/submit()`` throws when the queue was full; a buffer that was given is freed then.
extension DescriptorRing {
    /// Queues an accept, which with `multishot` completes once for each connection (Linux 5.19). Each event brings a
    /// connection, which ``insert(_:)`` gives to the ring.
    @inlinable public mutating func prepareAccept(
        _ token: RingToken, multishot: Bool = true, nonblocking: Bool = false
    ) throws(Errno) {
        let member = unsafe try live(token)
        let listener = unsafe BorrowedDescriptor(rawValue: member.pointee.number)
        let identifier = requests.nextIdentifier()
        if multishot {
            try ring.prepareMultishotAccept(on: listener, nonblocking: nonblocking, token: identifier)
        } else {
            try ring.prepareAccept(on: listener, nonblocking: nonblocking, token: identifier)
        }
        unsafe requests.begin(.accept, on: token.index, &member.pointee.firstRequest)
    }

    /// Queues a poll, which with `multishot` completes with every change (Linux 5.13).
    @inlinable public mutating func preparePoll(
        _ token: RingToken, _ events: Ring.PollEvents, multishot: Bool = false
    ) throws(Errno) {
        let member = unsafe try live(token)
        let descriptor = unsafe BorrowedDescriptor(rawValue: member.pointee.number)
        let identifier = requests.nextIdentifier()
        if multishot {
            try ring.prepareMultishotPoll(descriptor, events, token: identifier)
        } else {
            try ring.preparePoll(descriptor, events, token: identifier)
        }
        unsafe requests.begin(.poll, on: token.index, &member.pointee.firstRequest)
    }

    /// Queues one receive into a buffer, behind what it holds. The event gives the buffer back.
    ///
    /// - Throws: `EINVAL` for a buffer without room, too.
    @inlinable public mutating func prepareReceive(
        _ token: RingToken, into buffer: consuming RequestBuffer
    ) throws(Errno) {
        let member = unsafe try live(token)
        let room = unsafe try buffer.room()
        let identifier = requests.nextIdentifier()
        let file = unsafe RequestFile.descriptor(BorrowedDescriptor(rawValue: member.pointee.number))
        unsafe try ring.prepareReceive(file, into: room.start, count: room.count, token: identifier)
        unsafe requests.begin(
            .receive, on: token.index, &member.pointee.firstRequest, buffer: buffer.giveAway())
    }

    /// Queues one send of what a buffer holds. The event gives the buffer back, without what was sent: if it holds
    /// something then, send that again.
    @inlinable public mutating func prepareSend(
        _ token: RingToken, from buffer: consuming RequestBuffer
    ) throws(Errno) {
        let member = unsafe try live(token)
        let identifier = requests.nextIdentifier()
        let file = unsafe RequestFile.descriptor(BorrowedDescriptor(rawValue: member.pointee.number))
        let start = unsafe UnsafeRawPointer(buffer.base + buffer.header.pointee.lower)
        unsafe try ring.prepareSend(file, from: start, count: buffer.count, token: identifier)
        unsafe requests.begin(.send, on: token.index, &member.pointee.firstRequest, buffer: buffer.giveAway())
    }

    @inlinable @inline(__always)
    func live(_ token: RingToken) throws(Errno) -> UnsafeMutablePointer<RingSlots.Member> {
        try ensureUsable()
        guard let member = unsafe slots.find(token) else { throw .noSuchFileOrDirectory }
        return unsafe member
    }
}

/// Transfers without the ring, at once: for sockets that are nonblocking (of others they wait).
extension DescriptorRing {
    /// Receives what is there (`recv(2)`).
    ///
    /// - Returns: the number of bytes, 0 after the peer's last one; nil if nothing is there.
    /// - Throws: `ENOENT` for a token that is not live, `ESTALE` in a child, and what
    ///   `BorrowedDescriptor.receive(into:)` throws.
    @inlinable public func receive(from token: RingToken, into bytes: inout MutableRawSpan) throws(Errno) -> Int? {
        let member = unsafe try live(token)
        return try unsafe BorrowedDescriptor(rawValue: member.pointee.number).receive(into: &bytes)
    }

    /// Sends as much as the socket's buffer takes (`send(2)`, `MSG_NOSIGNAL`).
    ///
    /// - Returns: the number of bytes taken, which may be fewer than given; nil if the socket's buffer is full.
    /// - Throws: `ENOENT` for a token that is not live, `ESTALE` in a child, and what `BorrowedDescriptor.send(_:)`
    ///   throws.
    @inlinable public func send(_ bytes: RawSpan, to token: RingToken) throws(Errno) -> Int? {
        let member = unsafe try live(token)
        return try unsafe BorrowedDescriptor(rawValue: member.pointee.number).send(bytes)
    }
}
