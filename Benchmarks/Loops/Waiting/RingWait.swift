import LinuxRings
import Meters
import SystemPackage

/// One `io_uring_enter(2)`, with what the ring counted since the last one.
@inline(__always)
func waitForCompletions(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    // Looked at before the enter, which brings in what did not fit.
    if ring.completionsOverflowed { meter.add(.completionOverflows) }
    try ring.submitAndWait()
    countEnters(ring, meter)
    meter.add(.wakeups)
}

/// Like ``waitForCompletions(_:_:)`` for an accept that waits for something to be closed: it does not wait long then,
/// and arms the accept again.
@inline(__always)
func waitForCompletions(
    _ ring: inout Ring, resuming accept: inout MultishotAccept, _ meter: WorkerMeter
) throws(Errno) {
    guard let shortage = accept.shortage else { return try waitForCompletions(&ring, meter) }
    try waitShortly(&ring, meter)
    let rearms = accept.rearms
    try accept.resume(on: &ring)
    if accept.rearms > rearms { try noteShortage(shortage, meter) }
}

/// Waits for a completion, or for ten milliseconds.
func waitShortly(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    if ring.completionsOverflowed { meter.add(.completionOverflows) }
    _ = try ring.submitAndWait(timeout: .milliseconds(10))
    countEnters(ring, meter)
    meter.add(.wakeups)
}

/// Hands over what was prepared without waiting for any of it: a busy worker's replies, which cannot wait for its batch
/// to end.
@inline(__always)
func submitAtOnce(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    try ring.submit()
    countEnters(ring, meter)
}

@inline(__always)
private func countEnters(_ ring: borrowing Ring, _ meter: WorkerMeter) {
    meter.add(.systemCalls, ring.enters - meter[.ringEnters])
    meter.set(.ringEnters, ring.enters)
    meter.set(.submissions, ring.submitted)
}
