import LinuxReadiness

/// A wakeup for nothing.
///
/// 1. A and B wait on one set with an edge-triggered listener.
/// 2. Connection 1 arrives; A is woken and accepts it. The queue is empty again.
/// 3. Connection 2 arrives while A is still in its loop: an edge. Is B woken?
/// 4. A goes on with its loop and accepts connection 2.
/// 5. If B was woken, it accepts now.
extension Experiment {
    static let acceptETSpurious = Experiment(
        id: "accept-et-spurious",
        statement: "edge-triggered, one set: B is woken for a connection that A, still in its accept loop, takes",
        source: .m1, keys: ["b_woken", "b_accept"],
        observe: {
            var listener = try ScriptListener()
            let waiters = try TwoWaiters()
            defer { waiters.end() }
            let queue = listener.descriptor
            try waiters.watch(queue, [.readable, .edgeTriggered])
            try waiters.bothWait()
            try listener.admit()
            let (a, b) = try waiters.firstWoken()
            let one = try waiters.perform(a) { acceptOutcome(queue) }
            try listener.admit()
            let isWoken = try waiters.isWoken(b)
            let two = try waiters.perform(a) { acceptOutcome(queue) }
            let result = isWoken ? try waiters.perform(b) { acceptOutcome(queue) } : "none"
            listener.end()
            return ["b_woken": isWoken ? 1 : 0, "b_accept": result, "a_accepts": "\(one),\(two)"]
        },
        judge: { observed in
            observed["b_woken"] == "1" && observed["b_accept"] == "EAGAIN" ? .holds : .doesNotHold
        },
        explain: { observed in
            observed["b_woken"] == "1"
                ? "B is woken while A drains, and its accept says \(observed["b_accept"] ?? "")."
                : "B sleeps on while A drains."
        })
}
