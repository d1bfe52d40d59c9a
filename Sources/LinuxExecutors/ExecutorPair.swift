/// The two faces of an executor, by which the runtime knows on whose behalf a job runs: `TaskExecutor` for tasks that
/// prefer it, `SerialExecutor` for actors that are isolated to it.
///
/// A job must run on behalf of the face that it came by. The runtime compares what a function is isolated to with what
/// the job was run for, and where they differ it queues the job again: run for the other face, each call of an
/// asynchronous function would go through the queue once more.
@safe struct ExecutorPair: Sendable {
    let task: UnownedTaskExecutor
    let serial: UnownedSerialExecutor

    @inline(__always) func run(_ job: QueuedJob) {
        if job.isIsolated {
            unsafe job.job.runSynchronously(isolatedTo: serial, taskExecutor: task)
        } else {
            unsafe job.job.runSynchronously(on: task)
        }
    }
}

/// The face that an executor shows to actors.
final class ActorExecutor: SerialExecutor {
    private let loop: ExecutorLoop

    init(_ loop: ExecutorLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) { loop.enqueue(UnownedJob(job), isIsolated: true) }

    /// For `preconditionIsolated()` where the runtime does not know.
    func checkIsolated() {
        precondition(loop.isOwnThread, "not on the thread of the executor that the actor is isolated to")
    }

    func isIsolatingCurrentContext() -> Bool? { loop.isOwnThread }
}
