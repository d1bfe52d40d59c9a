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
