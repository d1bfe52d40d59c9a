// One thread wakes another: the example of eventfd(2), with epoll in place of a read that waits.

import Foundation
import LinuxReadiness

/// What both threads share. The counter may be used by several threads at once, so no lock is needed.
final class Shared: Sendable {
    let counter: EventFD
    let additions: UInt64 = 1000

    init() throws {
        counter = try EventFD()
    }
}

func run() throws {
    let shared = try Shared()
    let set = try Epoll()
    let events = EpollEventBuffer(capacity: 1)
    try set.add(shared.counter.descriptor, .readable, token: 1)

    Thread.detachNewThread {
        for _ in 0..<shared.additions { _ = try? shared.counter.add() }
    }

    var sum: UInt64 = 0
    var wakeups = 0
    while sum < shared.additions {
        _ = try set.wait(into: events)
        wakeups += 1
        // It takes all that was added until now, so there are fewer wake-ups than additions.
        sum += try shared.counter.take() ?? 0
    }
    print("\(sum) additions, \(wakeups) wake-ups")
}

do {
    try run()
} catch {
    print("wake-eventfd: \(error)")
    exit(1)
}
