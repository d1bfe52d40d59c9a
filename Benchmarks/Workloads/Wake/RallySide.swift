import Meters

/// What both sides of a ping-pong share: when each signalled last, and whether it is over.
final class RallyState: Sendable {
    private let words = SharedWords(count: 4, spacing: 1)
    private let oneWay = Locked(LatencyRecorder())

    /// Not 0 when no more signals are to be sent.
    var over: SharedWord { words[0] }

    /// When side 0 or 1 signalled last.
    func sentAt(_ side: Int) -> SharedWord { words[1 + side] }

    /// From the last signal before the window's end to that end; 0 if there were signals after it.
    var pauseAtEnd: SharedWord { words[3] }

    /// Adds what a side recorded when it ended.
    func deposit(_ recorder: LatencyRecorder) {
        oneWay.withLock { $0.add(recorder) }
    }

    /// What both sides recorded.
    var oneWayLatencies: LatencyRecorder { oneWay.withLock { $0 } }
}

/// One side of a ping-pong, as its loop sees it: what to do between being woken and waking the other.
///
/// A round trip is measured by the side that leads, from its signal to its next wake; one way by both, from the other's
/// signal to the wake. The clock is read once for each wake; the time of a signal is that of the wake before it.
struct RallySide: ~Copyable {
    let meter: WorkerMeter
    let leads: Bool
    let over: SharedWord
    let mine: SharedWord
    let theirs: SharedWord
    let windowStart: UInt64
    let windowEnd: UInt64
    /// When the side that leads ends it.
    let loadEnd: UInt64
    let roundTrips = LatencyBuckets()
    let oneWay = LatencyBuckets()

    init(_ state: RallyState, leads: Bool, _ window: RunWindow, _ meter: WorkerMeter) {
        self.meter = meter
        self.leads = leads
        over = state.over
        mine = state.sentAt(leads ? 0 : 1)
        theirs = state.sentAt(leads ? 1 : 0)
        windowStart = window.start
        windowEnd = window.end
        loadEnd = window.loadEnd
    }

    /// Notes the time of the signal that begins it all.
    func begin() {
        mine.relaxed = monotonicNanoseconds()
    }

    /// From the last signal to the window's end, in nanoseconds; 0 if that was later.
    var pauseAtEnd: UInt64 {
        let last = max(mine.relaxed, windowStart)
        return last < windowEnd ? windowEnd - last : 0
    }

    /// Notes a wake; false if it was the last, and the other side is not to be signalled.
    @inline(__always) func goesOn() -> Bool {
        let now = monotonicNanoseconds()
        meter.add(.operations)
        if leads && now >= loadEnd { over.relaxed = 1 }
        if over.relaxed != 0 { return false }
        if now >= windowStart && now < windowEnd {
            oneWay.record(nanoseconds: now &- theirs.relaxed)
            if leads { roundTrips.record(nanoseconds: now &- mine.relaxed) }
        }
        mine.relaxed = now
        return true
    }
}
