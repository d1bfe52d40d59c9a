import LinuxReadiness
import LinuxSockets

/// One connection's bytes in two threads, edge-triggered.
///
/// 1. A and B wait on one set for one connection.
/// 2. 2048 bytes arrive and wake A, which reads 2048: the buffer is empty, but A cannot know.
/// 3. 1 byte arrives: an edge. Is B woken?
/// 4. If so B reads, then A, which must read until EAGAIN.
extension Experiment {
    static let readETSplit = Experiment(
        id: "read-et-split",
        statement: "edge-triggered, one set: B is woken for a byte that arrives while A still reads, and takes it",
        source: .m1, keys: ["b_woken", "b_bytes"],
        observe: {
            let pair = try ScriptListener().pair()
            let waiters = try TwoWaiters()
            defer { waiters.end() }
            let connection = pair.server.descriptor
            try waiters.watch(connection, [.readable, .edgeTriggered])
            try waiters.bothWait()
            try pair.send(2048)
            let (a, b) = try waiters.firstWoken()
            let first = try waiters.perform(a) { try readOnce(connection, 2048) ?? 0 }
            try pair.send(1)
            let isWoken = try waiters.isWoken(b)
            let bBytes = isWoken ? try waiters.perform(b) { try readOnce(connection, 2048) ?? 0 } : 0
            let last = try waiters.perform(a) { try readOnce(connection, 2048) }
            pair.end()
            return [
                "b_woken": isWoken ? 1 : 0, "b_bytes": bBytes, "a_bytes": first,
                "a_next_read": last.map(String.init) ?? "EAGAIN",
            ]
        },
        judge: splitVerdict, explain: splitFinding)
}
