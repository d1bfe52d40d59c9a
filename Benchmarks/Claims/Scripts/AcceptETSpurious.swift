import LinuxReadiness

/// A spurious wakeup: A and B wait on one set with an edge-triggered listener. A wakes and accepts a connection, which
/// leaves the queue empty. A second one arrives while A is still in its loop, an edge. A accepts it; does B wake?
let acceptETSpurious = Experiment(
    id: "accept-et-spurious",
    statement: "edge-triggered, one set: B is woken for a connection that A, still in its accept loop, takes",
    source: .m1, keys: ["b_woken", "b_accept"],
    observe: {
        var listener = try ScriptListener()
        let waiters = try Waiters()
        defer { waiters.end() }
        let queue = listener.descriptor
        try waiters.watch(queue, [.readable, .edgeTriggered])
        try waiters.allWait()
        try listener.admit()
        let (a, b) = try waiters.firstWoken()
        let one = try waiters.accept(a, from: queue)
        try listener.admit()
        let isWoken = try waiters.isWoken(b)
        let two = try waiters.accept(a, from: queue)
        let result = isWoken ? try waiters.accept(b, from: queue) : "none"
        listener.end()
        return ["b_woken": isWoken, "b_accept": result, "a_accepts": Observed.Datum.list([one, two], ",")]
    },
    judge: { .init(holds: $0["b_woken"] == true && $0["b_accept"] == "EAGAIN") },
    explain: { observed in
        observed["b_woken"] == true
            ? "B is woken while A drains, and its accept says \(observed["b_accept"])."
            : "B sleeps on while A drains."
    })
