import CBenchExtras
import Foundation
package import SystemPackage

/// A named, pinned thread with a result.
///
/// Built on pthreads: ThreadSanitizer cannot see Dispatch's semaphores, and Foundation's `Thread` does not tell when
/// there is no thread left to have.
package final class BenchThread<Success: Sendable>: @unchecked Sendable {
    /// What the thread uses.
    package let account = ThreadAccount()
    // Unchecked: `work` belongs to the thread, `outcome` is guarded by `finished`.
    private var work: (@Sendable () throws(Errno) -> Success)?
    private let finished = NSCondition()
    private var outcome: Result<Success, Errno>?
    /// What the kernel refused; nil if it refused nothing. To be read after ``join()``.
    package private(set) var refusal: Refusal?

    /// What a thread can be refused.
    package enum Refusal {
        /// The thread itself.
        case thread
        /// The processor it was to run on.
        case processor(Int)
    }

    /// Starts the thread.
    ///
    /// - Parameter refused: called instead of `body` when the kernel refuses the thread or the processor; a refused
    ///   thread it calls before this returns.
    package init(
        _ name: String, processor: Int?, refused: @escaping @Sendable (Errno) -> Void = { _ in },
        _ body: @escaping @Sendable () throws(Errno) -> Success
    ) {
        work = body
        let error = startThread { [self] in
            // The name reaches the kernel, top(1) and strace(1).
            _ = unsafe c_set_thread_name(name)
            account.open()
            do throws(Errno) {
                if let processor { try Affinity.pinThisThread(to: processor) }
                finish(run())
            } catch {
                refuse(.processor(processor ?? 0), error, refused)
            }
        }
        if let error { refuse(.thread, error, refused) }
    }

    private func refuse(_ refusal: Refusal, _ error: Errno, _ refused: (Errno) -> Void) {
        self.refusal = refusal
        refused(error)
        work = nil
        finish(.failure(error))
    }

    /// Runs the body once and lets go of it, so that who joins finds everything closed that the body held.
    private func run() -> Result<Success, Errno> {
        defer { work = nil }
        do throws(Errno) {
            return .success(try work!())
        } catch {
            return .failure(error)
        }
    }

    private func finish(_ result: Result<Success, Errno>) {
        account.close()
        finished.lock()
        outcome = result
        finished.broadcast()
        finished.unlock()
    }

    /// True when the thread's body has ended.
    package var isFinished: Bool {
        finished.lock()
        defer { finished.unlock() }
        return outcome != nil
    }

    /// Waits for the end of the thread's body.
    package func join() -> Result<Success, Errno> {
        finished.lock()
        defer { finished.unlock() }
        while true {
            if let outcome { return outcome }
            finished.wait()
        }
    }
}

/// Starts a detached thread (`pthread_create(3)`); returns why there is none, `EAGAIN` at a limit of threads or of
/// memory.
package func startThread(_ body: @escaping @Sendable () -> Void) -> Errno? {
    /// What a C function pointer cannot hold.
    final class Body {
        let call: @Sendable () -> Void
        init(_ call: @escaping @Sendable () -> Void) { self.call = call }
    }
    let retained = unsafe Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
        &thread, nil,
        { argument in
            let body = unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
            body.call()
            return nil
        }, retained.toOpaque())
    guard code == 0 else {
        unsafe retained.release()
        return Errno(rawValue: code)
    }
    pthread_detach(thread)
    return nil
}

/// A gate where threads arrive and wait until somebody opens it.
package final class StartGate: @unchecked Sendable {
    // Unchecked: all state is guarded by `changed`.
    private let changed = NSCondition()
    private var arrived = 0
    private var isOpen = false
    private let calls: CallCounter?

    /// - Parameter calls: counts what threads do that have passed, not what waiting here takes.
    package init(calls: CallCounter? = nil) { self.calls = calls }

    /// Arrives and waits.
    ///
    /// - Parameter isCounted: false for a thread whose system calls are not the server's.
    package func arriveAndWait(isCounted: Bool = true) {
        changed.lock()
        arrived += 1
        changed.broadcast()
        while !isOpen { changed.wait() }
        changed.unlock()
        if isCounted { calls?.watchThisThread() }
    }

    /// Counts a thread that will never wait, because it failed.
    package func arriveOnly() {
        changed.lock()
        arrived += 1
        changed.broadcast()
        changed.unlock()
    }

    /// Waits until so many have arrived.
    package func waitForArrivals(_ count: Int) {
        changed.lock()
        defer { changed.unlock() }
        while arrived < count { changed.wait() }
    }

    /// Waits until so many have arrived, or the time is over; true if they have.
    package func waitForArrivals(_ count: Int, seconds: Double) -> Bool {
        changed.lock()
        defer { changed.unlock() }
        let end = Date(timeIntervalSinceNow: seconds)
        while arrived < count, changed.wait(until: end) {}
        return arrived >= count
    }

    /// Lets everybody pass, now and later.
    package func open() {
        changed.lock()
        isOpen = true
        changed.broadcast()
        changed.unlock()
    }
}
