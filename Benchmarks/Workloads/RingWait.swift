import LinuxRings
import Meters
import SystemPackage

/// One `io_uring_enter(2)`, with what the ring counted since the last one.
@inline(__always)
func waitForCompletions(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    // Looked at before the enter, which brings in what did not fit.
    if ring.completionsOverflowed { meter.add(.completionOverflows) }
    try ring.submitAndWait()
    meter.add(.systemCalls, ring.enters - meter[.ringEnters])
    meter.set(.ringEnters, ring.enters)
    meter.set(.submissions, ring.submitted)
    meter.add(.wakeups)
}
