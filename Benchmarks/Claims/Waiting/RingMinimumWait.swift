import Histogram
import Loops
import Meters
import Runs

/// What waiting for 16 completions, and after some time for one, saves and costs.
///
/// One worker echoes 64-byte messages of 64 connections, and then of a single one, with a ring that waits for each
/// completion and with one that waits for 16, for 100 us with the many connections, and for 5 ms with the single one.
/// `enters` are `io_uring_enter(2)` calls for a hundred messages of 64 connections, as the loop counts them; `alone_ns` is
/// the median latency of the single connection.
///
/// Saved is a fifth of the enters at least. Delayed by its whole time is by three quarters of the 5 ms at least: a message
/// and its answer pass while the wait lasts, and take less than the millisecond without which nothing is told.
let ringMinimumWait = Experiment(
    id: "uring-min-wait",
    statement: "minimum-wait batching saves enters under load, and delays a single connection by its whole time",
    source: .liburing, needs: [.minimumWait],
    conditions: Conditions(
        shortfall: {
            $0["alone_ns"].number > 1_000_000
                ? "a message of one connection took more than a millisecond without it; end other work and try again"
                : nil
        }),
    keys: ["enters", "enters_min_wait", "alone_ns", "alone_min_wait_ns"],
    observe: {
        let (plain, batched) = ("uring-multishot", "uring-min-wait")
        return [
            "enters": enters(try echoRun(plain, connections: 64)),
            "enters_min_wait": enters(try echoRun(batched, connections: 64)),
            "alone_ns": median(try echoRun(plain, connections: 1)),
            "alone_min_wait_ns": median(try echoRun(batched, connections: 1) { waitLong(&$0.loop.mode.options) }),
        ]
    },
    judge: { observed in
        let delay = observed["alone_min_wait_ns"].number - observed["alone_ns"].number
        return .init(parts: [
            observed["enters_min_wait"].number <= 0.8 * observed["enters"].number, 4 * delay >= 3 * Double(longWait),
        ])
    },
    explain: { observed in
        "With 64 connections it takes \(observed["enters_min_wait"]) enters for 100 messages in place of "
            + "\(observed["enters"]); a single connection waits \(observed["alone_min_wait_ns"]) ns for an answer in "
            + "place of \(observed["alone_ns"])."
    })

private let longWait: UInt64 = 5_000_000

private func waitLong(_ options: inout Mode.Options) {
    var settings = Mode.WaitSettings()
    settings.waitFor = options.waitFor
    settings.minimumWaitNanoseconds = longWait
    options.set(settings)
}

private func enters(_ run: Measurement) -> UInt64 {
    100 * run.totals[.systemCalls, default: 0] / max(run.totals[.operations, default: 0], 1)
}

private func median(_ run: Measurement) -> UInt64 { run.latencies.valueAtPercentile(50) }
