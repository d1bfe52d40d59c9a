import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// A completion queue that is too small for a multishot accept: it has room for four, and sixteen clients connect
/// before a completion is taken. If the request ended it is armed again, as often as it ends, until nothing more
/// comes.
///
/// `recovered` counts the connections that came only after arming again, `lost` those that never came.
let ringMultishotOverflow = Experiment(
    id: "uring-multishot-overflow",
    statement: "an overflow of completions ends a multishot accept, and arming it again recovers every connection",
    source: .expectation, needs: [.multishotAccept],
    conditions: Conditions(isDecisive: { $0["lost"] == 0 }),
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
                // What an overflow ends is cancelled at the most; another error would end each request anew.
                if let error = completion.error, error != .canceled { throw error }
                if completion.result >= 0 {
                    accepted += 1
                    try completion.takeDescriptor().close()
                }
            }
            // Completions that the kernel kept come with the next call, before anything is armed.
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
        return ["ended": ended > 0, "recovered": recovered, "lost": clients - accepted, "rearms": ended]
    },
    judge: { $0["lost"] == 0 ? $0["ended"] == true ? .holds : .depends : .doesNotHold },
    explain: {
        $0["ended"] == true
            ? "The request ended; arming it again brought \($0["recovered"]) connections, \($0["lost"]) were lost."
            : "The request did not end; \($0["lost"]) connections were lost."
    })
