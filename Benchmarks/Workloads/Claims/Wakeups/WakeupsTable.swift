import LinuxReadiness

extension Experiment {
    /// Four threads wait, a connection arrives, and nobody accepts it yet: who is woken?
    static let wakeups: [Experiment] = [
        wakeup(
            "lt", [], .sharedSet, .everyWaiter,
            "level-triggered, threads waiting on one set: every waiter wakes for one connection", .m1),
        wakeup(
            "lt", [], .setPerWorker, .everyWaiter,
            "level-triggered, the listener in a set per thread: every waiter wakes for one connection", .m1),
        wakeup(
            "et", .edgeTriggered, .sharedSet, .oneWaiter,
            "edge-triggered, threads waiting on one set: one waiter wakes per connection", .m1),
        wakeup(
            "et", .edgeTriggered, .setPerWorker, .everyWaiter,
            "edge-triggered, the listener in a set per thread: each set has an edge of its own, so every waiter wakes",
            .manual("epoll(7)")),
        wakeup(
            "exclusive", .exclusive, .sharedSet, .oneWaiter,
            "level-triggered with EPOLLEXCLUSIVE: one waiter wakes per connection, here with one set for all", .m1),
        wakeup(
            "exclusive", .exclusive, .setPerWorker, .oneWaiter,
            "level-triggered with EPOLLEXCLUSIVE: one waiter wakes per connection, here with a set per thread", .m1),
        wakeup(
            "oneshot", [.edgeTriggered, .oneShot], .sharedSet, .oneWaiter,
            "edge-triggered with EPOLLONESHOT: one worker at a time has the listener, here with one set for all", .m1),
        wakeup(
            "oneshot", [.edgeTriggered, .oneShot], .setPerWorker, .oneWaiter,
            "edge-triggered with EPOLLONESHOT: one worker at a time has the listener, here with a set per thread", .m1
        ),
    ]
}
