import Load
import Loops
import Meters
import Runs

/// What a server's CPU time is, per message, for each way in which a ring posts its completions.
///
/// One worker with a ring echoes 64-byte messages of 32 connections, in runs of 300 ms, three of each way in turn; the
/// least of each counts, because everything else only adds to it. `default_ns` interrupts the thread, `coop_ns` waits until
/// it enters the kernel for some reason (`IORING_SETUP_COOP_TASKRUN`), `defer_ns` until it waits for completions
/// (`IORING_SETUP_DEFER_TASKRUN` with `IORING_SETUP_SINGLE_ISSUER`).
///
/// Cheaper is by 2 % at least, and between is within 2 %.
let ringTaskRun = Experiment(
    id: "uring-task-run",
    statement: "deferred task work is cheaper than a ring's default, and cooperative lies between",
    source: .liburing, needs: [.multishotReceive, .deferTaskRun],
    // Differences are of some per cent, which a busy machine makes by itself.
    conditions: Conditions(
        heldUpLimit: 5, needsOptimisation: true,
        shortfall: { Conditions.fewer($0, "messages", than: 1000, "messages") }),
    keys: ["default_ns", "coop_ns", "defer_ns"],
    observe: {
        var best: [Mode.TaskRun: Double] = [:]
        var messages = UInt64.max
        for _ in 0..<3 {
            for way in Mode.TaskRun.allCases {
                let run = try echoRun("uring-multishot", connections: 32) { $0.loop.mode.options.taskRun = way }
                messages = min(messages, run.operations)
                best[way] = min(best[way] ?? .infinity, nanosecondsPerMessage(run))
            }
        }
        var observed = Observed()
        for way in Mode.TaskRun.allCases {
            observed["\(way.rawValue)_ns"] = best[way].map { Int($0.rounded()).observed } ?? .absent
        }
        observed["messages"] = messages.observed
        return observed
    },
    judge: { observed in
        let (usual, cooperative, deferred) = costs(observed)
        return .init(parts: [
            deferred <= 0.98 * usual, deferred <= 1.02 * cooperative && cooperative <= 1.02 * usual,
        ])
    },
    explain: { observed in
        let (usual, cooperative, deferred) = costs(observed)
        return "A message takes \(observed["default_ns"]) ns of the server's CPU time by default, cooperative "
            + "\(share(cooperative, of: usual)) and deferred \(share(deferred, of: usual)) of that."
    })

private func costs(_ observed: Observed) -> (usual: Double, cooperative: Double, deferred: Double) {
    (observed["default_ns"].number, observed["coop_ns"].number, observed["defer_ns"].number)
}

private func share(_ part: Double, of whole: Double) -> String { "\(Int((100 * part / whole).rounded())) %" }
