import Meters

/// How fast one client thread may make connections: one in each of its intervals.
///
/// The threads' intervals begin one after the other, so that together they keep the plan's limit evenly.
struct ConnectPace {
    /// Nanoseconds; nil without a limit.
    private let interval: Double?
    /// How much later than those of the first thread the intervals begin.
    private let offset: UInt64
    private var first: UInt64 = 0
    /// Intervals that are used or over.
    private var passed = 0.0
    private var due: UInt64 = 0

    /// The share of client thread `index` of the plan's limit.
    init(_ plan: LoadPlan, client index: Int) {
        let turn = plan.connectionsPerSecond.map { 1e9 / $0 }
        interval = turn.map { $0 * Double(plan.allClients) }
        offset = UInt64((turn ?? 0) * Double(plan.place(ofClient: index)))
    }

    /// The first thread's first interval begins at a time.
    mutating func begin(at time: UInt64) {
        guard isLimited else { return }
        (first, passed) = (time + offset, 0)
        due = first
    }

    var isLimited: Bool { interval != nil }

    /// Whether a connection may be made now.
    @inline(__always) var allowsNow: Bool { interval == nil || due <= monotonicNanoseconds() }

    /// When the next may be made; `UInt64.max` if one may be made now.
    @inline(__always) var wait: UInt64 { allowsNow ? .max : due }

    /// When a connection may be made that is wanted at a time, and takes its turn. Time that nobody used is not made up
    /// for.
    mutating func take(_ time: UInt64) -> UInt64 {
        guard let interval else { return time }
        let turn = max(due, time)
        // What is rounded off the time of a turn must not give it another one.
        passed = max(passed, (Double(turn - first) / interval).rounded(.down)) + 1
        due = first + UInt64(passed * interval)
        return turn
    }
}
