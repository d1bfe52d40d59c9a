/// What an executor's thread has done so far, for those who want to know what their program costs.
public struct ExecutorCounts: Sendable, Hashable {
    /// Times that the thread asked the kernel what had happened: the most that it waited.
    public var visits: UInt64 = 0
    /// System calls for that and for what tasks asked for: `io_uring_enter(2)`, or `epoll_wait(2)`, `epoll_ctl(2)` and
    /// the calls themselves.
    public var systemCalls: UInt64 = 0
    /// Events or completions that were taken.
    public var events: UInt64 = 0
    /// Requests that were handed to a ring; 0 of a set.
    public var submissions: UInt64 = 0

    init() {}
}

extension EventExecutor {
    /// What the thread has done so far.
    ///
    /// - Precondition: on the executor's own thread.
    public var counts: ExecutorCounts {
        precondition(isOnOwnThread, "an executor's counts belong to its thread")
        return core.loop.counts
    }
}
