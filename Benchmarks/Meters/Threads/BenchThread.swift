import CBenchExtras
import Foundation
package import SystemPackage

/// A named, pinned thread with a result.
///
/// Built on pthreads: ThreadSanitizer cannot see Dispatch's semaphores, and Foundation's `Thread` does not report that
/// the kernel refused a thread.
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

    /// Runs the body once. Releases its captures before ``join()`` returns, so that what they own is closed by then.
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
        finished.withLock {
            outcome = result
            finished.broadcast()
        }
    }

    /// True when the thread's body has ended.
    package var isFinished: Bool { finished.withLock { outcome != nil } }

    /// Waits for the end of the thread's body.
    package func join() -> Result<Success, Errno> {
        finished.withLock {
            while outcome == nil { finished.wait() }
            return outcome!
        }
    }
}
