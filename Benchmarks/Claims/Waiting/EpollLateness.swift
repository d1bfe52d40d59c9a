import CBenchExtras
import LinuxReadiness
import Meters
import SystemPackage

/// How late the end of a wait comes in which nothing happens, on a thread of its own: the median of 101 waits of 1 ms
/// (11 of 100 ms, `long_late_ns`), with a timer slack of 50 us and of 1 ns (`exact_late_ns`), and how long a wait of
/// 200 us takes with `epoll_pwait2(2)`, which `epoll_wait(2)` can only round up to a millisecond.
///
/// The time that the thread takes to run again is in all of them, so the slack's part is a difference: 20 us at least. A
/// time below a millisecond is taken if its wait is over before a millisecond is.
let epollLateness = Experiment(
    id: "epoll-wait-lateness",
    statement: "epoll_wait's timeout is late by the timer slack of 50 us, and epoll_pwait2 takes nanoseconds",
    source: .manual("epoll_wait(2), prctl(2) of PR_SET_TIMERSLACK"),
    conditions: Conditions(
        shortfall: {
            $0["exact_late_ns"].number > 500_000
                ? "without a slack a wait was late by half a millisecond; end other work and try again" : nil
        }),
    keys: ["late_ns", "exact_late_ns", "short_ns"],
    observe: {
        let thread = try ScriptThread("waits")
        defer { thread.end() }
        return try thread.perform {
            let slack = usualSlack
            guard c_set_timer_slack(slack) == 0 else { throw Unobservable("PR_SET_TIMERSLACK is refused") }
            let late = try lateness(of: .milliseconds(1), times: 101)
            let long = try lateness(of: .milliseconds(100), times: 11)
            let short = try shortWaitIfThere()
            _ = c_set_timer_slack(1)
            let exact = try lateness(of: .milliseconds(1), times: 101)
            var observed: Observed = ["late_ns": late, "exact_late_ns": exact]
            observed["short_ns"] = short
            observed["long_late_ns"] = long.observed
            return observed
        }
    },
    judge: { observed in
        .init(parts: [
            observed["late_ns"].number - observed["exact_late_ns"].number >= 20_000,
            observed["short_ns"].number < 1_000_000,
        ])
    },
    explain: { observed in
        "A wait of 1 ms is late by \(observed["late_ns"]) ns, with a slack of 1 ns by \(observed["exact_late_ns"]) ns, "
            + "one of 100 ms by \(observed["long_late_ns"]) ns; epoll_pwait2 ends a wait of 200 us after "
            + "\(observed["short_ns"]) ns."
    })

private let usualSlack: UInt = 50_000

private func lateness(of time: Duration, times: Int) throws(Errno) -> UInt64 {
    let nanoseconds = UInt64(time / .nanoseconds(1))
    return try medianTime(times) { (set, events) throws(Errno) in
        _ = try set.wait(into: events, timeout: time)
    } - nanoseconds
}

private func shortWait() throws(Errno) -> UInt64 {
    try medianTime(101) { (set, events) throws(Errno) in
        _ = try set.waitPrecisely(into: events, timeout: .microseconds(200))
    }
}

private func medianTime(
    _ times: Int, _ wait: (borrowing Epoll, borrowing EpollEventBuffer) throws(Errno) -> Void
) throws(Errno) -> UInt64 {
    let set = try Epoll()
    let events = EpollEventBuffer(capacity: 1)
    var durations: [UInt64] = []
    for _ in 0..<times {
        let start = monotonicNanoseconds()
        try wait(set, events)
        durations.append(monotonicNanoseconds() - start)
    }
    durations.sort()
    return durations[times / 2]
}

/// The same, or that the kernel has no such call.
private func shortWaitIfThere() throws(Errno) -> Observed.Datum {
    do throws(Errno) {
        return try shortWait().observed
    } catch {
        if error == .noFunction { return "ENOSYS" }
        throw error
    }
}
