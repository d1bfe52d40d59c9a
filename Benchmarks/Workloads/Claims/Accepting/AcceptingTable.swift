extension Experiment {
    /// Accepting under load.
    static let accepting: [Experiment] = [
        balance(
            "lt", "epoll-lt", .setPerWorker, .uneven,
            "without EPOLLEXCLUSIVE epoll cannot spread the accepts: here level-triggered, with a set per thread", .m1),
        balance(
            "exclusive", "epoll-exclusive", .setPerWorker, .even,
            "level-triggered with EPOLLEXCLUSIVE: the connections are spread over the workers", .m1),
        balance(
            "oneshot", "epoll-oneshot", .sharedSet, .even,
            "edge-triggered with EPOLLONESHOT, armed again for each connection: balanced", .m1),
        balance(
            "blocking", "blocking", .setPerWorker, .uneven,
            "threads that wait in accept on one listener get unequal shares, up to three to one", .soreuseport),
        balance(
            "reuseport", "epoll-lt", .setPerWorker, .even,
            "SO_REUSEPORT with a listener per worker: balanced", .t, listener: .reuseport),
        balance(
            "uring-single", "uring-single", .setPerWorker, .even,
            "one waiter per connection spreads the work: the same asked of rings with one accept each", .m1,
            needs: [.ring]),
        balance(
            "uring-multishot", "uring-multishot", .setPerWorker, .even,
            "one waiter per connection spreads the work: the same asked of rings with a multishot accept each", .m1,
            needs: [.multishotAccept]),
        balance(
            "uring-multishot-reuseport", "uring-multishot", .setPerWorker, .even,
            "SO_REUSEPORT with a listener per worker: balanced, also for rings with a multishot accept each", .t,
            listener: .reuseport, needs: [.multishotAccept]),
        acceptOneShotSerial, accept40k,
    ]
}
