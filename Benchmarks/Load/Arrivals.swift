import Glibc
import Meters
import Statistics

/// When operations start, for one client thread.
struct Arrivals {
    /// No operation starts at or after this time.
    let end: UInt64
    /// Nanoseconds between two scheduled starts; nil in a closed loop, where an operation starts when there is room.
    private let interval: Double?
    private let spacing: LoadPlan.Spacing
    private var generator: SplitMix64
    private let first: UInt64
    private var started = 0
    /// The next start of Poisson arrivals, from the first one on, with its fraction.
    private var elapsed = 0.0
    private var due: UInt64
    /// When measuring starts and ends.
    private let measured: Range<UInt64>
    /// Scheduled starts so far that are measured.
    private var measuredStarts: UInt64 = 0

    /// Nothing starts any more.
    static let none = Arrivals(end: 0, interval: nil, first: 0, .uniform, seed: 0, measured: 0..<0)

    /// One client thread's operations: whenever there is room, its share of the plan's rate, or none in a drain.
    init(_ plan: LoadPlan, client index: Int, seed: UInt64, _ window: RunWindow) {
        let measured = window.start..<max(window.start, window.end)
        guard plan.queued == nil else {
            self = .none
            return
        }
        guard let rate = plan.ratePerSecond else {
            self.init(end: window.loadEnd, interval: nil, first: 0, .uniform, seed: 0, measured: measured)
            return
        }
        // Threads, and hosts, take turns, so that together they keep the rate evenly.
        let interval = 1e9 / rate
        let place = plan.place(ofClient: index)
        let first = window.loadStart + UInt64(interval * Double(place))
        self.init(
            end: window.loadEnd, interval: interval * Double(plan.allClients), first: first, plan.spacing,
            seed: seed &+ UInt64(place), measured: measured)
    }

    private init(
        end: UInt64, interval: Double?, first: UInt64, _ spacing: LoadPlan.Spacing, seed: UInt64,
        measured: Range<UInt64>
    ) {
        self.end = end
        self.interval = interval
        self.spacing = spacing
        generator = SplitMix64(seed: seed)
        self.first = first
        due = first
        self.measured = measured
    }

    /// The start of the next operation if it is due: the scheduled time, or in a closed loop the time of this call.
    @inline(__always) mutating func next(now: UInt64) -> UInt64? {
        guard let interval else {
            let start = monotonicNanoseconds()
            return start < end ? start : nil
        }
        guard due <= now, due < end else { return nil }
        let start = due
        if measured.contains(start) { measuredStarts += 1 }
        advance(interval)
        return start
    }

    @inline(__always) private mutating func advance(_ interval: Double) {
        started += 1
        switch spacing {
        case .uniform: elapsed = Double(started) * interval
        case .poisson: elapsed -= log(1 - Double.random(in: 0..<1, using: &generator)) * interval
        }
        due = first + UInt64(elapsed)
    }

    /// Whether operations have a schedule: an open loop.
    @inline(__always) var isScheduled: Bool { interval != nil }

    /// When the next operation is due; `UInt64.max` when none will start, or in a closed loop whenever there is room.
    @inline(__always) var nextStart: UInt64 {
        interval == nil || due >= end ? .max : due
    }

    /// True when no operation will start any more.
    @inline(__always) func isOver(now: UInt64) -> Bool {
        interval == nil ? now >= end : due >= end
    }

    /// Operations that were due in the window, started or not; nil in a closed loop. Goes through the rest of the schedule.
    mutating func countDue() -> UInt64? {
        guard let interval else { return nil }
        while due < measured.upperBound {
            if measured.contains(due) { measuredStarts += 1 }
            advance(interval)
        }
        return measuredStarts
    }

    /// Operations that were scheduled up to `end` and not started; of Poisson arrivals the expected number.
    var notStarted: UInt64 {
        guard let interval, due < end else { return 0 }
        return UInt64((Double(end - due) / interval).rounded(.up))
    }
}
