public import SystemPackage

/// An executor whose thread waits with an epoll set: works wherever Linux does.
///
/// An operation makes its system call at once, and waits only when the call would have to: for an edge of a
/// registration that each connection makes once and that ends as the connection is closed. A receive that left room in
/// the buffer of a TCP connection is not tried again before the next edge.
///
/// ```swift
/// let executor = try SetExecutor()
/// let listener = try AsyncListener(Listener(.loopback()), on: executor)
/// let first = Task(executorPreference: executor) { try await listener.accept() }
/// ```
///
/// A task that always finds something to do gives way to others after 256 operations.
///
/// It has three descriptors: the set and two eventfds.
public final class SetExecutor: EventExecutor {
    private let loop: SetLoop
    private let forActors: ActorExecutor

    /// Starts a thread with an epoll set (`epoll_create1(2)`).
    ///
    /// - Parameter jobsInARow: how many jobs run at the most before the kernel is asked what has happened.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`; `EAGAIN` where there may be no more threads.
    public convenience init(jobsInARow: Int = 1024) throws(Errno) {
        self.init(try SetLoop(jobsInARow: jobsInARow))
        let report = StartReport()
        try startThread { [self] in
            loop.takeOver()
            report.send(nil)
            loop.run()
        }
        try report.receive()
    }

    /// Has no thread yet.
    private init(_ loop: SetLoop) {
        self.loop = loop
        forActors = ActorExecutor(loop)
        loop.serve(unsafe ExecutorPair(task: asUnownedTaskExecutor(), serial: forActors.asUnownedSerialExecutor()))
    }

    /// Makes the calling thread the thread of an executor, until that is shut down and no job is left: see
    /// ``RingExecutor/runOnThisThread(entries:completions:jobsInARow:_:)``.
    ///
    /// - Parameters:
    ///   - jobsInARow: see ``init(jobsInARow:)``.
    ///   - begin: starts the tasks; they run when it has returned.
    /// - Throws: what ``init(jobsInARow:)`` throws.
    @available(*, noasync, message: "it blocks the thread until the executor is shut down")
    public static func runOnThisThread(
        jobsInARow: Int = 1024, _ begin: (SetExecutor) -> Void
    ) throws(Errno) {
        let executor = SetExecutor(try SetLoop(jobsInARow: jobsInARow))
        executor.loop.takeOver()
        begin(executor)
        executor.loop.run()
    }

    /// Adds a job; the runtime calls it.
    public func enqueue(_ job: consuming ExecutorJob) { loop.enqueue(UnownedJob(job), isIsolated: false) }

    /// For an actor's `unownedExecutor`.
    public var unownedSerialExecutor: UnownedSerialExecutor { unsafe forActors.asUnownedSerialExecutor() }

    /// What the executor runs on.
    public var core: ExecutorCore { ExecutorCore(loop, waitsByItself: false) }
}
