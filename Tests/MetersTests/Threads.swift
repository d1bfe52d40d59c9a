import Foundation

/// Calls `body` on `count` new threads at once, with a number for each, and returns when all have ended.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let ended = Signal()
    for index in 0..<count {
        Thread {
            body(index)
            ended.give()
        }.start()
    }
    for _ in 0..<count { ended.take() }
}

/// A counting semaphore made of a condition, which ThreadSanitizer understands.
final class Signal: @unchecked Sendable {
    // Unchecked: `count` is guarded by `changed`.
    private let changed = NSCondition()
    private var count = 0

    func give() {
        changed.lock()
        count += 1
        changed.signal()
        changed.unlock()
    }

    func take() {
        changed.lock()
        defer { changed.unlock() }
        while count == 0 { changed.wait() }
        count -= 1
    }
}
