import LinuxReadiness
import LinuxSockets

/// One connection's bytes in two threads, level-triggered.
///
/// 1. A and B wait for one connection: on one set, or with EPOLLEXCLUSIVE on a set each, because within one set the
///    flag has nothing to choose between.
/// 2. 2047 bytes arrive and wake A, perhaps B too.
/// 3. 2 more arrive before A reads. Is B woken by now?
/// 4. A reads at most 2048 bytes; then B, if it was woken, reads.
///
/// `b_woken_by` says which of the two arrivals woke B.
extension Experiment {
    static let readLTSplit = readSplit(
        "read-lt-split", [], .sharedSet,
        "level-triggered, one set: two threads come to hold pieces of one connection's bytes")

    static let readExclusiveSplit = readSplit(
        "read-exclusive-split", .exclusive, .setPerWorker,
        "level-triggered with EPOLLEXCLUSIVE: two threads still come to hold pieces of one connection's bytes")

    private static func readSplit(
        _ id: String, _ flag: EpollEvents, _ topology: Topology, _ statement: String
    ) -> Experiment {
        Experiment(
            id: id, statement: statement, source: .m1, keys: ["b_woken", "a_bytes", "b_bytes"],
            observe: {
                let pair = try ScriptListener().pair()
                let waiters = try TwoWaiters(topology)
                defer { waiters.end() }
                let connection = pair.server.descriptor
                try waiters.watch(connection, flag.union(.readable))
                try waiters.bothWait()
                try pair.send(2047)
                let (a, b) = try waiters.firstWoken()
                let isWokenEarly = try waiters.isWoken(b)
                try pair.send(2)
                let isWoken = try waiters.isWoken(b)
                let aBytes = try waiters.perform(a) { try readOnce(connection, 2048) ?? 0 }
                let bBytes = isWoken ? try waiters.perform(b) { try readOnce(connection, 2048) ?? 0 } : 0
                let cause = isWokenEarly ? "2047" : isWoken ? "2" : "none"
                pair.end()
                return ["b_woken": isWoken ? 1 : 0, "a_bytes": aBytes, "b_bytes": bBytes, "b_woken_by": cause]
            },
            judge: splitVerdict, explain: splitFinding)
    }
}

/// Two threads have bytes of one connection.
func splitVerdict(_ observed: Observed) -> ClaimVerdict {
    observed["b_woken"] == "1" && (observed.integer("b_bytes") ?? 0) > 0 ? .holds : .doesNotHold
}

func splitFinding(_ observed: Observed) -> String {
    observed["b_woken"] == "1"
        ? "B is woken before A has finished, and reads \(observed["b_bytes"] ?? "") bytes of the same connection."
        : "B is not woken before A has finished."
}
