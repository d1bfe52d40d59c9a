import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

extension EventExecutor {
    /// Has every request cancelled, and refuses further ones, without waiting for it; from any thread, and more than
    /// once. In a child of `fork(2)` it does nothing: the requests are the parent's.
    public func beginShutdown() { core.loop.beginClosing() }

    /// Has every request cancelled, and returns when the kernel is done with all of them and the ring or set is closed.
    /// Jobs still run after that, until none is left.
    ///
    /// A task that runs on the executor may call it, too. In a child of `fork(2)` it returns at once.
    public func shutdown() async {
        let loop = core.loop
        if !loop.stamp.isCurrent { return }
        loop.beginClosing()
        await unsafe withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isClosed = loop.inbox.withLock { inbox in
                if !inbox.isClosed { inbox.waiters.append(unsafe EndWaiter(continuation: continuation)) }
                return inbox.isClosed
            }
            if isClosed { unsafe continuation.resume() }
        }
    }

    /// The same for a thread that is not the executor's own: returns when its thread has ended, and so no job is left.
    ///
    /// - Parameter limit: how long to wait. A task that blocks the thread, or never suspends or ends, is not stopped by
    ///   anything.
    /// - Returns: false when the limit came first. The shutdown goes on. In a child of `fork(2)` false at once: the
    ///   executor's thread is the parent's.
    @available(*, noasync, message: "it blocks the thread; use shutdown()")
    public func shutdownAndWait(within limit: Duration = .seconds(10)) -> Bool {
        let loop = core.loop
        if !loop.stamp.isCurrent { return false }
        precondition(!loop.isOwnThread, "an executor cannot wait for its own end")
        loop.beginClosing()
        let now = monotonicNanoseconds()
        let (sum, isTooLarge) = now.addingReportingOverflow(UInt64(limit.wholeNanoseconds))
        let deadline = isTooLarge ? .max : sum
        while true {
            let now = monotonicNanoseconds()
            let left = deadline > now ? (deadline - now + 999_999) / 1_000_000 : 0
            var entry = pollfd(fd: loop.end.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&entry, 1, CInt(clamping: left)) > 0 { return true }
            if left == 0 { return false }
        }
    }
}
