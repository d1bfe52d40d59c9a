public import LinuxDescriptors
public import SystemPackage

/// Requests, named by token. Each throws `ENOENT` for a token that is not live, `ESTALE` in a child, and `EBUSY` when
/// the kernel takes no more because completions overflowed.
extension DescriptorRing {
    /// Queues an accept, which with `multishot` completes once for each connection (Linux 5.19). Each result is a
    /// descriptor, which the receiver of the event then owns: ``insert(_:)`` gives it to the ring.
    @inlinable public mutating func prepareAccept(
        _ token: RingToken, multishot: Bool = true, nonblocking: Bool = false
    ) throws(Errno) {
        let descriptor = try live(token)
        let data = RingToken.userData(token, .accept)
        if multishot {
            try ring.prepareMultishotAccept(on: descriptor, nonblocking: nonblocking, token: data)
        } else {
            try ring.prepareAccept(on: descriptor, nonblocking: nonblocking, token: data)
        }
        slots.began(token)
    }

    /// Queues a poll, which with `multishot` completes with every change (Linux 5.13).
    @inlinable public mutating func preparePoll(
        _ token: RingToken, _ events: Ring.PollEvents, multishot: Bool = false
    ) throws(Errno) {
        let descriptor = try live(token)
        let data = RingToken.userData(token, .poll)
        if multishot {
            try ring.prepareMultishotPoll(descriptor, events, token: data)
        } else {
            try ring.preparePoll(descriptor, events, token: data)
        }
        slots.began(token)
    }

    /// Queues one receive into memory that must live until the completion came, or until ``remove(_:)`` returned.
    @unsafe @inlinable public mutating func prepareReceive(
        _ token: RingToken, into memory: UnsafeMutableRawPointer, count: Int
    ) throws(Errno) {
        let descriptor = try live(token)
        let data = RingToken.userData(token, .receive)
        unsafe try ring.prepareReceive(descriptor.rawValue, into: memory, count: count, token: data)
        slots.began(token)
    }

    /// Queues one send of memory that must live until the completion came, or until ``remove(_:)`` returned.
    @unsafe @inlinable public mutating func prepareSend(
        _ token: RingToken, from memory: UnsafeRawPointer, count: Int
    ) throws(Errno) {
        let descriptor = try live(token)
        let data = RingToken.userData(token, .send)
        unsafe try ring.prepareSend(descriptor.rawValue, from: memory, count: count, token: data)
        slots.began(token)
    }

    @inlinable func live(_ token: RingToken) throws(Errno) -> BorrowedDescriptor {
        try ensureUsable()
        guard let descriptor = slots.descriptor(of: token) else { throw .noSuchFileOrDirectory }
        return descriptor
    }
}
