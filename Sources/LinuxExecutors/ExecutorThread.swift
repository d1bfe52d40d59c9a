import Glibc
import SystemPackage

/// Names the calling thread: never 0.
@inline(__always) func currentThread() -> UInt { UInt(pthread_self()) }

/// Starts a thread that nobody joins (`pthread_create(3)`).
///
/// - Throws: `EAGAIN` where there may be no more threads.
func startThread(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    let start = unsafe Unmanaged.passRetained(ThreadStart(body)).toOpaque()
    var thread = pthread_t()
    let result = unsafe pthread_create(
        &thread, nil,
        { argument in
            if let argument = unsafe argument {
                unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().body()
            }
            return nil
        }, start)
    guard result == 0 else {
        unsafe Unmanaged<ThreadStart>.fromOpaque(start).release()
        throw Errno(rawValue: result)
    }
    pthread_detach(thread)
}

private final class ThreadStart: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// What a thread that starts up has to say to the one that started it.
@safe final class StartReport: @unchecked Sendable {
    // Unchecked: the semaphore orders what is written before it was posted.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private var failure: Errno?

    init() { unsafe sem_init(semaphore, 0, 0) }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    /// Says that the thread is ready, or why it never will be; once.
    func send(_ failure: Errno?) {
        self.failure = failure
        unsafe sem_post(semaphore)
    }

    /// Waits for the report, once.
    func receive() throws(Errno) {
        while unsafe sem_wait(semaphore) != 0 {}
        if let failure { throw failure }
    }
}
