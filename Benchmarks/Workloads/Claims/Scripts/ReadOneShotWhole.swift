import LinuxReadiness
import LinuxSockets

/// One connection in one thread at a time.
///
/// 1. A and B wait on one set for one connection, with EPOLLONESHOT.
/// 2. Script one: 2047 bytes wake A, 2 more arrive, A reads 2048. Script two: 2048 bytes wake A, A reads them, 1 more
///    arrives. B, if it was woken before A armed the registration again, counts.
/// 3. A arms it again by EPOLL_CTL_MOD, which must report the byte that is left, to whoever waits.
///
/// `rest_bytes` is what was read after that in both scripts together.
extension Experiment {
    static let readOneShotWhole = Experiment(
        id: "read-oneshot-whole",
        statement: "EPOLLONESHOT keeps a connection's bytes in one thread until that thread arms it again",
        source: .m1, keys: ["b_woken"],
        observe: {
            let one = try observeOneShot(2047, 2, readFirst: false)
            let two = try observeOneShot(2048, 1, readFirst: true)
            return ["b_woken": one.woken + two.woken, "rest_bytes": one.rest + two.rest]
        },
        judge: { $0.integer("b_woken") == 0 ? .holds : .doesNotHold },
        explain: { observed in
            observed.integer("b_woken") == 0
                ? "B sleeps until A arms the connection again, and what arrived meanwhile is reported then."
                : "B is woken \(observed["b_woken"] ?? "") times while A has the connection."
        })
}

private func observeOneShot(_ first: Int, _ second: Int, readFirst: Bool) throws -> (woken: Int, rest: Int) {
    let pair = try ScriptListener().pair()
    let waiters = try TwoWaiters()
    defer { waiters.end() }
    let connection = pair.server.descriptor
    let events: EpollEvents = [.readable, .edgeTriggered, .oneShot]
    try waiters.watch(connection, events)
    try waiters.bothWait()
    try pair.send(first)
    let (a, b) = try waiters.firstWoken()
    var isWoken = try waiters.isWoken(b)
    if readFirst { _ = try waiters.perform(a) { try readOnce(connection, 2048) } }
    try pair.send(second)
    isWoken = try waiters.isWoken(b) || isWoken
    if !readFirst { _ = try waiters.perform(a) { try readOnce(connection, 2048) } }
    isWoken = try waiters.isWoken(b) || isWoken

    try waiters.sets[0].modify(connection, events, token: 0)
    guard try waiters.isWoken(b) else { throw ScriptError("arming again reported nothing of the byte left") }
    let rest = try waiters.perform(b) { try readOnce(connection, 2048) ?? 0 }
    pair.end()
    return (isWoken ? 1 : 0, rest)
}
