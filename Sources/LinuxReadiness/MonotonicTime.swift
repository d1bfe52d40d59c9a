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

/// Zero when the time is over.
func durationUntil(nanoseconds deadline: UInt64) -> Duration {
    let now = monotonicNanoseconds()
    return .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))
}
