import CBenchExtras
import Meters
import SystemPackage

/// What one client thread does to a server, operation by operation.
protocol LoadClient: ~Copyable {
    /// What was seen so far.
    var result: ClientResult { get set }
    /// Operations that have begun and not ended.
    var outstanding: UInt64 { get }
    /// How its bytes go.
    var transport: Transport { get }
    /// True if starting takes so long, as a connect does, that others become due meanwhile. Where it does not, answers are
    /// taken between what was due at one time and at the next.
    static var startsSlowly: Bool { get }
    /// Connections that are open at this moment, idle ones not included.
    var openConnections: Int { get }
    /// True if an operation can start now.
    var hasRoom: Bool { get }

    /// Takes the times, and starts what is under way from the beginning.
    mutating func begin(_ window: RunWindow)

    /// Starts an operation; false for one that failed at once, which is counted and over.
    mutating func start(at time: UInt64) throws(Errno) -> Bool

    /// Waits for answers until a time at most, and takes them.
    mutating func awaitAnswers(until deadline: UInt64) throws(Errno)

    /// Ends the operations whose handshake the server left unanswered, which failed.
    mutating func failStalledHandshakes()
}

extension LoadClient where Self: ~Copyable {
    /// Waits for the times of the run, and starts operations when the plan says so, until all that started have ended.
    consuming func run(
        _ plan: LoadPlan, client index: Int, seed: UInt64, _ start: ClientStart
    ) throws(Errno) -> ClientResult {
        guard let (window, abandonment) = start.wait() else { return ClientResult() }
        // The default slack of 50 us would make every scheduled start late (PR_SET_TIMERSLACK).
        _ = c_set_timer_slack(1)
        var arrivals = Arrivals(plan, client: index, seed: seed, window)
        if transport.stamps != nil { result.split = LatencySplit() }
        sleepUntil(nanoseconds: window.loadStart)
        begin(window)
        result.begun = monotonicNanoseconds()
        result.lastBegun = result.begun
        if try !work(&arrivals, until: window.deadline, abandonment) {
            if !abandonment.isRequested { failStalledHandshakes() }
            result.lost += outstanding + arrivals.notStarted
        }
        if let stamps = transport.stamps { result.split?.end(refusal: stamps.refusal) }
        result.due = arrivals.countDue()
        result.negotiated = transport.tls?.negotiated ?? ""
        return result
    }

    /// False if it gave up before everything was answered.
    private mutating func work(
        _ arrivals: inout Arrivals, until deadline: UInt64, _ abandonment: Abandonment
    ) throws(Errno) -> Bool {
        var isBeforeWindow = true
        while true {
            var now = monotonicNanoseconds()
            if isBeforeWindow && now >= result.window.start {
                isBeforeWindow = false
                result.openConnections = openConnections
            }
            var longestWait: UInt64 = 100_000_000
            while hasRoom, !(Self.startsSlowly && abandonment.isRequested), let time = arrivals.next(now: now) {
                if arrivals.isScheduled { result.noteStart(scheduled: time, at: monotonicNanoseconds()) }
                guard try start(at: time) else {
                    // Without a port or a route the next one would fail too: first the others get their turn.
                    longestWait = 1_000_000
                    break
                }
                if Self.startsSlowly { now = monotonicNanoseconds() }
            }
            if outstanding == 0 && arrivals.isOver(now: now) { return true }
            if now >= deadline || abandonment.isRequested { return false }
            try awaitAnswers(until: min(hasRoom ? arrivals.nextStart : .max, now + longestWait))
        }
    }
}
