public import CIOUring
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Queues the close of a descriptor that the caller gives away (`io_uring_prep_close(3)`).
    ///
    /// What the ring has taken is closed once, whatever becomes of the request: when it is refused or cancelled the
    /// ring closes the descriptor as its completion is taken, and when the ring ends before that, then. If this
    /// throws, the descriptor is closed at once.
    ///
    /// The result is 0, or the error that `close(2)` would have had, after which the descriptor is gone as well. A
    /// close cannot be cancelled by its token. Closing does not end requests that are pending on the same file:
    /// cancel them first.
    ///
    /// Behind a link, the requests before it in the chain lose ``EntryFlags/skipSuccess``, so that they complete
    /// whatever becomes of them: without that, the kernel would not tell that the close was cancelled. A close that
    /// waits behind a link is known to be closed only if the ring ends on its own thread, and within a second; else it
    /// leaks.
    ///
    /// - Throws: `EACCES` where the ring's restrictions forbid closing, or this way of it; what ``submit()`` throws when
    ///   the queue was full.
    /// - Precondition: the token is below ``firstReservedToken``.
    @inlinable public mutating func prepareClose(
        _ descriptor: consuming OwnedDescriptor, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        if restrictions != nil { try checkClose(flags) }
        let entry = unsafe try nextEntry(token)
        let number = descriptor.release().rawValue
        // The entry itself is counted in what is queued.
        let queued = unhanded
        let position = submitted &+ UInt64(queued) &- 1
        if unsafe queued > 1 && queuedEntry(1).pointee.flags & EntryFlags.linkBits != 0 { makeChainHeard(queued) }
        unsafe io_uring_prep_close(entry, number)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = closes.begin(
            number, token, position: position, isQuiet: flags.contains(.skipSuccess))
    }

    /// Lets every request before the last in its chain complete when it succeeds, too: of one that is quiet and fails,
    /// the kernel drops the completions of those linked to it.
    @usableFromInline @inline(never) mutating func makeChainHeard(_ queued: UInt32) {
        for distance in 1..<queued {
            let entry = unsafe queuedEntry(distance)
            guard unsafe entry.pointee.flags & EntryFlags.linkBits != 0 else { return }
            unsafe entry.pointee.flags &= ~C_IOSQE_CQE_SKIP_SUCCESS
            if unsafe entry.pointee.user_data >= Self.firstReservedToken {
                unsafe closes.expectCompletion(of: entry.pointee.user_data)
            }
        }
    }

    /// Queues the close of a slot of the ring's own file table (`io_uring_prep_close_direct(3)`, Linux 5.15).
    ///
    /// The result is `EBADF` for an empty slot, `EINVAL` beyond the table, `ENXIO` without one.
    ///
    /// - Throws: `EINVAL` for the largest number of all, which to the kernel would be no slot but descriptor 0.
    @inlinable public mutating func prepareClose(
        slot: Slot, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        if slot.index == .max { throw .invalidArgument }
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_close_direct(entry, slot.index)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }
}
