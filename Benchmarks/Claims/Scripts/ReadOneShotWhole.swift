import LinuxReadiness
import LinuxSockets

/// One connection in one thread at a time, with EPOLLONESHOT on one set. Script one: 2047 bytes wake A, 2 more arrive,
/// A reads 2048. Script two: 2048 bytes wake A, A reads them, 1 more arrives. B counts if it wakes before A arms the
/// registration again by EPOLL_CTL_MOD, which must report the byte that is left.
///
/// `rest_bytes` is what was read after that in both scripts together.
let readOneShotWhole = Experiment(
    id: "read-oneshot-whole",
    statement: "EPOLLONESHOT keeps a connection's bytes in one thread until that thread arms it again",
    source: .m1, keys: ["b_woken"],
    observe: {
        let one = try observeOneShot(2047, 2, readFirst: false)
        let two = try observeOneShot(2048, 1, readFirst: true)
        let woken = [one, two].count(where: \.isWoken)
        return ["b_woken": woken, "rest_bytes": one.rest + two.rest]
    },
    judge: { .init(holds: $0["b_woken"] == 0) },
    explain: { observed in
        observed["b_woken"] == 0
            ? "B sleeps until A arms the connection again, and what arrived meanwhile is reported then."
            : "B is woken \(observed["b_woken"]) times while A has the connection."
    })

private func observeOneShot(_ first: Int, _ second: Int, readFirst: Bool) throws -> (isWoken: Bool, rest: Int) {
    let events: EpollEvents = [.readable, .edgeTriggered, .oneShot]
    return try onConnection(events) { pair, waiters in
        let connection = pair.server.descriptor
        try pair.send(first)
        let (a, b) = try waiters.firstWoken()
        var isWoken = try waiters.isWoken(b)
        if readFirst { _ = try waiters.read(a, from: connection) }
        try pair.send(second)
        isWoken = try waiters.isWoken(b) || isWoken
        if !readFirst { _ = try waiters.read(a, from: connection) }
        isWoken = try waiters.isWoken(b) || isWoken

        try waiters.sets[0].epoll.modify(connection, events, token: 0)
        guard try waiters.isWoken(b) else { throw ScriptError("arming again did not report the byte that is left") }
        return (isWoken, try waiters.read(b, from: connection) ?? 0)
    }
}
