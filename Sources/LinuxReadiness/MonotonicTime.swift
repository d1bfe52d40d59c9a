import CEpoll
import Glibc

func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// False if a signal ended the sleep. With `blocked`, those are the thread's blocked signals meanwhile.
func sleepUntil(nanoseconds deadline: UInt64, _ blocked: SignalSet? = nil) -> Bool {
    if let blocked {
        let now = monotonicNanoseconds()
        let time = Int64(clamping: deadline > now ? deadline - now : 0)
        return c_sleep_blocking(time, blocked.bits) == 0
    }
    var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
    return unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) != EINTR
}

/// Zero when the time is over.
func durationUntil(nanoseconds deadline: UInt64) -> Duration {
    let now = monotonicNanoseconds()
    return .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))
}
