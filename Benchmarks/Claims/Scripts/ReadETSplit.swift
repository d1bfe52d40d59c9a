import LinuxReadiness
import LinuxSockets

/// The bytes of one connection in two threads, edge-triggered: A and B wait on one set. 2048 bytes arrive and wake A,
/// which reads 2048: the buffer is empty, but A cannot know. 1 byte arrives, an edge. B reads, if it wakes; then A,
/// which must read until EAGAIN.
let readETSplit = Experiment(
    id: "read-et-split",
    statement: "edge-triggered, one set: B is woken for a byte that arrives while A still reads, and takes it",
    source: .m1, keys: ["b_woken", "b_bytes"],
    observe: {
        try onConnection([.readable, .edgeTriggered]) { pair, waiters in
            let connection = pair.server.descriptor
            try pair.send(2048)
            let (a, b) = try waiters.firstWoken()
            let first = try waiters.read(a, from: connection) ?? 0
            try pair.send(1)
            let isWoken = try waiters.isWoken(b)
            let bBytes = isWoken ? try waiters.read(b, from: connection) ?? 0 : 0
            let last = try waiters.read(a, from: connection)
            return [
                "b_woken": isWoken, "b_bytes": bBytes, "a_bytes": first,
                "a_next_read": last?.observed ?? "EAGAIN",
            ]
        }
    },
    judge: splitVerdict, explain: splitFinding)
