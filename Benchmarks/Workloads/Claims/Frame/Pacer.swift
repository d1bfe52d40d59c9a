import Meters

/// A thread that is due every two milliseconds and notes for how long it did not run then.
///
/// It is scheduled as the threads of the experiment are, so that what keeps it waiting keeps them waiting too: other
/// programs, a quota, a host that gives the processor to others.
final class Pacer: Sendable {
    private let ending = Abandonment()
    private let thread: ScriptThread
    private let work: ScriptStep<Double>

    private static let intervalNanoseconds: UInt64 = 2_000_000
    /// A thread that waits for a moment is no sign of anything.
    private static let toleranceNanoseconds: UInt64 = 1_000_000

    /// Starts it.
    init() throws {
        thread = try ScriptThread("pacer")
        let ending = ending
        work = thread.start { Self.keepTime(ending) }
    }

    private static func keepTime(_ ending: Abandonment) -> Double {
        let start = monotonicNanoseconds()
        var (heldUp, now): (UInt64, UInt64) = (0, start)
        repeat {
            let due = now + intervalNanoseconds
            sleepUntil(nanoseconds: due)
            now = monotonicNanoseconds()
            if now > due + toleranceNanoseconds { heldUp += now - due }
        } while !ending.isRequested
        return 100 * Double(heldUp) / Double(now - start)
    }

    /// Ends it: for how much of the time, in per cent, it did not run when it was due.
    func end() throws -> Double {
        ending.request()
        defer { thread.end() }
        return try work.result()
    }
}
