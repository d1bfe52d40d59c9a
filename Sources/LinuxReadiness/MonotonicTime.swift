import CEpoll
import Glibc

func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// False if a signal ended the sleep.
func sleepUntil(nanoseconds deadline: UInt64) -> Bool {
    var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
    return unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) != EINTR
}

extension Duration {
    /// The time in nanoseconds, rounded up, so that nothing ends too early; 0 if it is negative, and at most 146 years.
    var clampedNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        let fraction = UInt64(attoseconds) / 1_000_000_000 + (attoseconds % 1_000_000_000 == 0 ? 0 : 1)
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow || product > 1 << 62 ? 1 << 62 : product + fraction
    }
}
