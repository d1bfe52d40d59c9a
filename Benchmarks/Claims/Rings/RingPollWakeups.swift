import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import SystemPackage

/// Which threads wake when four rings poll one listener with a multishot poll, and then with EPOLLEXCLUSIVE: all are
/// seen asleep in the kernel when a client connects; no thread accepts. A poll that completes with an error is a
/// refusal, and nothing is observed.
let ringPollWakeups = Experiment(
    id: "uring-poll-multishot-wakeups",
    statement: "of rings that poll one listener all wake for a connection, and one with EPOLLEXCLUSIVE",
    source: .expectation, needs: [.multishotPoll],
    keys: ["workers", "woken", "woken_exclusive"],
    observe: {
        [
            "workers": ringCount, "woken": try wokenRings(.readable),
            "woken_exclusive": try wokenRings([.readable, .exclusive]),
        ]
    },
    judge: { .init(parts: [$0["woken"] == $0["workers"], $0["woken_exclusive"] == 1]) },
    explain: {
        "\($0["woken"]) of \($0["workers"]) rings complete for one connection, \($0["woken_exclusive"]) with "
            + "EPOLLEXCLUSIVE."
    })

private let ringCount = 4
private let listenerToken: UInt64 = 1
private let stopToken: UInt64 = 2

/// How many rings wake for a connection; `other` is what they poll in place of the listener.
func wokenRings(_ events: Ring.PollEvents, polling other: BorrowedDescriptor? = nil) throws -> Int {
    var listener = try ScriptListener()
    let stop = try EventFD()
    let (queue, end) = (other ?? listener.descriptor, stop.descriptor)
    let threads = try scriptThreads("ring", count: ringCount)
    defer {
        _ = try? stop.add()
        for thread in threads { thread.end() }
    }
    let waits = threads.map { thread in
        thread.start { () -> Errno? in
            var ring = try Ring(entries: 4)
            try ring.prepareMultishotPoll(queue, events, token: listenerToken)
            try ring.preparePoll(end, .readable, token: stopToken)
            let limit = Duration.milliseconds(Int64(Patience.waitMilliseconds))
            return try ring.submitAndWait(timeout: limit) ? ring.nextCompletion()?.error : nil
        }
    }
    // A ring whose poll was refused does not wait.
    try Patience.until("the rings poll") {
        zip(threads, waits).allSatisfy { $1.isFinished || $0.isBusy && $0.state.waitsInKernel }
    }
    try listener.admit()
    try Patience.untilQuiet(threads)
    let woken = waits.count(where: \.isFinished)
    try stop.add()
    let refusals = try waits.compactMap { try $0.result() }
    listener.end()
    if let error = refusals.first {
        throw Unobservable("\(refusals.count) of \(ringCount) rings refuse to poll: \(errorName(error))")
    }
    return woken
}
