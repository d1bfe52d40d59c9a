public import Glibc

/// Nanoseconds of `CLOCK_MONOTONIC`: the one clock of all intervals, read without a system call through the vDSO
/// (`clock_gettime(2)`, `vdso(7)`).
@inlinable @inline(__always) package func monotonicNanoseconds() -> UInt64 {
    nanoseconds(of: CLOCK_MONOTONIC)
}

@inlinable @inline(__always) func nanoseconds(of clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    // Neither is ever negative.
    let seconds = UInt64(truncatingIfNeeded: time.tv_sec)
    return seconds &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
}

/// Sleeps until the monotonic clock shows `deadline`, signals notwithstanding (`clock_nanosleep(2)`).
@inlinable package func sleepUntil(nanoseconds deadline: UInt64) {
    var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
    while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
}
