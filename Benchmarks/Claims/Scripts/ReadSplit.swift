import LinuxReadiness
import LinuxSockets
import Loops

/// The bytes of one connection in two threads, level-triggered: A and B wait on one set, or with EPOLLEXCLUSIVE on a
/// set each, because within one set the flag has nothing to choose between. 2047 bytes arrive and wake A, perhaps B
/// too; 2 more arrive before A reads. A reads at most 2048 bytes; then B reads, if it woke.
///
/// `b_woken_by` says which of the two arrivals woke B.
let readLTSplit = readSplit(
    "read-lt-split", [], .sharedSet,
    "level-triggered, one set: two threads come to hold parts of one connection's bytes")

let readExclusiveSplit = readSplit(
    "read-exclusive-split", .exclusive, .setPerWorker,
    "level-triggered with EPOLLEXCLUSIVE: two threads still come to hold parts of one connection's bytes")

private func readSplit(
    _ id: String, _ flag: EpollEvents, _ topology: Topology, _ statement: String
) -> Experiment {
    Experiment(
        id: id, statement: statement, source: .m1, keys: ["b_woken", "a_bytes", "b_bytes"],
        observe: {
            try onConnection(flag.union(.readable), topology) { pair, waiters in
                let connection = pair.server.descriptor
                try pair.send(2047)
                let (a, b) = try waiters.firstWoken()
                let isWokenEarly = try waiters.isWoken(b)
                try pair.send(2)
                let isWoken = try waiters.isWoken(b)
                let aBytes = try waiters.read(a, from: connection) ?? 0
                let bBytes = isWoken ? try waiters.read(b, from: connection) ?? 0 : 0
                let cause: Observed.Datum = isWokenEarly ? 2047 : isWoken ? 2 : "none"
                return ["b_woken": isWoken, "a_bytes": aBytes, "b_bytes": bBytes, "b_woken_by": cause]
            }
        },
        judge: splitVerdict, explain: splitFinding)
}

/// The verdict on "two threads have bytes of one connection".
@Sendable func splitVerdict(_ observed: Observed) -> ClaimVerdict {
    .init(holds: observed["b_woken"] == true && observed["b_bytes"].number > 0)
}

@Sendable func splitFinding(_ observed: Observed) -> String {
    observed["b_woken"] == true
        ? "B is woken before A has finished, and reads \(observed["b_bytes"]) bytes of the same connection."
        : "B is not woken before A has finished."
}
