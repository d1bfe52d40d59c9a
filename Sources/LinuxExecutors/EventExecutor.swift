public import LinuxDescriptors
public import SystemPackage

/// An executor of Swift concurrency whose one thread waits for jobs and for events of the kernel alike:
/// ``RingExecutor`` and ``SetExecutor``.
///
/// Tasks that prefer it run on its thread, and so do their children; code that is isolated to no actor stays there from
/// one `await` to the next:
///
/// ```swift
/// let executor = try SetExecutor()
/// let task = Task(executorPreference: executor) {
///     try await executor.sleep(for: .milliseconds(10))
/// }
/// try await task.value
/// await executor.shutdown()
/// ```
///
/// An actor moves in by naming ``unownedSerialExecutor``; it must hold the executor:
///
/// ```swift
/// actor Sessions {
///     let executor: RingExecutor
///     init(_ executor: RingExecutor) { self.executor = executor }
///     nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedSerialExecutor }
/// }
/// ```
///
/// A job that blocks holds up everything else on the thread.
///
/// **Waking.** Jobs that the thread adds itself cost no lock. Another thread takes a lock, and writes to an eventfd only
/// when the thread waits in the kernel or is about to. Queues grow to what is needed and stay so: no job allocates.
///
/// **Order.** Jobs run in the order in which they came, whatever their priority. After 1024 in a row (`jobsInARow`) the
/// kernel is asked for events, so that tasks which never wait do not keep others from them.
///
/// **The end.** The thread lives, and holds the executor, until it is shut down: ``shutdown()``,
/// ``shutdownAndWait(within:)``, ``beginShutdown()``. Then every pending request is cancelled and its task resumed with
/// `ECANCELED`, later ones fail with `ECANCELED` at once, and jobs are run until none is left. Jobs that come after that
/// are run on a thread that is made for them and ends with them, so that no task is lost.
///
/// **Fork.** In a child of `fork(2)` there is no thread of the executor's. Requests throw `ESTALE`, and a task that would
/// have to run on it ends the child with a message. Shutdowns do nothing there.
///
/// A type of yours conforms by handing jobs and ``core`` to one of the two. One whose jobs run elsewhere ends the process
/// with a message at the first request.
public protocol EventExecutor: TaskExecutor {
    /// For an actor's `unownedExecutor`. It is valid as long as the executor is held.
    var unownedSerialExecutor: UnownedSerialExecutor { get }

    /// What the executor runs on.
    var core: ExecutorCore { get }
}

/// The inside of an executor.
public struct ExecutorCore: Sendable {
    let loop: ExecutorLoop
    let waitsByItself: Bool

    /// - Parameter waitsByItself: whether requests wait in the kernel, which they do on blocking sockets only.
    init(_ loop: ExecutorLoop, waitsByItself: Bool) {
        self.loop = loop
        self.waitsByItself = waitsByItself
    }
}

extension EventExecutor {
    /// Suspends the task for a time on the monotonic clock, which does not go on while the machine sleeps.
    ///
    /// It takes no system call of its own: the executor's thread waits no longer than the first sleep.
    ///
    /// - Parameters:
    ///   - duration: 0 or less lets other jobs run and returns; the longest is 292 years.
    ///   - isolation: where the caller runs.
    /// - Throws: `ECANCELED` when the task was cancelled, or the executor shut down; `ESTALE` in a child of a fork.
    public func sleep(
        for duration: Duration, isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) {
        _ = try await carryOut(.sleep(nanoseconds: duration.wholeNanoseconds), isolation)
    }

    /// Suspends the task until a descriptor can be read, or has an error or an end to be read (`poll(2)`): for what is no
    /// socket, such as a timer, a signal descriptor or standard input.
    ///
    /// Several tasks may wait for one descriptor. On a ``SetExecutor`` it must not be one that is a connection or listener
    /// there at the same time: while an operation of either waits, the other throws `EBUSY`. A plain file cannot be waited
    /// for there.
    ///
    /// - Parameters:
    ///   - descriptor: borrowed until this returns.
    ///   - isolation: where the caller runs.
    /// - Throws: `ECANCELED`, `EBADF`; `EPERM` for a plain file and `EBUSY` for a connection on a ``SetExecutor``; `ESTALE`
    ///   in a child of a fork.
    public func waitUntilReadable(
        _ descriptor: BorrowedDescriptor, isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) {
        _ = try await carryOut(Request(.awaitReadable, descriptor, .next(drainsWhenShort: false)), isolation)
    }

    /// The same until it can be written.
    public func waitUntilWritable(
        _ descriptor: BorrowedDescriptor, isolation: isolated (any Actor)? = #isolation
    ) async throws(Errno) {
        _ = try await carryOut(Request(.awaitWritable, descriptor, .next(drainsWhenShort: false)), isolation)
    }

    /// The number that a call returned.
    func carryOut(_ request: Request, _ isolation: isolated (any Actor)?) async throws(Errno) -> Int32 {
        let result = await core.loop.carryOut(request, on: self, isolation: isolation)
        if result < 0 { throw Errno(rawValue: -result) }
        return result
    }

    /// True on the executor's own thread.
    public var isOnOwnThread: Bool { core.loop.isOwnThread }
}

extension Duration {
    /// Nanoseconds rounded up, from 0 for a negative time to 292 years.
    var wholeNanoseconds: Int {
        if self <= .zero { return 0 }
        guard self < .nanoseconds(Int64.max) else { return .max }
        return Int((attoseconds + 999_999_999) / 1_000_000_000)
    }
}
