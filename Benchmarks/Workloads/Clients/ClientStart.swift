import Foundation

/// Where clients that are connected wait for the times of the run.
final class ClientStart: @unchecked Sendable {
    // Unchecked: all state is guarded by `changed`.
    private let changed = NSCondition()
    private var isDecided = false
    private var start: (RunWindow, Abandonment)?

    /// Lets the clients begin.
    func begin(_ window: RunWindow, _ abandonment: Abandonment) {
        decide((window, abandonment))
    }

    /// Sends the clients home.
    func giveUp() {
        decide(nil)
    }

    /// Waits for the times; nil if the run will not take place.
    func wait() -> (RunWindow, Abandonment)? {
        changed.lock()
        defer { changed.unlock() }
        while !isDecided { changed.wait() }
        return start
    }

    private func decide(_ start: (RunWindow, Abandonment)?) {
        changed.lock()
        self.start = start
        isDecided = true
        changed.broadcast()
        changed.unlock()
    }
}
