public import CIOUring
public import SystemPackage

/// Timeouts: requests that complete when a time is over. The ring keeps the time until the kernel has it.
///
/// A wait (``submitAndWait(for:upTo:signals:)``) is cheaper where nothing but the wait has to end. The kernel ends the
/// wait of a thread as a timeout of its ring expires, even if fewer completions are ready than it waits for.
extension Ring {
    /// Queues a timeout (`io_uring_prep_timeout(3)`, Linux 5.4).
    ///
    /// It fails with `ETIME` (`Errno.timeout`) when the time is over, and with `ECANCELED` when it was removed. The
    /// result is 0 when `completions` came before that.
    ///
    /// ```swift
    /// try ring.prepareTimeout(.after(.milliseconds(250)), token: 7)
    /// try ring.submitAndWait()
    /// if let completion = ring.nextCompletion(), completion.error == .timeout { … }
    /// ```
    ///
    /// - Parameters:
    ///   - expiration: when the time is over.
    ///   - clock: whose time it is. Another than ``Clock/monotonic`` needs Linux 5.15, and `EINVAL` is the result before
    ///     (``RingCapabilities/timeoutClocks``).
    ///   - completions: ends it sooner, after so many completions of other requests; 0 for not at all.
    ///   - endsChain: false for having a time that is over be no failure (`IORING_TIMEOUT_ETIME_SUCCESS`, Linux 5.16):
    ///     what is linked behind it (``EntryFlags/link``) starts then, instead of failing.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    @inlinable public mutating func prepareTimeout(
        _ expiration: Expiration, clock: Clock = .monotonic, completions: UInt32 = 0, endsChain: Bool = true,
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        let kind = expiration.flag | clock.flag | (endsChain ? 0 : UInt32(IORING_TIMEOUT_ETIME_SUCCESS))
        unsafe io_uring_prep_timeout(entry, cell(expiration, beside: entry), completions, kind)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues a timeout that completes again and again (`IORING_TIMEOUT_MULTISHOT`, Linux 6.4), each time with `ETIME`,
    /// until it was so often or is removed. ``Completion/isArmed`` says whether it goes on.
    ///
    /// The next period begins as the completion is posted, so it drifts: for a beat use ``Expiration/at(_:)``.
    ///
    /// - Parameters:
    ///   - period: the time between two completions, and before the first.
    ///   - times: how many completions; 0 for as long as it is not removed.
    ///   - clock: whose time it is.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completions carry.
    /// - Throws: `EINVAL` for a period of no time, with which the kernel would do nothing else any more. Before Linux 6.4
    ///   `EINVAL` is the result (``RingCapabilities/multishotTimeout``).
    @inlinable public mutating func prepareMultishotTimeout(
        every period: Duration, times: UInt32 = 0, clock: Clock = .monotonic, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        if period <= .zero { throw .invalidArgument }
        let entry = unsafe try nextEntry(token)
        let time = unsafe cell(.after(period), beside: entry)
        unsafe io_uring_prep_timeout(entry, time, times, clock.flag | C_IORING_TIMEOUT_MULTISHOT)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues a time limit for the request that was queued before, which must be linked (``EntryFlags/link``) to this
    /// (`io_uring_prep_link_timeout(3)`, Linux 5.5).
    ///
    /// When the time is over the kernel cancels that request, which then fails with `ECANCELED`, and this completes with
    /// `ETIME`; with `EALREADY` or `ENOENT` if the request could not be cancelled any more. When the request ends
    /// before, this completes with `ECANCELED`. The time begins as the request does. With
    /// ``EntryFlags/skipSuccess`` this has no completion in any of these cases.
    ///
    /// ```swift
    /// try ring.reserve(2)
    /// try ring.prepareConnect(.descriptor(socket.descriptor), to: address, .link, token: 1)
    /// try ring.prepareLinkTimeout(.after(.seconds(3)), .skipSuccess, token: 2)
    /// ```
    ///
    /// Without a linked request before it, or behind another such limit, the result is `EINVAL`.
    ///
    /// - Throws: `EBUSY` when the queue was full behind the linked request: make room for both with ``reserve(_:)``.
    @inlinable public mutating func prepareLinkTimeout(
        _ expiration: Expiration, clock: Clock = .monotonic, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        let time = unsafe cell(expiration, beside: entry)
        unsafe io_uring_prep_link_timeout(entry, time, expiration.flag | clock.flag)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues a new time for the pending timeout that carries `target` (`io_uring_prep_timeout_update(3)`, Linux 5.11).
    ///
    /// The result is 0; `ENOENT` when there is none, `EALREADY` when it is over just now. The timeout goes on by the clock
    /// that it had, and does not count completions any more.
    ///
    /// - Parameters:
    ///   - target: the token of the timeout.
    ///   - expiration: when its time is over from now on.
    ///   - isLinked: true for a limit of a request (``prepareLinkTimeout(_:clock:_:token:)``,
    ///     `IORING_LINK_TIMEOUT_UPDATE`, Linux 5.15), which is kept in another place.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion of this request carries.
    @inlinable public mutating func prepareTimeoutUpdate(
        target: UInt64, to expiration: Expiration, isLinked: Bool = false, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        let time = unsafe cell(expiration, beside: entry)
        let kind = expiration.flag | (isLinked ? UInt32(IORING_LINK_TIMEOUT_UPDATE) : 0)
        unsafe io_uring_prep_timeout_update(entry, time, target, kind)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues the end of the pending timeout that carries `target` (`io_uring_prep_timeout_remove(3)`, Linux 5.5), which
    /// then fails with `ECANCELED`.
    ///
    /// The result is 0; `ENOENT` when there is none, which a limit of a request is not, `EALREADY` when it is over just
    /// now. ``prepareCancel(target:_:token:)`` does the same, and more slowly.
    @inlinable public mutating func prepareTimeoutRemove(
        target: UInt64, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_timeout_remove(entry, target, 0)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Writes a time beside an entry.
    @unsafe @inlinable @inline(__always)
    mutating func cell(
        _ expiration: Expiration, beside entry: UnsafeMutablePointer<io_uring_sqe>
    ) -> UnsafeMutablePointer<__kernel_timespec> {
        let time = expiration.kernelTime
        let cell = unsafe cell(entry).bindMemory(to: __kernel_timespec.self, capacity: 1)
        unsafe cell.initialize(to: __kernel_timespec(tv_sec: time.seconds, tv_nsec: time.nanoseconds))
        return unsafe cell
    }
}
