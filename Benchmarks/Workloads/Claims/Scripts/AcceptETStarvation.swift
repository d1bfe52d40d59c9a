import LinuxReadiness

/// One worker takes everything.
///
/// 1. The listener is edge-triggered in one set; connections 1 and 2 are queued.
/// 2. A asks and has the event; B waits.
/// 3. A accepts connection 1. Connection 3 arrives while connection 2 is still queued: the listener was readable and
///    stays readable. Is that an event for B?
/// 4. A accepts connection 2; connection 4 arrives while connection 3 is queued.
/// 5. A accepts until EAGAIN. B only counts its events and waits again.
extension Experiment {
    static let acceptETStarvation = Experiment(
        id: "accept-et-starvation",
        statement: "edge-triggered, one set: what arrives while A drains a queue that is never empty is no event for B",
        source: .m1, keys: ["b_events"],
        observe: {
            var listener = try ScriptListener()
            let waiters = try TwoWaiters()
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
                accepts.append(try waiters.perform(a) { acceptOutcome(queue) })
                try listener.admit()
                if try waiters.isWoken(b) {
                    events += 1
                    waiters.wait(b)
                }
            }
            while accepts.last != "EAGAIN" && accepts.count < 8 {
                accepts.append(try waiters.perform(a) { acceptOutcome(queue) })
            }
            listener.end()
            return ["b_events": events, "a_accepts": accepts.joined(separator: ",")]
        },
        judge: { observed in
            switch observed.integer("b_events") {
            case 0: .holds
            case 1: .depends
            default: .doesNotHold
            }
        },
        explain: { observed in
            "Two arrivals at a queue that is not empty make \(observed["b_events"] ?? "") events for the waiting thread."
        })
}
