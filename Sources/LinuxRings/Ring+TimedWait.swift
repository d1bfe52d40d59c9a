import CIOUring
import Glibc
public import SystemPackage

extension Ring {
    /// Hands over all queued submissions and waits until `count` completions are ready, for a time, or until a signal
    /// comes, and tells which of them it was (`io_uring_submit_and_wait_timeout(3)`, Linux 5.11).
    ///
    /// ```swift
    /// let wait = try ring.submitAndWait(for: 32, upTo: .milliseconds(1))
    /// for _ in 0..<wait.ready { … }
    /// ```
    ///
    /// The kernel does not say why a wait ended before its time when it took submissions or has completions to give: it is
    /// told by the clock. So a time that is over as the signal comes may be reported in place of it; what a handler noted
    /// is to be looked at in any case.
    ///
    /// - Parameters:
    ///   - count: how many completions to wait for, at least 1.
    ///   - limit: the longest time; nil for none. Below 0 it is no time; more than 34 years are cut to that.
    ///   - mask: the signals that are blocked during the wait; nil for those that the thread blocks otherwise. One that is
    ///     blocked outside and let through here comes in the wait and nowhere else, and always ends it.
    /// - Throws: `EINVAL` for no completions or for more than the queue has room for, and before Linux 5.11 (no
    ///   ``RingFeatures/extendedArgument``); what ``submitAndWait(for:)`` throws.
    @discardableResult public mutating func submitAndWait(
        for count: UInt32, upTo limit: Duration?, signals mask: SignalMask? = nil
    ) throws(Errno) -> RingWait {
        guard features.contains(.extendedArgument), count > 0, unsafe count <= ring.cq.ring_mask &+ 1 else {
            throw .invalidArgument
        }
        let deadline = Clock.monotonic.now + Self.cut(limit)
        while true {
            let queued = unhanded
            // Nor does liburing enter the kernel when nothing is queued and the completions are there already.
            if unsafe queued == 0 && io_uring_cq_ready(&ring) >= count { return waited(.enough) }
            let result = enter(count, until: deadline, mask)
            let left = unhanded
            if unsafe io_uring_cq_ready(&ring) >= count { return waited(.enough) }
            if result == -EINTR { return waited(.interrupted) }
            // liburing says ETIME whenever nothing is ready, also when a timeout request has ended the wait and its
            // completion is yet to be posted.
            if result < 0 && result != -ETIME { throw Errno(rawValue: -result) }
            // The kernel's time began after the deadline was reckoned: if it is over, the deadline is.
            if Clock.monotonic.now >= deadline { return waited(.timeout) }
            // After a refused submission the kernel did not wait at all; with the rest handed over it does.
            guard left > 0 && left < queued else { return waited(.interrupted) }
        }
    }

    private mutating func waited(_ end: RingWait.End) -> RingWait {
        RingWait(end, ready: unsafe io_uring_cq_ready(&ring))
    }

    /// The longest time that the kernel takes, and no time in place of one below 0.
    private static func cut(_ limit: Duration?) -> Duration {
        let time = kernelTime(limit ?? .seconds(Int64.max))
        return .seconds(time.seconds) + .nanoseconds(time.nanoseconds)
    }

    private mutating func enter(_ count: UInt32, until deadline: Duration, _ mask: SignalMask?) -> CInt {
        let time = kernelTime(deadline - Clock.monotonic.now)
        var limit = __kernel_timespec(tv_sec: time.seconds, tv_nsec: time.nanoseconds)
        var first: UnsafeMutablePointer<io_uring_cqe>?
        let queued = unhanded
        let result: CInt
        switch (entersItself, mask?.native) {
        case (true, nil): return unsafe enter(waitingFor: count, &limit).result
        case (true, var signals?): return unsafe enter(waitingFor: count, &limit, signals: &signals).result
        case (false, nil): result = unsafe io_uring_submit_and_wait_timeout(&ring, &first, count, &limit, nil)
        case (false, var signals?):
            result = unsafe io_uring_submit_and_wait_timeout(&ring, &first, count, &limit, &signals)
        }
        countTimedEnter(taken: queued - unhanded)
        return result
    }
}
