public import CIOUring
import Glibc
public import SystemPackage

/// Entering the kernel (`io_uring_enter(2)`): handing submissions over, and waiting for completions.
extension Ring {
    /// Hands the queued submissions to the kernel without waiting.
    ///
    /// - Returns: how many were taken. Without ``RingSetup/submitAll`` the kernel stops after one that it refuses, and
    ///   the rest stays queued.
    ///   With ``RingSetup/submissionPolling`` all are published to the poller, which may not have taken any, and the
    ///   kernel is entered only if it sleeps.
    /// - Throws: `EBUSY` when completions overflowed, `EAGAIN` for want of memory, `EEXIST` when a ring with
    ///   ``RingSetup/singleIssuer`` belongs to another thread, `EBADFD` before ``enable()`` of a ring that starts
    ///   disabled, `EOWNERDEAD` when the poller has ended.
    @inlinable @discardableResult public mutating func submit() throws(Errno) -> Int {
        if entersItself { return try enterToSubmit() }
        while true {
            // liburing does not enter the kernel for nothing.
            let enters = unsafe io_uring_sq_ready(&ring) > 0 || io_uring_cq_has_overflow(&ring)
            let result = unsafe io_uring_submit(&ring)
            if enters { countEnter(taken: result) }
            if result >= 0 { return Int(result) }
            if result != -EINTR { throw Errno(rawValue: -result) }
        }
    }

    /// Hands over all queued submissions and waits until `count` completions are ready: in one `io_uring_enter(2)`,
    /// or in more if a signal or a refused submission ends it early.
    ///
    /// Only an error ends the wait before that. Nothing else does, so it lasts for ever when fewer than `count`
    /// requests are pending and nobody sends messages.
    ///
    /// - Parameter count: with 0 it waits for nothing, and all queued submissions may not be handed over: see
    ///   ``submit()``.
    /// - Returns: how many submissions were taken.
    /// - Throws: `EINVAL` for more completions than the queue has room for, which could never be ready at once, and
    ///   what ``submit()`` throws.
    @inlinable @discardableResult public mutating func submitAndWait(for count: UInt32 = 1) throws(Errno) -> Int {
        if unsafe count > 1 && count &- 1 > ring.cq.ring_mask { throw .invalidArgument }
        if entersItself { return try enterAndWait(for: count) }
        var taken = 0
        while true {
            let enters = unsafe count > 0 || io_uring_sq_ready(&ring) > 0 || io_uring_cq_has_overflow(&ring)
            let result = unsafe io_uring_submit_and_wait(&ring, count)
            if enters { countEnter(taken: result) }
            if result >= 0 {
                taken &+= Int(result)
                // An enter that submitted something reports that, even if a signal cut its wait short.
                if unsafe io_uring_cq_ready(&ring) >= count { return taken }
            } else if result != -EINTR {
                throw Errno(rawValue: -result)
            }
        }
    }

    /// Like ``submitAndWait(for:)`` with a limit, and a signal ends it, too. With no time at all it collects what a
    /// ``RingSetup/deferTaskRun`` ring has not posted yet, without waiting.
    ///
    /// - Parameters:
    ///   - count: how many completions to wait for, at least 1.
    ///   - timeout: below 0 it is no time; more than 34 years are cut to that.
    /// - Returns: whether `count` completions are ready; false when the time is over, or when a signal came first, or
    ///   a timeout request expired, even if its completion is not ready yet. ``submitAndWait(for:upTo:signals:)`` tells
    ///   them apart.
    /// - Throws: `EINVAL` before Linux 5.11 (no ``RingFeatures/extendedArgument``), and what ``submitAndWait(for:)``
    ///   throws.
    public mutating func submitAndWait(for count: UInt32 = 1, timeout: Duration) throws(Errno) -> Bool {
        guard features.contains(.extendedArgument), count > 0, unsafe count <= ring.cq.ring_mask &+ 1 else {
            throw .invalidArgument
        }
        let time = kernelTime(timeout)
        if entersItself { return try enterAndWait(for: count, limit: time) }
        while true {
            let queued = unsafe io_uring_sq_ready(&ring)
            // liburing does not enter the kernel when nothing is queued and the completions are there already.
            if unsafe queued == 0 && io_uring_cq_ready(&ring) >= count { return true }
            var limit = __kernel_timespec(tv_sec: time.seconds, tv_nsec: time.nanoseconds)
            var first: UnsafeMutablePointer<io_uring_cqe>?
            let result = unsafe io_uring_submit_and_wait_timeout(&ring, &first, count, &limit, nil)
            let left = unsafe io_uring_sq_ready(&ring)
            countTimedEnter(taken: queued - left)
            if result < 0 && result != -ETIME && result != -EINTR { throw Errno(rawValue: -result) }
            // When it submitted something, the kernel says how much instead of that the time is over.
            if unsafe io_uring_cq_ready(&ring) >= count { return true }
            // After a refused submission the kernel did not wait at all; with the rest handed over it does.
            guard left > 0 && left < queued else { return false }
        }
    }
}
