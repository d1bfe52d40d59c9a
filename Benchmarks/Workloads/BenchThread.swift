import CSocketExtras
import Foundation
import Meters
import SystemPackage

/// A named, pinned thread with a result.
///
/// Built on Foundation's pthread wrappers and not on Dispatch, whose semaphores ThreadSanitizer cannot see.
final class BenchThread<Success: Sendable>: @unchecked Sendable {
    /// What the thread uses.
    let account = ThreadAccount()
    // Unchecked: `work` belongs to the thread, `outcome` is guarded by `finished`.
    private var work: (@Sendable () throws(Errno) -> Success)?
    private let finished = NSCondition()
    private var outcome: Result<Success, Errno>?

    /// Starts the thread.
    ///
    /// - Parameter unpinned: called instead of `body` when the kernel refuses the processor.
    init(
        _ name: String, processor: Int?, unpinned: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable () throws(Errno) -> Success
    ) {
        work = body
        let thread = Thread { [self] in
            // Foundation's own name reaches the kernel, top(1) and strace(1) by chance alone.
            _ = unsafe c_set_thread_name(name)
            account.open()
            if let processor, !Affinity.pinThisThread(to: processor) {
                unpinned()
                work = nil
                finish(.failure(.invalidArgument))
            } else {
                finish(run())
            }
        }
        thread.start()
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

    /// Waits for the end of the thread's body.
    func join() -> Result<Success, Errno> {
        finished.lock()
        defer { finished.unlock() }
        while true {
            if let outcome { return outcome }
            finished.wait()
        }
    }
}

/// A gate where threads arrive and wait until somebody opens it.
final class StartGate: @unchecked Sendable {
    // Unchecked: all state is guarded by `changed`.
    private let changed = NSCondition()
    private var arrived = 0
    private var isOpen = false

    /// Arrives and waits.
    func arriveAndWait() {
        changed.lock()
        defer { changed.unlock() }
        arrived += 1
        changed.broadcast()
        while !isOpen { changed.wait() }
    }

    /// Counts a thread that will never wait, because it failed.
    func arriveOnly() {
        changed.lock()
        arrived += 1
        changed.broadcast()
        changed.unlock()
    }

    /// Waits until so many have arrived.
    func waitForArrivals(_ count: Int) {
        changed.lock()
        defer { changed.unlock() }
        while arrived < count { changed.wait() }
    }

    /// Waits until so many have arrived, or the time is over; true if they have.
    func waitForArrivals(_ count: Int, seconds: Double) -> Bool {
        changed.lock()
        defer { changed.unlock() }
        let end = Date(timeIntervalSinceNow: seconds)
        while arrived < count, changed.wait(until: end) {}
        return arrived >= count
    }

    /// Lets everybody pass, now and later.
    func open() {
        changed.lock()
        isOpen = true
        changed.broadcast()
        changed.unlock()
    }
}
