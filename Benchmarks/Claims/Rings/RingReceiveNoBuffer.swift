import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// What becomes of a receive that is queued while the only buffer is in use: nothing has arrived, and then a byte does.
///
/// `multishot` and `single` are the error that it ends with before the byte comes, or `waits`; `…_then` what it ends with
/// when the byte is there, if it waited.
let ringReceiveNoBuffer = Experiment(
    id: "uring-recv-no-buffer",
    statement: "without a free buffer a multishot receive ends with ENOBUFS at once, and a single one waits for data",
    source: .liburing("issue 1275"), needs: [.multishotReceive],
    // That one waits is seen by nothing happening; only the kernel ends one.
    conditions: Conditions(isDecisive: { $0["single"] != "waits" && $0["multishot"] != "waits" }),
    keys: ["multishot", "single"],
    observe: {
        var observed = Observed()
        for (name, isMultishot) in [("multishot", true), ("single", false)] {
            var scene = try ReceiveScene(buffers: 1, bytes: 16)
            let pair = try scene.pair()
            try pair.send(1)
            try scene.receive(pair, isMultishot: false, token: 1)
            guard try scene.next()?.result == 1 else { throw Undecided("the first byte did not come") }
            try scene.receive(pair, isMultishot: isMultishot, token: 2)
            let fate = try scene.fate(within: Patience.quietNanoseconds)
            observed[name] = fate.observed
            if fate == "waits" {
                // The ring may take it at once, so nobody waits for it at the socket.
                let byte: [UInt8] = [7]
                guard unsafe try pair.client.send(byte.span.bytes) == 1 else { throw ScriptError("a short send") }
                observed[name + "_then"] = try scene.fate(within: Patience.limitNanoseconds).observed
            }
            pair.end()
            scene.end()
        }
        return observed
    },
    judge: { .init(parts: [$0["multishot"] == "ENOBUFS", $0["single"] == "waits"]) },
    explain: { seen in
        func fate(_ key: String) -> String { seen[key] == "waits" ? "waits" : "ends with \(seen[key]) at once" }
        return "The multishot receive \(fate("multishot")), the single one \(fate("single"))."
    })

extension ReceiveScene {
    /// How the next request ends: `ok`, or the name of the error, or `waits` if none does in time.
    fileprivate mutating func fate(within nanoseconds: UInt64) throws(Errno) -> String {
        guard let completion = try next(within: nanoseconds) else { return "waits" }
        return completion.error.map { errorName($0) } ?? "ok"
    }
}
