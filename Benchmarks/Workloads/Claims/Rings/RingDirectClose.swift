import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// When the peer learns that a connection in a slot of the ring's own file table was closed.
///
/// Before Linux 6.4 the kernel lets go of what was in a slot only a second after its last use (delayed work in
/// `io_uring/rsrc.c`; 6.2 and 6.3 are quicker for rings with one submitter), and until some release after 6.12 it lets
/// go in the order of the closes and requests: a pending request on one slot holds up the later closes of all others.
extension Experiment {
    /// 1. A ring has a multishot accept into slots pending.
    /// 2. A client connects, and its slot is closed through the ring.
    /// 3. When that has completed, a connection with a descriptor is closed too, and its peer reads the end of the
    ///    stream: so the machine is not what keeps it from coming.
    /// 4. The close is late if the first client reads nothing for 300 ms more, and in time if it reads the end within
    ///    600 ms of the close in all. Between the two the thread did not run, and the round does not count.
    ///
    /// Three rounds that count, of nine at the most. `fin_ms` is the longest that a client waited.
    static let ringDirectCloseDelay = Experiment(
        id: "uring-direct-close-delay",
        statement: "a direct descriptor that is closed through the ring keeps its connection open for about a second",
        source: .observation, needs: [.multishotAccept],
        // Each round has its own measure of the machine, so that only rounds that differ make one doubt.
        conditions: Conditions(
            isDecisive: { observed in
                observed.integer("closes") == rounds && ["0", "\(rounds)"].contains(observed["late"])
            },
            shortfall: { observed in
                Conditions.fewer(observed, "closes", than: rounds, "closes with their end")
            }),
        keys: ["closes", "late"],
        observe: {
            var scene = try DirectScene()
            var (closes, late, longest): (Int, Int, UInt64) = (0, 0, 0)
            for _ in 1...9 where closes < rounds {
                guard let wait = try scene.closeOne() else { continue }
                closes += 1
                if wait.isLate { late += 1 }
                longest = max(longest, wait.nanoseconds)
            }
            scene.end()
            return ["closes": closes, "late": late, "fin_ms": longest / 1_000_000]
        },
        judge: { observed in
            observed.integer("late") == 0 ? .doesNotHold : observed["late"] == observed["closes"] ? .holds : .depends
        },
        explain: { observed in
            "\(observed["late"] ?? "") of \(observed["closes"] ?? "") closes reached the peer late"
                + (observed["fin_ms"].map { ", at the most after \($0) ms." } ?? ".")
        })

    /// 1. Two clients connect into slots; on the first slot a receive is pending.
    /// 2. The second slot is closed. Within 2.5 s, which is more than the delay of the claim before: does its client
    ///    read the end of the stream (`fin_before`)?
    /// 3. The receive is cancelled. Does it now, within 10 s (`fin_after`)?
    static let ringDirectCloseOrder = Experiment(
        id: "uring-direct-close-order",
        statement: "a direct descriptor that is closed keeps its connection open while an older request on another "
            + "slot is pending",
        source: .observation, needs: [.multishotAccept],
        conditions: Conditions(
            heldUpLimit: 60, isDecisive: { $0["fin_before"] == "1" },
            shortfall: { observed in
                observed["fin_after"] == "1"
                    ? nil : "the end of the stream did not come within 10 s of the cancellation"
            }),
        keys: ["fin_before", "fin_after"],
        observe: {
            var scene = try DirectScene()
            let (before, after) = try scene.closeBehindReceive()
            scene.end()
            return ["fin_before": before ? 1 : 0, "fin_after": after ? 1 : 0]
        },
        judge: { $0["fin_before"] == "0" ? .holds : .doesNotHold },
        explain: { observed in
            observed["fin_before"] == "1"
                ? "The peer reads the end of the stream at once, whatever is pending on other slots."
                : "The peer waits until the older receive on another slot is cancelled."
        })
}

private let rounds = 3
private let acceptToken: UInt64 = 1
private let closeToken: UInt64 = 2
private let receiveToken: UInt64 = 3
private let cancelToken: UInt64 = 4

/// A ring that accepts into slots, and an ordinary listener to compare with.
private struct DirectScene: ~Copyable {
    private var ring: Ring
    private let listener: ScriptListener
    private let ordinary: ScriptListener

    init() throws {
        var ring = try Ring.forThisThread(entries: 16)
        try ring.registerFileSlots(count: 16)
        let listener = try ScriptListener([.reuseAddress])
        let ordinary = try ScriptListener([.reuseAddress])
        try ring.prepareMultishotAcceptDirect(on: listener.descriptor, token: acceptToken)
        try ring.submit()
        self.ring = ring
        self.listener = listener
        self.ordinary = ordinary
    }

    /// Closes the listeners and the ring. Without it, they would be closed after their last use.
    consuming func end() {}

    /// How long a client waited for the end of its stream after the close had completed, and whether longer than
    /// another one; nil if the machine may be why.
    mutating func closeOne() throws -> (isLate: Bool, nanoseconds: UInt64)? {
        let client = try listener.connect()
        let slot = try nextSlot()
        let pair = try ordinary.pair()
        let start = monotonicNanoseconds()
        try close(slot)
        let other = try pair.closeServer()
        guard try sees(other, within: Patience.limitNanoseconds) else { return nil }
        let isInTime = try sees(client, within: 300_000_000)
        let elapsed = monotonicNanoseconds() - start
        if isInTime { return elapsed < 600_000_000 ? (false, elapsed) : nil }
        guard try sees(client, within: Patience.limitNanoseconds) else {
            throw Undecided("the end of the stream did not come within 10 s of the close")
        }
        return (true, monotonicNanoseconds() - start)
    }

    /// Whether a client whose slot was closed saw the end of its stream before and after an older receive on another
    /// slot was cancelled.
    mutating func closeBehindReceive() throws -> (before: Bool, after: Bool) {
        let first = try listener.connect()
        let pending = try nextSlot()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)
        // The request may write to it until it is cancelled below.
        defer { unsafe memory.deallocate() }
        unsafe try ring.prepareReceive(.slot(pending), into: memory, count: 16, token: receiveToken)
        try ring.submit()
        let client = try listener.connect()
        try close(try nextSlot())
        let before = try sees(client, within: 2_500_000_000)
        try ring.prepareCancel(target: receiveToken, token: cancelToken)
        try ring.submit()
        _ = try completion(of: receiveToken)
        let after = try sees(client, within: Patience.limitNanoseconds)
        try first.close()
        return (before, after)
    }

    private mutating func nextSlot() throws -> Slot { Slot(try completion(of: acceptToken)) }

    private mutating func close(_ slot: Slot) throws {
        try ring.prepareClose(slot: slot, token: closeToken)
        try ring.submit()
        _ = try completion(of: closeToken)
    }

    /// Waits for a request's completion: what it carries.
    private mutating func completion(of token: UInt64) throws -> UInt32 {
        let deadline = monotonicNanoseconds() + Patience.limitNanoseconds
        while monotonicNanoseconds() < deadline {
            while let completion = ring.nextCompletion() {
                guard completion.token == token else { continue }
                if let error = completion.error, error != .canceled { throw error }
                return UInt32(max(completion.result, 0))
            }
            _ = try ring.submitAndWait(timeout: .milliseconds(100))
        }
        throw Undecided("a request of the ring did not complete within 10 s")
    }

    /// Waits for the end of a stream, and lets the ring do meanwhile what it has put off.
    private mutating func sees(_ client: borrowing Connection, within nanoseconds: UInt64) throws -> Bool {
        let deadline = monotonicNanoseconds() + nanoseconds
        repeat {
            if try awaitReadiness(of: client.descriptor, POLLIN, nanoseconds: 1_000_000) { return true }
            _ = try ring.submitAndWait(timeout: .zero)
        } while monotonicNanoseconds() < deadline
        return false
    }
}
