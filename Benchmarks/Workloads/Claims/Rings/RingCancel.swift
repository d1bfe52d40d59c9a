import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// Ending a request whose listener is closed already: the multishot accept is pending, the listener's only descriptor
/// is closed, the request is cancelled, and three clients try to connect.
///
/// `result` is that of the cancel request: a count, `ok` for 0, or an error. `events_after` counts the connections that
/// the ring accepted in spite of it.
extension Experiment {
    static let ringCancelByClosedDescriptor = cancel(
        "uring-cancel-by-closed-fd", "a request can be cancelled by its descriptor's number after the close"
    ) { (ring, number) throws(Errno) in
        try ring.prepareCancelAll(on: number, token: cancelToken)
    }

    static let ringCancelByToken = cancel(
        "uring-cancel-by-token", "a request can be cancelled by its token after its descriptor was closed"
    ) { (ring, _) throws(Errno) in
        try ring.prepareCancel(target: acceptingToken, token: cancelToken)
    }

    private static func cancel(
        _ id: String, _ statement: String,
        _ prepare: @escaping @Sendable (inout Ring, BorrowedDescriptor) throws(Errno) -> Void
    ) -> Experiment {
        Experiment(
            id: id, statement: statement, source: .expectation, needs: [.multishotAccept],
            conditions: Conditions(isDecisive: { ($0.integer("events_after") ?? 0) > 0 }),
            keys: ["result", "events_after"],
            observe: { try observeCancel(prepare) },
            judge: { observed in
                let isCancelled = observed["result"] == "ok" || (observed.integer("result") ?? 0) > 0
                return isCancelled && observed["events_after"] == "0" ? .holds : .doesNotHold
            },
            explain: { observed in
                "The cancellation says \(observed["result"] ?? ""); of 3 clients after it "
                    + "\(observed["events_after"] ?? "") are accepted."
            })
    }
}

private let acceptingToken: UInt64 = 1
private let cancelToken: UInt64 = 2

private func observeCancel(_ prepare: (inout Ring, BorrowedDescriptor) throws(Errno) -> Void) throws -> Observed {
    var ring = try Ring(entries: 8)
    let listener = try Listener(.loopback(), [.reuseAddress, .resetOnClose])
    let address = try listener.address
    let number = listener.descriptor
    try ring.prepareMultishotAccept(on: number, token: acceptingToken)
    try ring.submit()
    try listener.close()
    try prepare(&ring, number)
    _ = try ring.submitAndWait(timeout: .nanoseconds(Patience.limitNanoseconds))

    var result: String?
    var last = "none"
    var events = 0
    func take() throws {
        while let completion = ring.nextCompletion() {
            if completion.token == cancelToken {
                result = completion.error.map(errorName) ?? (completion.result == 0 ? "ok" : "\(completion.result)")
            } else if completion.result >= 0 {
                events += 1
                try completion.takeDescriptor().close()
            } else if let error = completion.error {
                last = errorName(error)
            }
        }
    }
    try take()
    for _ in 1...3 {
        _ = outcome { () throws(Errno) in _ = try connectBounded(to: address) }
    }
    while try ring.submitAndWait(timeout: .nanoseconds(Patience.quietNanoseconds)) { try take() }
    guard let result else { throw Undecided("the cancel request did not complete within 10 s") }
    return ["result": result, "events_after": events, "accept_ended_with": last]
}
