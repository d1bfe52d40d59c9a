import Foundation

/// A gate where threads arrive and wait until it is opened.
package final class StartGate: @unchecked Sendable {
    // Unchecked: all state is guarded by `changed`.
    private let changed = NSCondition()
    private var arrived = 0
    private var isOpen = false
    private let calls: CallCounter?

    /// - Parameter calls: counts what threads do that have passed, not what waiting here takes.
    package init(calls: CallCounter? = nil) { self.calls = calls }

    /// Arrives, and waits until the gate is open.
    ///
    /// - Parameter isCounted: false for a thread whose system calls are not the server's.
    package func arriveAndWait(isCounted: Bool = true) {
        changed.withLock {
            arrived += 1
            changed.broadcast()
            while !isOpen { changed.wait() }
        }
        if isCounted { calls?.watchThisThread() }
    }

    /// Counts a thread that will never wait, because it failed.
    package func arriveOnly() {
        changed.withLock {
            arrived += 1
            changed.broadcast()
        }
    }

    /// Waits until so many have arrived.
    package func waitForArrivals(_ count: Int) {
        changed.withLock { while arrived < count { changed.wait() } }
    }

    /// Waits until so many have arrived, or the time is over; true if they have.
    package func waitForArrivals(_ count: Int, seconds: Double) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        return changed.withLock {
            while arrived < count, changed.wait(until: end) {}
            return arrived >= count
        }
    }

    /// Lets all threads pass, now and later.
    package func open() {
        changed.withLock {
            isOpen = true
            changed.broadcast()
        }
    }
}
