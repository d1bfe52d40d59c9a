package import Meters
import Synchronization

/// What one client thread saw.
package struct ClientResult: Sendable {
    /// Latencies of the operations that started in the window.
    package var latencies = LatencyRecorder()
    /// Operations that failed, the warm-up's too.
    package var failures = FailureTally()
    /// Operations that started in the window and failed.
    package var failedInWindow: UInt64 = 0
    /// Operations without an answer at the deadline, and scheduled ones that could not start.
    package var lost: UInt64 = 0
    /// When the last operation was answered.
    package var lastAnswer: UInt64 = 0
    /// Operations that were due in the window; nil in a closed loop.
    package var due: UInt64?
    /// When operations were completed.
    package var timeline = CompletionTimeline()

    package init(latencies: LatencyRecorder = LatencyRecorder()) { self.latencies = latencies }

    /// Counts an operation that failed.
    @inline(never) mutating func fail(_ cause: FailureTally.Cause, isMeasured: Bool) {
        failures.note(cause)
        if isMeasured { failedInWindow += 1 }
    }
}

/// Tells client threads to give up at once.
package final class Abandonment: Sendable {
    private let flag = Atomic(false)
    private let action = Locked<(@Sendable () -> Void)?>(nil)

    package var isRequested: Bool { flag.load(ordering: .relaxed) }

    package func request() {
        flag.store(true, ordering: .relaxed)
        action.withLock { $0 }?()
    }

    /// Sets what wakes threads that would not look at the flag.
    package func onRequest(_ wake: @escaping @Sendable () -> Void) {
        action.withLock { $0 = wake }
    }
}
