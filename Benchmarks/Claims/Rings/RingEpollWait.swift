import LinuxReadiness
import LinuxRings
import SystemPackage

/// What a ring brings of an epoll set: two edges come to a set, once while a poll of the set is pending in the ring, once
/// while a wait for it is (`IORING_OP_EPOLL_WAIT`). What the ring did not bring a call of `epoll_wait(2)` still finds.
///
/// `told` counts the events that came with the completion, `left` and `left_by_poll` those that were
/// still in the set.
let ringEpollWait = Experiment(
    id: "uring-epoll-wait", statement: "a ring can wait for an epoll set itself, and no epoll_wait is needed",
    source: .liburing("IORING_OP_EPOLL_WAIT, 2025"), needs: [.epollWait],
    keys: ["told", "left", "left_by_poll"],
    observe: {
        let polled = try waitForEdges { (ring, set, _) throws(Errno) in
            try ring.preparePoll(set.descriptor, .readable, token: 1)
        }
        let waited = try waitForEdges { (ring, set, events) throws(Errno) in
            unsafe try ring.prepareEpollWait(set.descriptor, into: events.memory, token: 1)
        }
        return ["told": waited.result, "left": waited.left, "left_by_poll": polled.left]
    },
    judge: { .init(holds: $0["told"] == 2 && $0["left"] == 0) },
    explain: {
        "Of 2 events \($0["told"]) come with the completion; after a poll of the set \($0["left_by_poll"]) are left to "
            + "be asked for."
    })

private func waitForEdges(
    _ prepare: (inout Ring, borrowing Epoll, borrowing EpollEventBuffer) throws(Errno) -> Void
) throws -> (result: Int, left: Int) {
    let events = EpollEventBuffer(capacity: 8)
    let set = try Epoll()
    let first = try EventFD()
    let second = try EventFD()
    try set.add(first.descriptor, [.readable, .edgeTriggered], token: 1)
    try set.add(second.descriptor, [.readable, .edgeTriggered], token: 2)
    var ring = try Ring.forThisThread(entries: 8)
    try prepare(&ring, set, events)
    try ring.submit()
    try first.add()
    try second.add()
    _ = try ring.submitAndWait(timeout: .nanoseconds(Patience.limitNanoseconds))
    guard let completion = ring.nextCompletion() else { throw Undecided("the ring did not complete within 10 s") }
    if let error = completion.error { throw error }
    let left = try set.wait(into: events, timeout: .zero)
    // Until here both are open: a closed one is no longer watched.
    withExtendedLifetime(first) {}
    withExtendedLifetime(second) {}
    return (Int(completion.result), left)
}
