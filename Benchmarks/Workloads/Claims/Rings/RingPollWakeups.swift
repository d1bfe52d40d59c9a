import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import SystemPackage

/// Who wakes when several rings poll one listener.
///
/// 1. Four threads, each with a ring, poll one listener with a multishot poll, and an eventfd that ends the script.
/// 2. All are seen asleep in the kernel.
/// 3. A client connects; nobody accepts.
/// 4. When nothing changes any more, those whose poll completed are counted. Then the same with EPOLLEXCLUSIVE.
///
/// A poll that completes with an error is a refusal, and nothing is observed.
extension Experiment {
    static let ringPollWakeups = Experiment(
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
        judge: { observed in
            let all = observed["woken"] == observed["workers"]
            let one = observed["woken_exclusive"] == "1"
            return all && one ? .holds : all || one ? .depends : .doesNotHold
        },
        explain: { observed in
            "\(observed["woken"] ?? "") of \(observed["workers"] ?? "") rings complete for one connection, "
                + "\(observed["woken_exclusive"] ?? "") with EPOLLEXCLUSIVE."
        })
}

private let ringCount = 4
private let listenerToken: UInt64 = 1
private let stopToken: UInt64 = 2

/// How many rings wake for a connection.
///
/// - Parameter polled: what they poll in place of the listener.
func wokenRings(_ events: Ring.PollEvents, polling polled: BorrowedDescriptor? = nil) throws -> Int {
    var listener = try ScriptListener()
    let stop = try EventFD()
    let (queue, end) = (polled ?? listener.descriptor, stop.descriptor)
    let threads = try scriptThreads("ring", count: ringCount)
    defer { for thread in threads { thread.end() } }
    let waits = threads.map { thread in
        thread.start { () -> Errno? in
            var ring = try Ring(entries: 4)
            try ring.prepareMultishotPoll(queue, events, token: listenerToken)
            try ring.preparePoll(end, .readable, token: stopToken)
            let limit = Duration.milliseconds(Int64(Patience.waitMilliseconds))
            return try ring.submitAndWait(timeout: limit) ? ring.nextCompletion()?.error : nil
        }
    }
    do {
        // Who is refused does not wait.
        try Patience.until("the rings poll") {
            zip(threads, waits).allSatisfy { $1.isFinished || $0.isBusy && $0.state.waitsInKernel }
        }
        try listener.admit()
        try Patience.untilQuiet(threads)
    } catch {
        _ = try? stop.add()
        throw error
    }
    let woken = waits.filter(\.isFinished).count
    try stop.add()
    let refusals = try waits.compactMap { try $0.result() }
    listener.end()
    if let error = refusals.first {
        throw Unobservable("\(refusals.count) of \(ringCount) rings refuse to poll: \(errorName(error))")
    }
    return woken
}
