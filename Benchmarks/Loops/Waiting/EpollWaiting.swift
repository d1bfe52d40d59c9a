import LinuxReadiness
import Meters
import SystemPackage

/// How a thread waits in an epoll set: one call that blocks, another call, or looks before it.
///
/// Each look is a system call. A look that finds nothing is no wakeup.
struct EpollWaiting: Sendable {
    private let isPlain: Bool
    private let spinNanoseconds: UInt64
    private let usesPwait2: Bool

    init(_ options: Mode.Options) {
        spinNanoseconds = options.spinNanoseconds
        usesPwait2 = options.usesPwait2
        isPlain = spinNanoseconds == 0 && !usesPwait2
    }

    /// Waits for events, and counts the calls and the wakeup.
    @inline(__always) func wait(
        in epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, timeout: Duration? = nil, _ meter: WorkerMeter
    ) throws(Errno) -> Int {
        let ready =
            isPlain
            ? try epoll.wait(into: events, timeout: timeout)
            : try waitOtherwise(in: epoll, events, timeout, meter)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        return ready
    }

    @inline(never) private func waitOtherwise(
        in epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ timeout: Duration?, _ meter: WorkerMeter
    ) throws(Errno) -> Int {
        if spinNanoseconds > 0 {
            let end = monotonicNanoseconds() + spinNanoseconds
            repeat {
                let ready = try epoll.wait(into: events, timeout: .zero)
                if ready > 0 { return ready }
                meter.add(.systemCalls)
            } while monotonicNanoseconds() < end
        }
        if usesPwait2 { return try epoll.waitPrecisely(into: events, timeout: timeout) }
        return try epoll.wait(into: events, timeout: timeout)
    }
}
