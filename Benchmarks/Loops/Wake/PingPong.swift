import LinuxDescriptors
package import Meters
package import SystemPackage

/// What both sides of a ping-pong share.
package final class PingPongState: Sendable {
    private let words = SharedWords(count: 4, spacing: 1)
    /// From one thread's signal to the other's wake, once both have ended.
    package let oneWay = Locked(LatencyRecorder())

    package init() {}

    /// Not 0 when no more signals are to be sent.
    package var over: SharedWord { words[0] }

    /// From the last signal before the window's end to that end, in nanoseconds; 0 if there were signals after it.
    package var pauseAtEnd: SharedWord { words[1] }

    /// When side 0 or 1 signalled last.
    func sentAt(_ side: Int) -> SharedWord { words[2 + side] }
}

/// One side of a ping-pong, as its loop sees it: what to do between being woken and waking the other.
///
/// A round trip is measured by the side that leads, from its signal to its next wake; one way by both, from the other's
/// signal to the wake. The clock is read once for each wake; the time of a signal is that of the wake before it. The
/// meter knows the window.
package struct PingPongSide: ~Copyable {
    let meter: WorkerMeter
    let leads: Bool
    let over: SharedWord
    let mine: SharedWord
    let theirs: SharedWord
    /// When the side that leads ends it.
    let loadEnd: UInt64
    package let roundTrips = LatencyBuckets()
    let oneWay = LatencyBuckets()

    /// - Parameter loadEnd: when this side ends the ping-pong; nil if the other side leads.
    package init(_ state: PingPongState, _ meter: WorkerMeter, loadEnd: UInt64?) {
        self.meter = meter
        leads = loadEnd != nil
        over = state.over
        mine = state.sentAt(leads ? 0 : 1)
        theirs = state.sentAt(leads ? 1 : 0)
        self.loadEnd = loadEnd ?? .max
    }

    /// From the last signal to the window's end, in nanoseconds; 0 if that was later.
    var pauseAtEnd: UInt64 {
        let last = max(mine.relaxed, meter[.windowStart])
        let end = meter[.windowEnd]
        return last < end ? end - last : 0
    }

    /// Notes a wake; false if it was the last, and the other side is not to be signalled.
    @inline(__always) func goesOn() -> Bool {
        let now = monotonicNanoseconds()
        meter.add(.operations)
        if leads && now >= loadEnd { over.relaxed = 1 }
        if over.relaxed != 0 { return false }
        if now >= meter[.windowStart] && now < meter[.windowEnd] {
            oneWay.record(nanoseconds: now &- theirs.relaxed)
            if leads { roundTrips.record(nanoseconds: now &- mine.relaxed) }
        }
        mine.relaxed = now
        return true
    }
}

/// The loop of a ping-pong, the same on both sides: wait for a signal, note it, signal the other.
@inline(never)
func answerSignals(
    _ waiter: inout some SignalWaiter & ~Copyable, _ partner: WakeChannel, _ side: borrowing PingPongSide
) throws(Errno) {
    while true {
        try waiter.wait(side.meter)
        guard side.goesOn() else { return }
        try waiter.signal(partner, side.meter)
    }
}

/// One thread of a ping-pong, from its first signal to its last.
package struct PingPong: SignalLoop, ~Copyable {
    private let state: PingPongState
    package let side: PingPongSide
    private let partner: WakeChannel
    private let isReference: Bool
    private let ready: () -> Void

    /// - Parameters:
    ///   - partner: wakes the other side.
    ///   - isReference: runs the loop in C.
    ///   - ready: called when the side can be woken; returns when the ping-pong may begin.
    package init(
        state: PingPongState, side: consuming PingPongSide, partner: WakeChannel, isReference: Bool,
        ready: @escaping () -> Void
    ) {
        self.state = state
        self.side = side
        self.partner = partner
        self.isReference = isReference
        self.ready = ready
    }

    /// Prepares what the mode waits with on this thread, and runs to the end.
    ///
    /// - Throws: `ENOTSUP` for a mode that cannot wait for a signal.
    package mutating func run(_ mode: Mode, on channel: WakeChannel) throws(Errno) { try runLoop(mode, on: channel) }

    func run(_ waiter: consuming some SignalWaiter & ~Copyable) throws(Errno) {
        ready()
        // A thread or ring that was not there yet has not been woken when all ended.
        if side.over.value != 0 { return }
        if side.leads {
            side.mine.relaxed = monotonicNanoseconds()
            try waiter.signal(partner, nil)
        }
        if isReference {
            try waiter.runReference(side, partner)
        } else {
            try answerSignals(&waiter, partner, side)
        }
        if side.leads {
            try waiter.signal(partner, nil)
            try waiter.flush()
            state.pauseAtEnd.relaxed = side.pauseAtEnd
        }
        state.oneWay.withLock { $0.add(side.oneWay.recorder) }
    }
}
