public import CIOUring
public import Glibc
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// What a poll request waits for: the mask of `poll(2)`.
    @frozen public struct PollEvents: OptionSet, Sendable, Hashable {
        /// The mask as the kernel has it.
        public let rawValue: UInt32

        /// Takes the mask as the kernel has it.
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// `POLLIN`: a read, or an accept, would not wait.
        @inlinable public static var readable: Self { Self(rawValue: UInt32(POLLIN)) }
        /// `POLLOUT`: a write would not wait.
        @inlinable public static var writable: Self { Self(rawValue: UInt32(POLLOUT)) }
        /// `EPOLLEXCLUSIVE`: of several polls on one file, wake at least one instead of all.
        @inlinable public static var exclusive: Self { Self(rawValue: 1 << 28) }
    }

    /// Queues one poll (`io_uring_prep_poll_add(3)`, Linux 5.1). The result is the mask of what is ready.
    @inlinable public mutating func preparePoll(
        _ descriptor: BorrowedDescriptor, _ events: PollEvents, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_poll_add(entry, descriptor.rawValue, events.rawValue)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues a poll that completes each time something becomes ready until it ends
    /// (`io_uring_prep_poll_multishot(3)`, Linux 5.13). It reports changes, as edge-triggered epoll does.
    @inlinable public mutating func prepareMultishotPoll(
        _ descriptor: BorrowedDescriptor, _ events: PollEvents, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_poll_multishot(entry, descriptor.rawValue, events.rawValue)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues a change of the pending poll that carries `target` (`io_uring_prep_poll_update(3)`, Linux 5.13): what it
    /// waits for, its token, or both. A multishot poll stays one.
    ///
    /// The result is 0; `ENOENT` when there is none, `EALREADY` when it completes just now. A poll that is ready for what
    /// it waits for from now on completes at once.
    ///
    /// - Parameters:
    ///   - target: the token of the poll.
    ///   - events: what it waits for from now on; nil for what it did.
    ///   - newToken: what its completions carry from now on; nil for what they did.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion of this request carries.
    /// - Throws: `EINVAL` when nothing is to be changed, which would remove the poll.
    /// - Precondition: both tokens are below ``firstReservedToken``.
    @inlinable public mutating func preparePollUpdate(
        target: UInt64, events: PollEvents? = nil, newToken: UInt64? = nil, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        if events == nil && newToken == nil { throw .invalidArgument }
        precondition((newToken ?? 0) < Self.firstReservedToken, "a token that the ring has reserved for itself")
        let entry = unsafe try nextEntry(token)
        var changes = events == nil ? 0 : UInt32(IORING_POLL_UPDATE_EVENTS)
        if newToken != nil { changes |= UInt32(IORING_POLL_UPDATE_USER_DATA) }
        unsafe io_uring_prep_poll_update(entry, target, newToken ?? 0, events?.rawValue ?? 0, changes)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues the end of the pending poll that carries `target` (`io_uring_prep_poll_remove(3)`, Linux 5.1), which then
    /// fails with `ECANCELED`.
    ///
    /// The result is 0; `ENOENT` when there is none, `EALREADY` when it completes just now. Other requests than polls
    /// are not found: see ``prepareCancel(target:_:token:)``.
    @inlinable public mutating func preparePollRemove(
        target: UInt64, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_poll_remove(entry, target)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }
}
