extension Experiment {
    /// Order and queues under load.
    static let order: [Experiment] = [
        order(
            "lt", "epoll-lt", .sharedSet, .broken,
            "level-triggered, one set for all workers: pieces of a connection are handled out of order"),
        order(
            "exclusive", "epoll-exclusive", .sharedSet, .broken,
            "level-triggered with EPOLLEXCLUSIVE, one set: pieces of a connection are still handled out of order"),
        order(
            "et", "epoll-et", .sharedSet, .broken,
            "edge-triggered, one set for all workers: pieces of a connection are handled out of order"),
        order(
            "oneshot", "epoll-oneshot", .sharedSet, .kept,
            "EPOLLONESHOT, armed again after each piece, keeps the order although all workers share one set"),
        order(
            "set-per-worker", "epoll-lt", .setPerWorker, .kept,
            "a set per worker, each with its part of the connections, keeps the order"),
        order(
            "dispatcher", "dispatcher", .sharedSet, .kept,
            "a master thread that hands out the work keeps the order"),
        readCombinedQueue,
    ]
}
