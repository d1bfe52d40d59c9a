public import CIOUring
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Queues the close of a descriptor that the caller gives away (`io_uring_prep_close(3)`).
    ///
    /// Closing does not end requests that are pending on the same file: cancel them first.
    @inlinable public mutating func prepareClose(
        _ descriptor: consuming OwnedDescriptor, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        let number = descriptor.release().rawValue
        unsafe io_uring_prep_close(entry, number)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues the close of a slot of the ring's own file table (`io_uring_prep_close_direct(3)`, Linux 5.15).
    @inlinable public mutating func prepareCloseDirect(
        slot: UInt32, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_close_direct(entry, slot)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues the cancellation of the request that carries `target` (`io_uring_prep_cancel64(3)`).
    ///
    /// The result is 0 when it was cancelled, `ENOENT` when there is none, `EALREADY` when it is too late; the
    /// cancelled request completes with `ECANCELED`.
    @inlinable public mutating func prepareCancel(
        target: UInt64, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_cancel64(entry, target, 0)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues the cancellation of all requests on a file (`IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL`,
    /// Linux 5.19). The result is the number of requests that were cancelled.
    @inlinable public mutating func prepareCancelAll(
        on descriptor: BorrowedDescriptor, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_cancel_fd(entry, descriptor.rawValue, UInt32(IORING_ASYNC_CANCEL_ALL))
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }
}
