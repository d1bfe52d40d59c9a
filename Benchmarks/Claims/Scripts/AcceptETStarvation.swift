import LinuxReadiness

/// Whether one worker takes everything: the listener is edge-triggered in one set, two connections are queued, and A
/// gets the event. Twice, A accepts one and another arrives while one is still queued: the listener was readable and
/// stays readable. Is that an event for B, which only counts its events and waits again?
let acceptETStarvation = Experiment(
    id: "accept-et-starvation",
    statement: "edge-triggered, one set: what arrives while A drains a queue that is never empty is no event for B",
    source: .m1, keys: ["b_events"],
    observe: {
        var listener = try ScriptListener()
        let waiters = try Waiters()
        defer { waiters.end() }
        let queue = listener.descriptor
        try waiters.watch(queue, [.readable, .edgeTriggered])
        try listener.admit()
        try listener.admit()
        let (a, b) = (0, 1)
        waiters.wait(a)
        guard try waiters.isWoken(a) else { throw ScriptError("two queued connections made no event") }
        waiters.wait(b)
        try Patience.untilAsleep([waiters.threads[b]])

        var events = 0
        var accepts: [String] = []
        for _ in 3...4 {
            accepts.append(try waiters.accept(a, from: queue))
            try listener.admit()
            if try waiters.isWoken(b) {
                events += 1
                waiters.wait(b)
            }
        }
        while accepts.last != "EAGAIN" && accepts.count < 8 { accepts.append(try waiters.accept(a, from: queue)) }
        listener.end()
        return ["b_events": events, "a_accepts": Observed.Datum.list(accepts, ",")]
    },
    judge: { $0["b_events"] == 0 ? .holds : $0["b_events"] == 1 ? .depends : .doesNotHold },
    explain: { "Two arrivals at a queue that is not empty make \($0["b_events"]) events for the waiting thread." })
