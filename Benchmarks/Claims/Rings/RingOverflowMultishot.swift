import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Which requests that complete many times end when the completion queue is full: a queue of four places, and sixteen times
/// what the request waits for, before a completion is taken. Ended is a request whose completion says that no more come.
///
/// A poll of a counter, which stays readable; a receive of a socket with enough buffers; accepts of
/// `uring-multishot-overflow`; a timeout of a millisecond, where the kernel has those (`timeout_ended`, Linux 6.4). Before
/// Linux 5.19 a poll goes on.
let ringOverflowEndsMultishot = Experiment(
    id: "uring-overflow-ends-multishot", statement: "a full completion queue ends multishot requests",
    source: .liburing, needs: [.multishotReceive],
    keys: ["accept_ended", "poll_ended", "receive_ended"],
    observe: {
        var observed: Observed = [
            "accept_ended": try acceptEnds(), "poll_ended": try pollEnds(), "receive_ended": try receiveEnds(),
        ]
        if Need.multishotTimeout.unmet() == nil {
            observed["timeout_ended"] = try timeoutEnds().observed
        }
        return observed
    },
    judge: { observed in .init(parts: seen(observed).map { observed[$0] == true }) },
    explain: { observed in
        let names = { (isEnded: Observed.Datum) in
            let kinds = seen(observed).filter { observed[$0] == isEnded }.map { $0.prefix { $0 != "_" } }
            return kinds.isEmpty ? "none" : kinds.joined(separator: ", ")
        }
        return "Ended: \(names(true)); went on: \(names(false))."
    })

private func seen(_ observed: Observed) -> [String] {
    ["accept_ended", "poll_ended", "receive_ended", "timeout_ended"].filter { observed[$0] != .absent }
}

private let times = 16

private func fullRing() throws(Errno) -> Ring { try Ring(entries: 2, completions: 4) }

/// Takes all that comes, and closes what was accepted; true if the last said that the request has ended.
private func hasEnded(_ ring: inout Ring, accepts: Bool = false) throws -> Bool {
    var count = 0
    while try ring.submitAndWait(timeout: .nanoseconds(Patience.quietNanoseconds)) {
        while let completion = ring.nextCompletion() {
            count += 1
            let isArmed = completion.isArmed
            // Of a timeout that goes on, ETIME is its success; another error is no overflow's doing.
            if let error = completion.error, ![.canceled, Errno(rawValue: ETIME)].contains(error) { throw error }
            if accepts && completion.error == nil { try completion.takeDescriptor().close() }
            if !isArmed { return true }
            // A timeout that goes on would do so for ever.
            if count > 2 * times { return false }
        }
    }
    if count < 4 { throw Undecided("\(count) completions came, too few to fill the queue") }
    return false
}

private func acceptEnds() throws -> Bool {
    var ring = try fullRing()
    var listener = try ScriptListener()
    try ring.prepareMultishotAccept(on: listener.descriptor, token: 1)
    try ring.submit()
    for _ in 1...times { try listener.connectClient() }
    let isEnded = try hasEnded(&ring, accepts: true)
    listener.end()
    return isEnded
}

private func pollEnds() throws -> Bool {
    var ring = try fullRing()
    let counter = try EventFD()
    try ring.prepareMultishotPoll(counter.descriptor, .readable, token: 1)
    try ring.submit()
    for _ in 1...times { try counter.add() }
    let isEnded = try hasEnded(&ring)
    try counter.close()
    return isEnded
}

private func receiveEnds() throws -> Bool {
    let group = BufferGroup(identifier: 1, count: 32, bytes: 64)
    var ring = try fullRing()
    try ring.register(group)
    let ends = try SocketPair()
    try ring.prepareMultishotReceive(.descriptor(ends.near.descriptor), from: 1, token: 1)
    try ring.submit()
    for _ in 1...times { try ends.writeByte() }
    let isEnded = try hasEnded(&ring)
    ends.end()
    try ring.unregisterGroup(1)
    return isEnded
}

private func timeoutEnds() throws -> Bool {
    var ring = try fullRing()
    try ring.prepareMultishotTimeout(every: .milliseconds(1), token: 1)
    try ring.submit()
    // Each wait lets the kernel post what is due, and leaves it in the queue.
    let end = monotonicNanoseconds() + 100_000_000
    while monotonicNanoseconds() < end { sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000) }
    return try hasEnded(&ring)
}
