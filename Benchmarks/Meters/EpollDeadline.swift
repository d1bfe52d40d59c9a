package import LinuxReadiness
package import SystemPackage

extension Epoll {
    /// Waits for events until a time on the monotonic clock at most (`epoll_pwait2(2)`).
    package func wait(
        into events: borrowing EpollEventBuffer, untilNanoseconds deadline: UInt64
    ) throws(Errno) -> Int {
        let now = monotonicNanoseconds()
        return try wait(into: events, timeout: .nanoseconds(deadline > now ? deadline - now : 0))
    }
}
