import CSocketExtras
import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import SystemPackage

/// What becomes of requests when the thread that submitted them ends, and its process and ring live on.
///
/// 1. A thread submits a receive and a poll to a ring that another made, and ends; the kernel knows it no more.
/// 2. Have they completed when nothing changes any more (`…_at_end`: `pending`, `ok` or an error)?
/// 3. What they wait for comes: a byte each. How do they complete then (`…_after`)?
///
/// `left` is the number of bytes that are still to be read after that: a receive that was cancelled takes none. The same
/// of a ring with a submission poller is `…_of_poller`: there the poller is the thread that submits, and does not end.
let ringSubmitterEnds = Experiment(
    id: "uring-submitter-ends",
    statement: "a request belongs to the thread that submitted it, and is cancelled when that thread ends",
    source: .liburing, needs: [.timedWait],
    conditions: Conditions(isDecisive: { isCancelled($0, "at_end") == [true, true] }),
    keys: ["receive_at_end", "poll_at_end", "receive_after", "poll_after"],
    observe: {
        let own = try OrphanScene(poller: false).run()
        var observed: Observed = [
            "receive_at_end": own.atEnd[0], "poll_at_end": own.atEnd[1], "receive_after": own.after[0],
            "poll_after": own.after[1], "left": own.left,
        ]
        if Need.submissionPoller.unmet() == nil {
            let poller = try OrphanScene(poller: true).run()
            observed["receive_of_poller"] = poller.after[0].observed
            observed["poll_of_poller"] = poller.after[1].observed
        }
        return observed
    },
    judge: { observed in
        let atEnd = isCancelled(observed, "at_end")
        if atEnd == [true, true] { return .holds }
        return atEnd.contains(true) || isCancelled(observed, "after").contains(true) ? .depends : .doesNotHold
    },
    explain: { observed in
        let poller = observed["receive_of_poller"]
        return "When the thread has ended the receive is \(observed["receive_at_end"]) and the poll "
            + "\(observed["poll_at_end"]); when what they wait for comes, they end with "
            + "\(observed["receive_after"]) and \(observed["poll_after"])"
            + (poller == .absent ? "." : ", and with \(poller) and \(observed["poll_of_poller"]) behind a poller.")
    })

private func isCancelled(_ observed: Observed, _ moment: String) -> [Bool] {
    ["receive", "poll"].map { observed["\($0)_\(moment)"] == "ECANCELED" }
}

private let receiveToken: UInt64 = 1
private let pollToken: UInt64 = 2

/// Where the receives write to; never freed, for a request may outlast whoever waits for it.
nonisolated(unsafe) private let room = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)

/// A ring that two threads use, one after the other.
private final class OrphanScene: @unchecked Sendable {
    // Unchecked: the second thread ends before the first goes on.
    private var ring: Ring
    private let ends: SocketPair
    private let counter: EventFD

    init(poller: Bool) throws(Errno) {
        let idle = SubmissionPoller(idle: .milliseconds(20))
        ring = poller ? try Ring(entries: 8, poller: idle) : try Ring(entries: 8)
        ends = try SocketPair()
        counter = try EventFD()
    }

    func run() throws -> (atEnd: [String], after: [String], left: Int) {
        let thread = try ScriptThread("submitter")
        let state = thread.state
        let submission = thread.start { [self] in try submit() }
        thread.end()
        try submission.result()
        try Patience.until("the thread has ended") { state.hasEnded }
        var results: [UInt64: String] = [:]
        _ = try ring.submitAndWait(for: 2, timeout: .nanoseconds(Patience.quietNanoseconds))
        take(into: &results)
        let atEnd = [receiveToken, pollToken].map { results[$0] ?? "pending" }
        try counter.add()
        try ends.writeByte()
        try Patience.until("both requests complete") {
            _ = try ring.submitAndWait(timeout: .milliseconds(1))
            take(into: &results)
            return results.count == 2
        }
        var byte: UInt8 = 0
        let reader = ends.near.descriptor.rawValue
        let left = try nonblockingSystemCall { unsafe recv(reader, &byte, 1, CInt(MSG_DONTWAIT)) } ?? 0
        return (atEnd, [receiveToken, pollToken].map { results[$0] ?? "none" }, left)
    }

    private func submit() throws(Errno) {
        let file = RequestFile.descriptor(ends.near.descriptor)
        unsafe try ring.prepareReceive(file, into: room, count: 16, token: receiveToken)
        try ring.preparePoll(counter.descriptor, .readable, token: pollToken)
        try ring.submit()
    }

    private func take(into results: inout [UInt64: String]) {
        while let completion = ring.nextCompletion() {
            results[completion.token] = completion.error.map { errorName($0) } ?? "ok"
        }
    }
}
