/// What other threads have for an executor's thread. It lies under a lock, and so does everything that decides whether
/// that thread must be woken, so that no wake can be lost: see ``ExecutorLoop/takeMessages(beforeWaiting:)``.
struct Inbox: ~Copyable, Sendable {
    /// Jobs to be run.
    var jobs = GrowingQueue<QueuedJob>()
    /// Operations whose tasks were cancelled.
    var cancellations = GrowingQueue<UInt64>(capacity: 16)
    /// The executor is to end its requests.
    var mustClose = false
    /// A thread takes what is put here; false after the executor's own thread has ended.
    var hasThread = true
    /// Tasks that wait for the end of the requests.
    var waiters: [EndWaiter] = []
    /// The requests are over.
    var isClosed = false

    var isEmpty: Bool { jobs.isEmpty && cancellations.isEmpty }
}

/// A task that waits for the end of an executor's requests.
@safe struct EndWaiter: Sendable {
    let continuation: UnsafeContinuation<Void, Never>
}

/// What is to be done for a thread after something was put into its inbox.
enum Arousal {
    /// It is awake.
    case none
    /// It waits in the kernel, or is about to.
    case wake
    /// It has ended.
    case start
}
