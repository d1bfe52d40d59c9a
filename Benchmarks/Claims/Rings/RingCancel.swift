import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// Cancelling a request whose listener is closed already: the multishot accept is pending, the listener's only
/// descriptor is closed, the request is cancelled, and three clients try to connect.
///
/// `result` is that of the cancel request: a count, `ok` for 0, or an error. `events_after` counts the connections that
/// the ring accepted in spite of it.
let ringCancelByClosedDescriptor = cancel(
    "uring-cancel-by-closed-fd", "a request can be cancelled by its descriptor's number after the close"
) { (ring, number) throws(Errno) in
    try ring.prepareCancelAll(on: number, token: cancelToken)
}

let ringCancelByToken = cancel(
    "uring-cancel-by-token", "a request can be cancelled by its token after its descriptor was closed"
) { (ring, _) throws(Errno) in
    try ring.prepareCancel(target: ClosedListener.token, token: cancelToken)
}

private func cancel(
    _ id: String, _ statement: String,
    _ prepare: @escaping @Sendable (inout Ring, BorrowedDescriptor) throws(Errno) -> Void
) -> Experiment {
    Experiment(
        id: id, statement: statement, source: .expectation, needs: [.multishotAccept],
        conditions: Conditions(isDecisive: { $0["events_after"].number > 0 }),
        keys: ["result", "events_after"],
        observe: {
            var scene = try ClosedListener()
            try prepare(&scene.ring, scene.number)
            _ = try scene.ring.submitAndWait(timeout: .nanoseconds(Patience.limitNanoseconds))
            var result: Observed.Datum?
            var last = "none"
            func take(_ completion: borrowing Completion) {
                let error = completion.error.map { errorName($0) }
                if completion.token == cancelToken {
                    result = error?.observed ?? (completion.result == 0 ? "ok" : completion.result.observed)
                } else if let error {
                    last = error
                }
            }
            var events = try scene.takeReady(take)
            _ = countConnects(to: scene.address)
            events += try scene.takeUntilQuiet(take)
            guard let result else { throw Undecided("the cancel request did not complete within 10 s") }
            return ["result": result, "events_after": events, "accept_ended_with": last]
        },
        judge: { observed in
            let isCancelled = observed["result"] == "ok" || observed["result"].number > 0
            return .init(holds: isCancelled && observed["events_after"] == 0)
        },
        explain: {
            "The cancellation says \($0["result"]); of 3 clients after it \($0["events_after"]) are accepted."
        })
}

private let cancelToken: UInt64 = 2
