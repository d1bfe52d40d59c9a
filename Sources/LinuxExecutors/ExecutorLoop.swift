import Glibc
import LinuxDescriptors
import LinuxReadiness
import Synchronization
import SystemPackage

/// What the executors have in common: a thread that runs jobs until there is none, then waits in the kernel, and what
/// other threads need to add to its work.
///
/// Two kinds of state lie here. What is behind a pointer belongs to the executor's thread: no other touches it, and
/// nothing holds an access to it while a task is resumed, because resuming comes back to ``enqueue(_:isIsolated:)``.
/// Everything else is under the inbox's lock, or atomic.
@safe class ExecutorLoop: @unchecked Sendable {
    private let jobs: UnsafeMutablePointer<GrowingQueue<QueuedJob>>
    private let arrivedJobs: UnsafeMutablePointer<GrowingQueue<QueuedJob>>
    private let arrivedCancellations: UnsafeMutablePointer<GrowingQueue<UInt64>>
    let operations: UnsafeMutablePointer<OperationTable>
    let timers: UnsafeMutablePointer<TimerHeap>
    /// Whether requests are refused, and those that are pending cancelled; the thread's own.
    private let closing: UnsafeMutablePointer<Bool>
    /// How many jobs may run before the kernel is asked what has happened; the thread's own.
    private let jobsLeft: UnsafeMutablePointer<Int>

    let inbox = Locked(Inbox())
    /// The thread waits in the kernel or is about to; set under the lock.
    private let isAsleep = Atomic(false)
    /// The thread that owns all this: its `pthread_t`, 0 when there is none.
    private let owner = Atomic<UInt>(0)
    /// Adding to it ends the thread's wait.
    let alarm: EventFD
    /// Readable when the thread has ended.
    let end: EventFD
    let stamp = ForkStamp.current()
    /// Whom jobs are run for; set once, before any job comes.
    private var executors: ExecutorPair?

    /// How many jobs are run before the kernel is asked again what has happened.
    private let jobsInARow: Int

    /// What can fail comes before an instance: one that fails in its initializer frees nothing that it has allocated.
    ///
    /// - Parameters:
    ///   - alarm: see ``makeAlarm()``.
    ///   - end: what becomes readable in the end.
    init(jobsInARow: Int, alarm: consuming EventFD, end: consuming EventFD) {
        precondition(jobsInARow > 0, "an executor runs one job at least before it looks for events")
        self.jobsInARow = jobsInARow
        self.alarm = alarm
        self.end = end
        unsafe jobs = .allocate(capacity: 1)
        unsafe jobs.initialize(to: GrowingQueue())
        unsafe arrivedJobs = .allocate(capacity: 1)
        unsafe arrivedJobs.initialize(to: GrowingQueue())
        unsafe arrivedCancellations = .allocate(capacity: 1)
        unsafe arrivedCancellations.initialize(to: GrowingQueue(capacity: 16))
        unsafe operations = .allocate(capacity: 1)
        unsafe operations.initialize(to: OperationTable())
        unsafe timers = .allocate(capacity: 1)
        unsafe timers.initialize(to: TimerHeap())
        unsafe closing = .allocate(capacity: 1)
        unsafe closing.initialize(to: false)
        unsafe jobsLeft = .allocate(capacity: 1)
        unsafe jobsLeft.initialize(to: jobsInARow)
    }

    /// A ring waits for the alarm with a read, which must not fail when there is nothing to read.
    static func makeAlarm() throws(Errno) -> EventFD { try EventFD([]) }

    deinit {
        unsafe jobs.deinitialize(count: 1).deallocate()
        unsafe arrivedJobs.deinitialize(count: 1).deallocate()
        unsafe arrivedCancellations.deinitialize(count: 1).deallocate()
        unsafe operations.deinitialize(count: 1).deallocate()
        unsafe timers.deinitialize(count: 1).deallocate()
        unsafe closing.deallocate()
        unsafe jobsLeft.deallocate()
    }

    // MARK: What a way of waiting adds

    /// Does what a request asks for; the task is suspended until it is done or cancelled.
    ///
    /// - Returns: what the system call would have returned, or a negative error number.
    nonisolated(nonsending) func performRequest(_ request: Request) async -> Int32 {
        preconditionFailure("a loop without requests")
    }

    /// Asks the kernel what has happened, and resumes whom it concerns.
    ///
    /// - Parameter waiting: whether to wait until something happens, or until the first sleep ends.
    func visitKernel(waiting: Bool) { preconditionFailure("a loop without a way to wait") }

    /// Sees to it that a suspended operation of the kernel ends soon, with `ECANCELED` unless it is done already.
    func cancelRequest(_ name: UInt64) { preconditionFailure("a loop without requests") }

    /// Ends what the thread waits with; no operation is pending.
    func closeKernel() { preconditionFailure("a loop without a way to wait") }

    /// What was done so far; the thread's own.
    var counts: ExecutorCounts { preconditionFailure("a loop without counts") }

    // MARK: The thread

    @inline(__always) var isOwnThread: Bool { owner.load(ordering: .relaxed) == currentThread() }

    /// True once requests are refused; the thread's own.
    @inline(__always) var isClosing: Bool { unsafe closing.pointee }

    /// Says whom jobs are to be run for; once, before the executor is shown to anybody.
    func serve(_ executors: ExecutorPair) { self.executors = executors }

    /// Whether a task's preference is this loop's executor.
    @unsafe @inline(__always) func isOwn(_ preference: UnownedTaskExecutor) -> Bool {
        guard let executors else { return false }
        return unsafe executors.task == preference
    }

    /// Makes the calling thread the owner.
    func takeOver() { owner.store(currentThread(), ordering: .relaxed) }

    /// Runs jobs and waits, until it is told to close and no operation is pending; then runs the jobs that are left.
    func run() {
        guard let executors else { return }
        while true {
            runJobs(executors)
            let hasMore = unsafe !jobs.pointee.isEmpty
            if hasMore {
                _ = takeMessages(beforeWaiting: false)
            } else {
                if takeMessages(beforeWaiting: true) { continue }
                if unsafe isClosing && operations.pointee.count == 0 { break }
            }
            visitKernel(waiting: !hasMore)
            isAsleep.store(false, ordering: .relaxed)
            fireTimers()
            unsafe jobsLeft.pointee = jobsInARow
        }
        isAsleep.store(false, ordering: .relaxed)
        closeKernel()
        let waiters = inbox.withLock { inbox in
            inbox.isClosed = true
            defer { inbox.waiters = [] }
            return inbox.waiters
        }
        for waiter in waiters { unsafe waiter.continuation.resume() }
        runOut(executors)
        _ = try? end.add()
    }

    /// Runs jobs until none is left, without a way to wait, and gives the thread up.
    private func runOut(_ executors: ExecutorPair) {
        while true {
            unsafe jobsLeft.pointee = .max
            runJobs(executors)
            let isOver = inbox.withLock { inbox in
                guard inbox.isEmpty else { return false }
                inbox.hasThread = false
                owner.store(0, ordering: .relaxed)
                return true
            }
            if isOver { return }
            _ = takeMessages(beforeWaiting: false)
        }
    }

    private func runJobs(_ executors: ExecutorPair) {
        while unsafe jobsLeft.pointee > 0, let job = unsafe jobs.pointee.popFirst() {
            unsafe jobsLeft.pointee -= 1
            executors.run(job)
        }
    }

    /// Has the kernel asked what has happened before any other job runs.
    func visitKernelSoon() { unsafe jobsLeft.pointee = 0 }

    /// Takes what other threads have put into the inbox.
    ///
    /// The flag that says that the thread must be woken is set in the same critical section that has found the inbox
    /// empty, and whoever puts something in looks at it in theirs. So whatever is put in is either found here, or
    /// followed by a wake.
    ///
    /// - Returns: whether there was something.
    private func takeMessages(beforeWaiting: Bool) -> Bool {
        let (isEmpty, mustClose) = inbox.withLock { inbox in
            let mustClose = inbox.mustClose
            if inbox.isEmpty {
                if beforeWaiting { isAsleep.store(true, ordering: .relaxed) }
                return (true, mustClose)
            }
            unsafe swap(&inbox.jobs, &arrivedJobs.pointee)
            unsafe swap(&inbox.cancellations, &arrivedCancellations.pointee)
            return (false, mustClose)
        }
        if !isEmpty {
            while let job = unsafe arrivedJobs.pointee.popFirst() { unsafe jobs.pointee.append(job) }
            while let name = unsafe arrivedCancellations.pointee.popFirst() { cancel(name) }
        }
        guard mustClose, !isClosing else { return !isEmpty }
        unsafe closing.pointee = true
        for name in unsafe operations.pointee.names { cancel(name) }
        return true
    }

    // MARK: What others ask for

    /// Adds a job; from any thread.
    @inline(__always) func enqueue(_ job: UnownedJob, isIsolated: Bool) {
        if !stamp.isCurrent { refuseInChild() }
        if isOwnThread {
            unsafe jobs.pointee.append(QueuedJob(job, isIsolated: isIsolated))
            return
        }
        let arousal = inbox.withLock { inbox in
            inbox.jobs.append(QueuedJob(job, isIsolated: isIsolated))
            return arouse(&inbox)
        }
        switch arousal {
        case .none: break
        case .wake: wake()
        case .start: startLateThread()
        }
    }

    /// Cancels an operation; from any thread, and again and again.
    func requestCancellation(of name: UInt64) {
        if !stamp.isCurrent { return }
        if isOwnThread { return cancel(name) }
        let arousal = inbox.withLock { inbox in
            // Without a thread nothing is pending.
            guard inbox.hasThread else { return Arousal.none }
            inbox.cancellations.append(name)
            return arouse(&inbox)
        }
        if arousal == .wake { wake() }
    }

    /// Has all requests ended, and refuses further ones; from any thread. In the child of a fork, whose parent has the
    /// requests and whose copy of the lock may be held for ever, it does nothing.
    func beginClosing() {
        if !stamp.isCurrent { return }
        let arousal = inbox.withLock { inbox in
            inbox.mustClose = true
            return inbox.hasThread ? arouse(&inbox) : .none
        }
        if arousal == .wake { wake() }
    }

    /// What must be done after something was put into the inbox, whose lock is held.
    private func arouse(_ inbox: inout Inbox) -> Arousal {
        if !inbox.hasThread {
            inbox.hasThread = true
            return .start
        }
        guard isAsleep.load(ordering: .relaxed) else { return .none }
        // The next one need not wake it again.
        isAsleep.store(false, ordering: .relaxed)
        return .wake
    }

    private func wake() {
        do throws(Errno) {
            try alarm.add()
        } catch {
            preconditionFailure("the alarm of an executor cannot be set off: \(error)")
        }
    }

    /// Runs jobs that came after the executor's own thread had ended.
    private func startLateThread() {
        guard let executors else { return }
        do throws(Errno) {
            try startThread { [self] in
                takeOver()
                _ = takeMessages(beforeWaiting: false)
                runOut(executors)
            }
        } catch {
            preconditionFailure("no thread for a job of an executor that was shut down: \(error)")
        }
    }

    @inline(never) private func refuseInChild() -> Never {
        preconditionFailure("a task of an executor of the parent process cannot go on after fork(2)")
    }
}
