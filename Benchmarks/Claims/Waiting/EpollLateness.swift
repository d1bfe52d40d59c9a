import CBenchExtras
import Foundation
import LinuxReadiness
import Meters
import SystemPackage

/// How late the end of a wait comes in which nothing happens, on a thread of its own: the median of 101 waits of 1 ms
/// (5 of 100 ms, `long_late_ns`) with a timer slack of 50 us, and with slacks of 1 ns (`exact_late_ns`) and 1 ms
/// (`wide_late_ns`). And how long a wait of 200 us takes with `epoll_pwait2(2)`, which `epoll_wait(2)` can only round up to
/// a millisecond.
///
/// The time that the thread takes to run again is in all of them, and may be more than 50 us, so that only differences
/// tell. A wait is late by the slack if one of 1 ms makes it later by at least a quarter of that; that the slack is 50 us the
/// kernel says of the thread (`slack_ns`, `/proc/pid/timerslack_ns`). Nanoseconds are taken if the wait of 200 us is
/// shorter than that of 1 ms by at least half of the 800 us between them.
let epollLateness = Experiment(
    id: "epoll-wait-lateness",
    statement: "epoll_wait's timeout is late by the timer slack of 50 us, and epoll_pwait2 takes nanoseconds",
    source: .manual("epoll_wait(2), prctl(2) of PR_SET_TIMERSLACK"),
    conditions: Conditions(
        shortfall: {
            $0["exact_late_ns"].number > 500_000
                ? "without a slack a wait was late by half a millisecond; end other work and try again" : nil
        }),
    keys: ["late_ns", "wide_late_ns", "exact_late_ns", "short_ns"],
    observe: {
        let thread = try ScriptThread("waits")
        defer { thread.end() }
        return try thread.perform {
            let slack = ownSlack()
            guard c_set_timer_slack(usualSlack) == 0 else { throw Unobservable("PR_SET_TIMERSLACK is refused") }
            let late = try lateness(of: .milliseconds(1), times: 101)
            let long = try lateness(of: .milliseconds(100), times: 5)
            _ = c_set_timer_slack(wideSlack)
            let wide = try lateness(of: .milliseconds(1), times: 51)
            _ = c_set_timer_slack(1)
            let exact = try lateness(of: .milliseconds(1), times: 101)
            var observed: Observed = ["late_ns": late, "wide_late_ns": wide, "exact_late_ns": exact]
            observed["short_ns"] = try shortWaitIfThere()
            observed["long_late_ns"] = long.observed
            observed["slack_ns"] = slack
            return observed
        }
    },
    judge: { observed in
        let exact = observed["exact_late_ns"].number
        let isUsual = observed["slack_ns"] == .absent || observed["slack_ns"].number == Double(usualSlack)
        return .init(parts: [
            isUsual && observed["wide_late_ns"].number - exact >= Double(wideSlack) / 4,
            1_000_000 + exact - observed["short_ns"].number >= 400_000,
        ])
    },
    explain: { observed in
        "A wait of 1 ms is late by \(observed["late_ns"]) ns, with a slack of 1 ns by \(observed["exact_late_ns"]) ns and "
            + "with one of 1 ms by \(observed["wide_late_ns"]) ns; "
            + (observed["short_ns"] == "ENOSYS"
                ? "there is no epoll_pwait2."
                : "epoll_pwait2 ends a wait of 200 us after \(observed["short_ns"]) ns.")
    })

private let usualSlack: UInt = 50_000
private let wideSlack: UInt = 1_000_000

/// The slack with which this thread was started; absent where the kernel does not tell.
private func ownSlack() -> Observed.Datum {
    let text = try? String(contentsOfFile: "/proc/\(c_gettid())/timerslack_ns", encoding: .utf8)
    return text.flatMap { UInt64($0.filter(\.isNumber)) }?.observed ?? .absent
}

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
