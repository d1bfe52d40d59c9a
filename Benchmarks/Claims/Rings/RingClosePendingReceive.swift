import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets

/// What closing a connection means while a receive on it is pending in a ring: does the peer read the end of the stream
/// within the time in which on loopback it would?
let ringClosePendingReceive = Experiment(
    id: "uring-close-pending-recv",
    statement: "closing a connection sends FIN, a receive that is pending on it notwithstanding",
    source: .expectation, needs: [.ring],
    conditions: Conditions(
        isDecisive: { $0["fin_seen"] == true },
        shortfall: {
            $0["fin_after_cancel"] == false
                ? "the end of the stream did not come after the cancellation either" : nil
        }),
    keys: ["fin_seen"],
    observe: {
        var ring = try Ring(entries: 8)
        let listener = try ScriptListener([.reuseAddress])
        let pair = try listener.pair()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)
        // The request may write to it until it is cancelled at the end.
        defer { unsafe memory.deallocate() }
        unsafe try ring.prepareReceive(.descriptor(pair.server.descriptor), into: memory, count: 16, token: 1)
        try ring.submit()
        guard ring.readyCompletions == 0 else { throw Undecided("the receive did not wait") }
        let client = try pair.closeServer()
        let isSeen = try awaitReadiness(
            of: client.descriptor, POLLIN, nanoseconds: Patience.quietNanoseconds)
        try ring.prepareCancel(target: 1, token: 2)
        try ring.submit()
        let isSeenLater = try awaitReadiness(of: client.descriptor, POLLIN)
        try client.close()
        listener.end()
        return ["fin_seen": isSeen, "fin_after_cancel": isSeenLater]
    },
    judge: { .init(holds: $0["fin_seen"] == true) },
    explain: {
        $0["fin_seen"] == true
            ? "The peer reads the end of the stream at once."
            : "The peer waits on: the pending receive keeps the connection open until it is cancelled."
    })
