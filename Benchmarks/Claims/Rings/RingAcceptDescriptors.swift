import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Whether the descriptors that a multishot accept brings are those of the connections, where completions overflow: on a
/// ring that defers its work, and on one that does not (`wrong_default`). Sixteen clients connect, one after the other.
/// Before each, polls of something readable fill the completion queue beyond its places, and the descriptor that the accept
/// brings is asked for its peer.
///
/// Up to Linux 6.8 the kernel completed an accept that it could not post with the events that had called it, 195, in place
/// of the descriptor. The report says deferred work; the overflow is what made it, which a ring that is looked at in time
/// does not have.
///
/// Wrong is a number that is not open, is no socket, or has another peer than the client that has just connected.
let ringAcceptDescriptors = Experiment(
    id: "uring-multishot-accept-wrong-fd",
    statement: "on a DEFER_TASKRUN ring a multishot accept brings wrong descriptors",
    source: .liburing("issue 1062, mended in Linux 6.8"), needs: [.multishotAccept, .deferTaskRun], descriptors: 80,
    // Which descriptors come is not a matter of time.
    conditions: Conditions(
        heldUpLimit: 100, isDecisive: { $0["wrong_deferred"].number > 0 },
        shortfall: { Conditions.fewer($0, "overflows", than: clientCount, "overflows") }),
    keys: ["connections", "overflows", "wrong_deferred"],
    observe: {
        let deferred = try acceptBesideOverflow([.singleIssuer, .deferTaskRun])
        let other = try acceptBesideOverflow([])
        return [
            "connections": clientCount, "overflows": min(deferred.overflows, other.overflows),
            "wrong_deferred": deferred.wrong, "wrong_default": other.wrong,
        ]
    },
    judge: { .init(holds: $0["wrong_deferred"].number > 0) },
    explain: {
        "Of \($0["connections"]) descriptors \($0["wrong_deferred"]) are wrong on a ring that defers its work"
            + ($0["wrong_default"] == .absent ? "." : ", and \($0["wrong_default"]) on one that does not.")
    })

private let clientCount = 16
private let acceptToken: UInt64 = 1
private let fillToken: UInt64 = 2

private func acceptBesideOverflow(_ setup: RingSetup) throws -> (overflows: Int, wrong: Int) {
    let listener = try ScriptListener()
    let ready = try EventFD(count: 1)
    var scene = OverflowScene(ring: try Ring(entries: 4, completions: 4, setup))
    var (overflows, wrong) = (0, 0)
    for _ in 0..<clientCount {
        try scene.arm(on: listener.descriptor)
        if try scene.overflow(ready.descriptor) { overflows += 1 }
        let client = try listener.connect()
        let number = try scene.nextAccepted()
        let peer = try? SocketAddress.peer(of: BorrowedDescriptor(rawValue: number))
        if peer == (try client.localAddress) { try owned(number).close() } else { wrong += 1 }
        try scene.drain()
    }
    try ready.close()
    listener.end()
    return (overflows, wrong)
}

/// A ring with a multishot accept, and with more completions than it has places for.
private struct OverflowScene: ~Copyable {
    var ring: Ring
    private var isArmed = false
    private var accepted: [CInt] = []

    init(ring: consuming Ring) { self.ring = ring }

    mutating func arm(on listener: BorrowedDescriptor) throws(Errno) {
        if isArmed { return }
        try ring.prepareMultishotAccept(on: listener, token: acceptToken)
        try ring.submit()
        isArmed = true
    }

    /// Lets more polls of what is ready complete than there is room for; false if the kernel does not say so.
    mutating func overflow(_ ready: BorrowedDescriptor) throws(Errno) -> Bool {
        for _ in 0..<16 where !ring.completionsOverflowed {
            try ring.preparePoll(ready, .readable, token: fillToken)
            try ring.submit()
        }
        return ring.completionsOverflowed
    }

    mutating func nextAccepted() throws -> CInt {
        let deadline = monotonicNanoseconds() + Patience.limitNanoseconds
        while accepted.isEmpty {
            guard monotonicNanoseconds() < deadline else { throw Undecided("a ring accepted nothing within 10 s") }
            try look()
        }
        return accepted.removeFirst()
    }

    /// Takes all completions, so that there is room again.
    mutating func drain() throws {
        try Patience.until("the completions that overflowed come") {
            try look()
            return !ring.completionsOverflowed && ring.readyCompletions == 0
        }
    }

    /// Lets the ring do its work before there is room, and takes what has completed.
    private mutating func look() throws {
        var refusal: Errno?
        do throws(Errno) { try ring.submitAndCollect() } catch { refusal = error }
        if let refusal, refusal != .resourceBusy { throw refusal }
        while let completion = ring.nextCompletion() {
            guard completion.token == acceptToken else { continue }
            if !completion.isArmed { isArmed = false }
            if completion.error == .canceled { throw Undecided("the overflow cancelled an accept with its connection") }
            if let error = completion.error { throw error }
            accepted.append(completion.result)
        }
    }
}
