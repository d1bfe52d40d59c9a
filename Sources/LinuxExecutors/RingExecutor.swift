public import SystemPackage

/// An executor whose thread waits with an io_uring: requests of all tasks that ran are handed over in one
/// `io_uring_enter(2)`, which also waits.
///
/// ```swift
/// let executor = try RingExecutor()
/// let listener = try AsyncListener(Listener(.loopback()), on: executor)
/// let greeting = Task(executorPreference: executor) {
///     let connection = try await listener.accept()
///     try await connection.sendAll([UInt8](10...12).span.bytes)
/// }
/// try await greeting.value
/// await executor.shutdown()
/// ```
///
/// ``AsyncListener`` shows a server that outlives errors of single connections.
///
/// It needs requests that complete once, and nothing that is younger than Linux 5.7 (`IORING_FEAT_FAST_POLL`). Where
/// io_uring is forbidden or absent, making one fails, and ``SetExecutor`` does the same with epoll.
///
/// It has three descriptors: the ring and two eventfds.
public final class RingExecutor: EventExecutor {
    private let loop: RingLoop
    private let forActors: ActorExecutor

    /// Starts a thread with a ring (`io_uring_setup(2)`).
    ///
    /// - Parameters:
    ///   - entries: requests that can be queued between two enters; more are handed over in between.
    ///   - completions: room for completions. More than that at once cost the kernel memory and the thread enters, and
    ///     nothing is lost.
    ///   - jobsInARow: how many jobs run at the most before the kernel gets what was asked for and is asked what has
    ///     happened. Where jobs take long, 1 lets no reply wait for the job of another connection, for an enter each.
    /// - Throws: `ENOSYS` and `EPERM` where io_uring is absent or forbidden; `EOPNOTSUPP` before Linux 5.7; `EINVAL` for
    ///   sizes that no kernel takes; `EMFILE`, `ENOMEM`; `EAGAIN` where there may be no more threads.
    public convenience init(
        entries: UInt32 = 256, completions: UInt32 = 4096, jobsInARow: Int = 1024
    ) throws(Errno) {
        try self.init(RingLoop(jobsInARow: jobsInARow))
        let report = StartReport()
        try startThread { [self] in
            do throws(Errno) {
                try loop.open(entries: entries, completions: completions)
                report.send(nil)
            } catch {
                return report.send(error)
            }
            loop.run()
        }
        try report.receive()
    }

    /// Has no thread yet.
    private init(_ loop: RingLoop) {
        self.loop = loop
        forActors = ActorExecutor(loop)
        loop.serve(unsafe ExecutorPair(task: asUnownedTaskExecutor(), serial: forActors.asUnownedSerialExecutor()))
    }

    /// Makes the calling thread the thread of an executor, until that is shut down and no job is left: for a main thread
    /// that has nothing else to do, or a thread with a processor of its own.
    ///
    /// ```swift
    /// try RingExecutor.runOnThisThread { executor in
    ///     Task(executorPreference: executor) {
    ///         await serve(executor)
    ///         executor.beginShutdown()
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - entries: see ``init(entries:completions:jobsInARow:)``.
    ///   - completions: likewise.
    ///   - jobsInARow: likewise.
    ///   - begin: starts the tasks; they run when it has returned.
    /// - Throws: what ``init(entries:completions:jobsInARow:)`` throws.
    @available(*, noasync, message: "it blocks the thread until the executor is shut down")
    public static func runOnThisThread(
        entries: UInt32 = 256, completions: UInt32 = 4096, jobsInARow: Int = 1024, _ begin: (RingExecutor) -> Void
    ) throws(Errno) {
        let executor = RingExecutor(try RingLoop(jobsInARow: jobsInARow))
        try executor.loop.open(entries: entries, completions: completions)
        begin(executor)
        executor.loop.run()
    }

    /// Adds a job; the runtime calls it.
    public func enqueue(_ job: consuming ExecutorJob) { loop.enqueue(UnownedJob(job), isIsolated: false) }

    /// For an actor's `unownedExecutor`.
    public var unownedSerialExecutor: UnownedSerialExecutor { unsafe forActors.asUnownedSerialExecutor() }

    /// What the executor runs on.
    public var core: ExecutorCore { ExecutorCore(loop, waitsByItself: true) }
}
