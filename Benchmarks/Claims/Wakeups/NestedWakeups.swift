import LinuxDescriptors
import LinuxReadiness
import Loops

/// Which threads the kernel wakes for one event in a set that is in another set: four wait for the outer set, or for one
/// outer set each, all seen asleep when a counter in the inner set is signalled. Nobody takes the event.
///
/// - `woken`: one outer set, level-triggered; `woken_et`: edge-triggered in the outer set; `woken_inner_et`: in the inner
///   one.
/// - `woken_sets`: an outer set each, level-triggered; `woken_sets_et`: edge-triggered.
let nestedWakeups = Experiment(
    id: "epoll-nested-wakeups", statement: "a set in a set wakes all waiters of the outer one",
    source: .selfTest("epoll_wakeup_test.c"), keys: ["workers", "woken", "woken_et", "woken_sets"],
    observe: {
        [
            "workers": workers, "woken": try wokenOf(.sharedSet),
            "woken_et": try wokenOf(.sharedSet, outer: .edgeTriggered), "woken_sets": try wokenOf(.setPerWorker),
            "woken_inner_et": try wokenOf(.sharedSet, inner: .edgeTriggered),
            "woken_sets_et": try wokenOf(.setPerWorker, outer: .edgeTriggered),
        ]
    },
    judge: { observed in
        .init(parts: ["woken", "woken_et", "woken_sets"].map { observed[$0] == observed["workers"] })
    },
    explain: {
        "Of \($0["workers"]) waiters of one outer set \($0["woken"]) wake, \($0["woken_et"]) where it watches the inner "
            + "one edge-triggered; of \($0["workers"]) outer sets with a waiter each \($0["woken_sets"])."
    })

private let workers = 4

private func wokenOf(
    _ topology: Topology, outer: EpollEvents = [], inner: EpollEvents = []
) throws -> Int {
    let set = try Epoll()
    let counter = try EventFD()
    try set.add(counter.descriptor, inner.union(.readable), token: 0)
    let waiters = try Waiters(workers, topology)
    defer { waiters.end() }
    try waiters.watch(set.descriptor, outer.union(.readable))
    try waiters.allWait()
    try counter.add()
    let woken = try waiters.woken().count(where: \.self)
    withExtendedLifetime(counter) {}
    withExtendedLifetime(set) {}
    return woken
}
