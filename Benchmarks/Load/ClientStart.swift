package import Meters
import Synchronization

/// Where ready clients wait for the times of the run, and tell why they are not ready.
package final class ClientStart: Sendable {
    private let gate = StartGate()
    private let times = Locked<(RunWindow, Abandonment)?>(nil)
    private let hasGivenUp = Atomic(false)
    private let failure = Locked<FailureTally.Cause?>(nil)

    package init() {}

    /// True once the run will not take place: clients that still connect need not go on.
    var isGivenUp: Bool { hasGivenUp.load(ordering: .relaxed) }

    /// Arrives, and waits for the times; nil if the run will not take place.
    package func wait() -> (RunWindow, Abandonment)? {
        gate.arriveAndWait(isCounted: false)
        return times.withLock { $0 }
    }

    /// Keeps why a connection could not be made beforehand, for the first one where an error number does not say it.
    func note(_ cause: FailureTally.Cause) { failure.withLock { $0 = $0 ?? cause } }

    /// What was noted.
    var cause: FailureTally.Cause? { failure.withLock { $0 } }

    /// Counts a client that failed before it was ready.
    func arriveOnly() { gate.arriveOnly() }

    /// Waits until so many are ready or have failed.
    func waitForArrivals(_ count: Int) { gate.waitForArrivals(count) }

    /// True if so many are ready or have failed within a time.
    func waitForArrivals(_ count: Int, seconds: Double) -> Bool { gate.waitForArrivals(count, seconds: seconds) }

    /// Lets the clients begin.
    func begin(_ window: RunWindow, _ abandonment: Abandonment) {
        times.withLock { $0 = (window, abandonment) }
        gate.open()
    }

    /// Lets the clients end without a run.
    func giveUp() {
        hasGivenUp.store(true, ordering: .relaxed)
        gate.open()
    }
}
