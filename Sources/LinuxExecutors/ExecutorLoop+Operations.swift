import Glibc
import LinuxDescriptors
import SystemPackage

/// Operations: what a task is suspended for. All but the cancellation is the thread's own.
extension ExecutorLoop {
    /// `ECANCELED` as the kernel has it in completions.
    static var canceled: Int32 { -ECANCELED }

    /// Does what a request asks for, on the executor's thread; without a turn in the queue if a task is there that is
    /// isolated to no actor.
    ///
    /// - Returns: what the system call would have returned, or a negative error number.
    func carryOut(
        _ request: Request, on executor: any EventExecutor, isolation: isolated (any Actor)?
    ) async -> Int32 {
        // After a fork the kernel's side is shared with the parent.
        if !stamp.isCurrent { return -ESTALE }
        // A function that is isolated to an actor runs where that runs, which need not be here when it is resumed; and the
        // closures in it go to the executor that the task prefers, if any. A task that was begun here without a preference
        // (`Task.immediate`) would be resumed elsewhere.
        guard isOwnThread && isolation == nil && isPreferred else {
            return await withTaskExecutorPreference(executor) { await performElsewhere(request) }
        }
        // Each function that is called here costs a look at where the task prefers to run, under a lock: so there are few.
        if isClosing { return Self.canceled }
        if request.deed == .sleep { return await sleep(nanoseconds: UInt64(request.count)) }
        return await performRequest(request)
    }

    /// Runs where the task prefers to, whatever the caller is isolated to.
    @concurrent private func performElsewhere(_ request: Request) async -> Int32 {
        expectOwnThread()
        if isClosing { return Self.canceled }
        if request.deed == .sleep { return await sleep(nanoseconds: UInt64(request.count)) }
        return await performRequest(request)
    }

    /// Whether the calling task is resumed here.
    private var isPreferred: Bool {
        unsafe withUnsafeCurrentTask { task in
            guard let preference = unsafe task?.unownedTaskExecutor else { return false }
            return unsafe isOwn(preference)
        }
    }

    /// Everything here belongs to the thread; a task of another one would spoil it.
    @inline(__always) func expectOwnThread() {
        precondition(isOwnThread, "an operation of an executor on another thread")
    }

    /// Resumes who waits for an operation.
    @inline(__always) func finish(_ name: UInt64, _ result: Int32) {
        if let continuation = unsafe operations.pointee.end(name) { unsafe continuation.resume(returning: result) }
    }

    /// Cancels an operation that lives.
    func cancel(_ name: UInt64) {
        guard let operation = unsafe operations.pointee.find(name) else { return }
        switch unsafe operation.pointee.state {
        case .free, .abandoned, .ending: return
        case .begun: unsafe operation.pointee.state = .abandoned
        case .waiting where unsafe operation.pointee.kind == .timer:
            unsafe timers.pointee.remove(OperationTable.index(name), operations.pointee)
            finish(name, Self.canceled)
        case .waiting:
            unsafe operation.pointee.state = .ending
            cancelRequest(name)
        }
    }

    // MARK: Sleeping

    /// Suspends the task for a time.
    ///
    /// - Returns: 0, or a negative error number.
    private nonisolated(nonsending) func sleep(nanoseconds: UInt64) async -> Int32 {
        let (deadline, isTooLarge) = monotonicNanoseconds().addingReportingOverflow(nanoseconds)
        let name = unsafe operations.pointee.begin(.timer)
        return await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { continuation in
                expectOwnThread()
                guard unsafe operations.pointee.suspend(name, continuation) else {
                    return finish(name, Self.canceled)
                }
                unsafe timers.pointee.insert(
                    OperationTable.index(name), until: isTooLarge ? .max : deadline, operations.pointee)
            }
        } onCancel: {
            requestCancellation(of: name)
        }
    }

    /// Resumes those whose sleep has ended.
    func fireTimers() {
        if unsafe timers.pointee.firstDeadline == nil { return }
        let now = monotonicNanoseconds()
        while let operation = unsafe timers.pointee.popEnded(at: now, operations.pointee) {
            finish(unsafe operations.pointee.name(operation), 0)
        }
    }

    /// How long to wait at the most, for the first sleep; nil for ever.
    var waitLimit: Duration? {
        guard let deadline = unsafe timers.pointee.firstDeadline else { return nil }
        let now = monotonicNanoseconds()
        return .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
