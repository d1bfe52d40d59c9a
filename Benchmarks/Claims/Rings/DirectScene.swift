import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

private let acceptToken: UInt64 = 1
private let closeToken: UInt64 = 2
private let receiveToken: UInt64 = 3
private let cancelToken: UInt64 = 4

/// A ring that accepts into slots, and an ordinary listener to compare with.
struct DirectScene: Scene, ~Copyable {
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

    /// How long a client waited for the end of its stream after its slot was closed, and whether that was late; nil if
    /// the machine may be the cause.
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

    /// Whether a client whose slot was closed sees the end of its stream before and after an older receive on another
    /// slot is cancelled.
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

    /// Waits for a request's completion; returns its result.
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

    /// Waits for the end of a stream, while the ring runs its deferred work.
    private mutating func sees(_ client: borrowing Connection, within nanoseconds: UInt64) throws -> Bool {
        let deadline = monotonicNanoseconds() + nanoseconds
        repeat {
            if try awaitReadiness(of: client.descriptor, POLLIN, nanoseconds: 1_000_000) { return true }
            _ = try ring.submitAndWait(timeout: .zero)
        } while monotonicNanoseconds() < deadline
        return false
    }
}
