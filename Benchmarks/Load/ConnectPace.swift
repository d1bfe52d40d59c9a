import Meters

/// How fast one client thread may make connections.
struct ConnectPace {
    /// Nanoseconds between two; nil without a limit.
    private let interval: Double?
    private var first: UInt64 = 0
    private var made = 0.0
    private var due: UInt64 = 0

    /// The thread's share of the plan's limit.
    init(_ plan: LoadPlan) { interval = plan.connectionsPerSecond.map { 1e9 / $0 * Double(plan.clients) } }

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
        if turn > due { (first, made) = (turn, 0) }
        made += 1
        due = first + UInt64(made * interval)
        return turn
    }
}
