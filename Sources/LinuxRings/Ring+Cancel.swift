public import CIOUring
public import LinuxDescriptors
public import SystemPackage

/// Cancellation: of requests that are pending. What waits behind a link or a ``EntryFlags/drain`` is not found.
extension Ring {
    /// Queues the cancellation of the request that carries `target` (`io_uring_prep_cancel64(3)`, Linux 5.5).
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
        try prepareCancel(.file(.descriptor(descriptor)), all: true, flags, token: token)
    }

    /// Queues a cancellation (`io_uring_prep_cancel(3)`, `io_uring_prep_cancel_fd(3)`).
    ///
    /// ```swift
    /// try ring.prepareCancel(.file(.slot(slot)), all: true, token: 9)
    /// try ring.prepareCancel(.everything, token: 9)
    /// ```
    ///
    /// Each cancelled request completes with `ECANCELED`. The result is 0, `ENOENT` when there is none, `EALREADY` when
    /// it is too late; of all requests it is how many were cancelled, 0 for none. `EBADF` for a descriptor or slot that
    /// has no file, `EINVAL` on a kernel that does not know this kind (``RingCapabilities/cancelByFile``).
    ///
    /// - Parameters:
    ///   - target: which requests.
    ///   - all: true for all of them (`IORING_ASYNC_CANCEL_ALL`, Linux 5.19), false for the one that is found first.
    ///     ``CancelTarget/everything`` always means all.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion of the cancellation itself carries.
    @inlinable public mutating func prepareCancel(
        _ target: CancelTarget, all: Bool = false, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_cancel64(entry, target.token, CInt(bitPattern: target.flags(all: all)))
        unsafe entry.pointee.fd = target.number
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Cancels at once, without a submission, and waits until what was found has ended or is about to
    /// (`io_uring_register_sync_cancel(3)`, Linux 6.0). The completions of what was cancelled are to be taken as always.
    ///
    /// - Parameters:
    ///   - target: which requests, of those that were handed over.
    ///   - all: true for all of them, false for the one that is found first.
    ///   - timeout: how long to wait for a request that is being carried out just now; nil for no limit.
    /// - Returns: how many were cancelled; it may be fewer than there were when one of them had to be waited for.
    /// - Throws: `ENOENT` when one was meant and there is none; `ETIME` (`Errno.timeout`) when the time is over; `EBADF`
    ///   for a descriptor or slot that has no file; `EINTR`; `EEXIST` on another thread than that of a
    ///   ``RingSetup/singleIssuer`` ring; `EINVAL` before Linux 6.0 (``RingCapabilities/immediateCancel``).
    @discardableResult public mutating func cancel(
        _ target: CancelTarget, all: Bool = false, timeout: Duration? = nil
    ) throws(Errno) -> Int {
        var request = io_uring_sync_cancel_reg()
        request.addr = target.token
        request.fd = target.number
        request.flags = target.flags(all: all)
        // This means that there is no limit.
        request.timeout = __kernel_timespec(tv_sec: -1, tv_nsec: -1)
        if let timeout {
            let time = kernelTime(timeout)
            request.timeout = __kernel_timespec(tv_sec: time.seconds, tv_nsec: time.nanoseconds)
        }
        let result = unsafe io_uring_register_sync_cancel(&ring, &request)
        if result < 0 { throw Errno(rawValue: -result) }
        return target.isCounted(all: all) ? Int(result) : 1
    }
}
