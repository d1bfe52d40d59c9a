import Glibc
import LinuxReadiness
import LinuxRings
import Loops
import Meters
import Runs

/// What handing requests to a polling thread of the kernel takes, and what that thread takes itself.
///
/// A thousand polls of a file that is ready are handed over one after the other to a poller that looks for requests all
/// the time; `enters` counts the `io_uring_enter(2)` calls of that. Five more are handed to one that was seen asleep before
/// each: `enters_asleep`. `idle_percent` is the processor time that a poller without requests uses, `asleep_percent` once
/// it sleeps. From Linux 6.0 on `echo_ns` is the server's CPU time for a message of 8 connections with an ordinary ring,
/// `echo_poller_ns` with a poller, whose own part is `poller_ns`.
let ringPollerCost = Experiment(
    id: "uring-sqpoll",
    statement: "with IORING_SETUP_SQPOLL submitting takes no system call, while the poller looks",
    source: .liburing("io_uring_setup(2)"), needs: [.submissionPoller],
    keys: ["submissions", "enters", "enters_asleep", "idle_percent", "asleep_percent"],
    observe: {
        var observed: Observed = ["submissions": submissions, "enters": try entersAwake()]
        try observeSleep(&observed)
        if Need.multishotReceive.unmet() == nil { try observeEcho(&observed) }
        return observed
    },
    judge: { observed in
        let enters = observed["enters"].number
        return enters == 0 ? .holds : enters < 0.5 * observed["submissions"].number ? .depends : .doesNotHold
    },
    explain: { observed in
        "\(observed["submissions"]) requests were handed over with \(observed["enters"]) calls while the poller looked, and "
            + "5 with \(observed["enters_asleep"]) while it slept. In vain it looks at \(observed["idle_percent"]) % of a "
            + "processor, and asleep it takes \(observed["asleep_percent"]) %."
            + (observed["echo_ns"] == .absent
                ? ""
                : " An echo takes \(observed["echo_poller_ns"]) ns of the server's CPU time in place of "
                    + "\(observed["echo_ns"]), of which the poller takes \(observed["poller_ns"]).")
    })

private let submissions = 1000

/// The calls that handing over took while the poller looked for requests.
private func entersAwake() throws -> UInt64 {
    // It would sleep after ten seconds, so that no other program's turn on its processor is the end of its looking.
    var ring = try Ring(entries: 8, [.submitAll], poller: SubmissionPoller(idle: .seconds(10)))
    let ready = try EventFD(count: 1)
    try handOver(&ring, ready)
    let before = ring.enters
    for _ in 0..<submissions { try handOver(&ring, ready) }
    return ring.enters - before
}

/// Hands over one request, and waits for its completion without a call of the ring's.
private func handOver(_ ring: inout Ring, _ ready: borrowing EventFD) throws {
    try ring.preparePoll(ready.descriptor, .readable, token: 1)
    try ring.submit()
    let deadline = monotonicNanoseconds() + Patience.limitNanoseconds
    while ring.readyCompletions == 0 {
        guard monotonicNanoseconds() < deadline else { throw Undecided("a request was not carried out within 10 s") }
        sched_yield()
    }
    _ = ring.nextCompletion()
}

private func observeSleep(_ observed: inout Observed) throws {
    var ring = try Ring(entries: 8, [.submitAll], poller: SubmissionPoller(idle: .milliseconds(200)))
    let ready = try EventFD(count: 1)
    try handOver(&ring, ready)
    guard let thread = ring.pollerThread() else {
        throw Unobservable("the poller's thread cannot be found: it needs /proc of this PID namespace")
    }
    let poller = ThreadHandle(ofKernelThread: thread)
    let idle = share(of: poller)
    var enters: UInt64 = 0
    for _ in 0..<5 {
        try Patience.until("the poller sleeps") { ring.pollerSleeps }
        let before = ring.enters
        try handOver(&ring, ready)
        enters += ring.enters - before
    }
    try Patience.until("the poller sleeps") { ring.pollerSleeps }
    observed["enters_asleep"] = enters.observed
    observed["idle_percent"] = idle.observed
    observed["asleep_percent"] = share(of: poller).observed
}

private func observeEcho(_ observed: inout Observed) throws {
    let plain = try echoRun("uring-multishot", connections: 8)
    let polled = try echoRun("uring-sqpoll", connections: 8)
    observed["echo_ns"] = Int(nanosecondsPerMessage(plain)).observed
    observed["echo_poller_ns"] = Int(nanosecondsPerMessage(polled)).observed
    observed["poller_ns"] = Int(Double(polled.pollerNanoseconds ?? 0) / Double(polled.operations)).observed
}

/// The part of a processor, in per cent, that a thread uses in the next 100 ms.
private func share(of thread: ThreadHandle) -> Int {
    let (start, before) = (monotonicNanoseconds(), thread.cpuNanoseconds() ?? 0)
    sleepUntil(nanoseconds: start + 100_000_000)
    let used = (thread.cpuNanoseconds() ?? before) - before
    return Int((100 * Double(used) / Double(monotonicNanoseconds() - start)).rounded())
}
