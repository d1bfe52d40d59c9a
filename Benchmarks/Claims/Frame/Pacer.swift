import Meters

private let intervalNanoseconds: UInt64 = 2_000_000
/// A shorter delay is normal scheduling.
private let toleranceNanoseconds: UInt64 = 1_000_000

/// Runs `body`, and measures for how much of the time, in per cent, a thread that was due every 2 ms did not run.
///
/// That thread is scheduled like those of the experiment, so what delays it delays them too: other programs, a CPU
/// quota, a host that runs another guest.
func withHeldUpPercent<Success>(_ body: () throws -> Success) throws -> (result: Success, heldUpPercent: Double) {
    let thread = try ScriptThread("pacer")
    let work = thread.start {
        let start = monotonicNanoseconds()
        var (heldUp, now): (UInt64, UInt64) = (0, start)
        repeat {
            let due = now + intervalNanoseconds
            sleepUntil(nanoseconds: due)
            now = monotonicNanoseconds()
            if now > due + toleranceNanoseconds { heldUp += now - due }
        } while !thread.isEndRequested
        return 100 * Double(heldUp) / Double(now - start)
    }
    let result = Result { try body() }
    thread.end()
    return (try result.get(), try work.result())
}
