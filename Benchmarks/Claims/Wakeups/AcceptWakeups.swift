import LinuxReadiness
import Loops

/// Which threads the kernel wakes for one connection: four wait for a listener on one set, or on one each, all seen
/// asleep when a client connects. No thread accepts, so the listener stays readable; a thread that wakes does not wait
/// again, which may wake others. When nothing changes any more, the threads that woke are counted.
///
/// `switched` counts the other threads that gave up the processor once more: the kernel had woken them, found the event
/// gone and put them back to sleep, which the program never sees.
let acceptWakeups = [
    wakeup(
        "lt", [], .sharedSet, wakesAll: true,
        "level-triggered, threads waiting on one set: every waiter wakes for one connection"),
    wakeup(
        "lt", [], .setPerWorker, wakesAll: true,
        "level-triggered, the listener in a set per thread: every waiter wakes for one connection"),
    wakeup(
        "et", .edgeTriggered, .sharedSet, wakesAll: false,
        "edge-triggered, threads waiting on one set: one waiter wakes per connection"),
    wakeup(
        "et", .edgeTriggered, .setPerWorker, wakesAll: true,
        "edge-triggered, the listener in a set per thread: each set has an edge of its own, so every waiter wakes",
        .manual("epoll(7)")),
    wakeup(
        "exclusive", .exclusive, .sharedSet, wakesAll: false,
        "level-triggered with EPOLLEXCLUSIVE: one waiter wakes per connection, here with one set for all"),
    wakeup(
        "exclusive", .exclusive, .setPerWorker, wakesAll: false,
        "level-triggered with EPOLLEXCLUSIVE: one waiter wakes per connection, here with a set per thread"),
    wakeup(
        "oneshot", [.edgeTriggered, .oneShot], .sharedSet, wakesAll: false,
        "edge-triggered with EPOLLONESHOT: one worker at a time has the listener, here with one set for all"),
    wakeup(
        "oneshot", [.edgeTriggered, .oneShot], .setPerWorker, wakesAll: false,
        "edge-triggered with EPOLLONESHOT: one worker at a time has the listener, here with a set per thread"),
]

private func wakeup(
    _ name: String, _ flags: EpollEvents, _ topology: Topology, wakesAll: Bool, _ statement: String,
    _ source: ClaimSource = .m1
) -> Experiment {
    Experiment(
        id: "accept-\(name)-\(topology.rawValue)", statement: statement, source: source,
        keys: ["workers", "woken"],
        observe: {
            var listener = try ScriptListener()
            let waiters = try Waiters(4, topology)
            defer { waiters.end() }
            try waiters.watch(listener.descriptor, flags.union(.readable))
            try waiters.allWait()
            let before = waiters.threads.map(\.state.voluntarySwitches)
            try listener.admit()
            let woken = try waiters.woken()
            let after = waiters.threads.map(\.state.voluntarySwitches)
            listener.end()
            return [
                "workers": woken.count, "woken": woken.count(where: \.self),
                "switched": woken.indices.count { !woken[$0] && after[$0] > before[$0] },
            ]
        },
        judge: { observed in
            let expected = wakesAll ? observed["workers"] : 1
            if observed["woken"] == expected { return .holds }
            // Some, neither one nor all: the statement is about a number that this is not.
            return (2..<observed["workers"].number).contains(observed["woken"].number) ? .depends : .doesNotHold
        },
        explain: { "\($0["woken"]) of \($0["workers"]) waiting threads woke for one connection." })
}
