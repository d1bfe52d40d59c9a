public import CIOUring
public import Glibc
public import SystemPackage

/// Waiting for readiness: of sockets as of anything that can be polled, such as another ring or an epoll set.
extension DescriptorRing {
    /// Queues a poll (`io_uring_prep_poll_add(3)`), which with `multishot` completes with every change (Linux 5.13).
    /// ``RingEvent/readiness`` says what was found. Errors and the end of the peer are found without being asked for.
    ///
    /// With `multishot` it reports changes, as edge-triggered epoll does: what was ready before stays unreported, so take
    /// all that is there before waiting for the next event.
    @inlinable @inline(__always) @discardableResult public mutating func preparePoll(
        _ token: RingToken, _ events: Ring.PollEvents, multishot: Bool = false
    ) throws(Errno) -> RingRequest {
        let member = unsafe try live(token)
        let entry = unsafe try ring.nextEntry(0)
        let identifier = requests.nextIdentifier()
        if multishot {
            unsafe io_uring_prep_poll_multishot(entry, member.pointee.number, events.rawValue)
        } else {
            unsafe io_uring_prep_poll_add(entry, member.pointee.number, events.rawValue)
        }
        unsafe entry.pointee.flags = member.pointee.fileFlags
        unsafe entry.pointee.user_data = identifier
        unsafe requests.begin(.poll, on: token.index, &member.pointee.firstRequest)
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    /// Queues a change of what a pending poll waits for (`io_uring_prep_poll_update(3)`, Linux 5.13); single or multishot
    /// it stays. What is ready at that moment is reported. ``cancel(_:)`` removes a poll.
    ///
    /// The event of the update (``RingOperation/pollUpdate``) has the result 0, or `ENOENT` when the poll had ended, or
    /// `EALREADY` when it was about to report something, and then nothing was changed.
    ///
    /// - Throws: `ENOENT` when there is no such poll, `ESTALE` in a child, and what ``Ring/submit()`` throws when the
    ///   queue was full.
    @discardableResult public mutating func updatePoll(
        _ request: RingRequest, to events: Ring.PollEvents
    ) throws(Errno) -> RingRequest {
        try ensureUsable()
        guard let poll = unsafe find(request), unsafe poll.pointee.operation == .poll else {
            throw .noSuchFileOrDirectory
        }
        let slot = unsafe poll.pointee.slot
        let identifier = requests.nextIdentifier()
        let entry = unsafe try ring.nextEntry(identifier)
        // IORING_POLL_UPDATE_EVENTS.
        unsafe io_uring_prep_poll_update(entry, request.identifier, 0, events.rawValue, 1 << 1)
        unsafe entry.pointee.user_data = identifier
        unsafe requests.begin(.pollUpdate, on: slot, &slots.members[Int(slot)].firstRequest)
        return RingRequest(identifier: identifier, ring: slots.ring)
    }
}

extension Ring.PollEvents {
    /// `POLLERR`: an error is pending on the socket, or nobody reads the pipe any more. Reported without being asked for.
    @inlinable public static var error: Self { Self(rawValue: UInt32(POLLERR)) }
    /// `POLLHUP`: both directions have ended, or nobody writes to the pipe any more. Reported without being asked for.
    @inlinable public static var hangUp: Self { Self(rawValue: UInt32(POLLHUP)) }
    /// `POLLRDHUP`: the peer has ended its direction.
    @inlinable public static var peerClosed: Self { Self(rawValue: 0x2000) }
}
