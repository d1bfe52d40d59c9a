import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// A completion queue that is too small for a multishot accept.
///
/// 1. A ring with room for four completions has a multishot accept pending.
/// 2. Sixteen clients connect; nobody takes a completion.
/// 3. All completions are taken. Did the request end?
/// 4. If it did it is armed again, as often as it ends, until nothing more comes.
///
/// `recovered` counts the connections that came only after arming again, `lost` those that never came.
extension Experiment {
    static let ringMultishotOverflow = Experiment(
        id: "uring-multishot-overflow",
        statement: "an overflow of completions ends a multishot accept, and arming it again recovers every connection",
        source: .expectation, needs: [.multishotAccept],
        conditions: Conditions(isDecisive: { $0["lost"] == "0" }),
        keys: ["ended", "recovered", "lost"],
        observe: {
            let clients = 16
            var ring = try Ring(entries: 2, completions: 4)
            var listener = try ScriptListener()
            try ring.prepareMultishotAccept(on: listener.descriptor, token: 1)
            try ring.submit()
            for _ in 1...clients { try listener.connectClient() }

            var (accepted, first, ended) = (0, 0, 0)
            var isArmed = true
            func patience() -> UInt64 { accepted < clients ? 2_000_000_000 : Patience.quietNanoseconds }
            while try ring.submitAndWait(timeout: .nanoseconds(patience())) {
                while let completion = ring.nextCompletion() {
                    if !completion.isArmed { isArmed = false }
                    if completion.result >= 0 {
                        accepted += 1
                        try completion.takeDescriptor().close()
                    }
                }
                // What was kept in the kernel comes with the next call, before anything is armed.
                if ring.completionsOverflowed { continue }
                if ended == 0 { first = accepted }
                if !isArmed {
                    ended += 1
                    isArmed = true
                    try ring.prepareMultishotAccept(on: listener.descriptor, token: 1)
                }
            }
            listener.end()
            let recovered = ended > 0 ? accepted - first : 0
            return ["ended": min(ended, 1), "recovered": recovered, "lost": clients - accepted, "rearms": ended]
        },
        judge: { observed in
            guard observed["lost"] == "0" else { return .doesNotHold }
            return observed["ended"] == "1" ? .holds : .depends
        },
        explain: { observed in
            observed["ended"] == "1"
                ? "The request ended; arming it again brought \(observed["recovered"] ?? "") connections, "
                    + "\(observed["lost"] ?? "") were lost."
                : "The request did not end; \(observed["lost"] ?? "") connections were lost."
        })
}
