import LinuxDescriptors
import Loops
import Meters
import Runs

/// A million tasks, each with an eventfd of its own, passed from one producer to one consumer.
///
/// 1. In turn: the producer makes an eventfd for a task, registers it, edge-triggered, in the set that the consumer
///    waits on, and signals it; the consumer reads, closes, and counts the task as done. No more are open than the
///    consumer is behind, or than the descriptor limit allows.
/// 2. All at once: the producer makes and registers all of them before it signals the first, in as many descriptor
///    tables as the limit makes necessary. Left out where more than 64 tables, or more memory than there is, would be
///    needed; the statement on tasks at once can then not be affirmed.
/// 3. Times are from the first eventfd made to the last task done. `tasks` counts the tasks done in turn; `lost` counts
///    those of both. A time that is too long decides only in an optimised program, if nothing disturbed it.
let eventFDMillion = Experiment(
    id: "eventfd-million",
    statement: "a million tasks at once, an eventfd each, one producer and one consumer, take less than 6.5 s",
    source: .e,
    // A disturbance adds to the time, and loses nothing.
    conditions: Conditions(
        heldUpLimit: Conditions.quietPercent,
        isDecisive: { $0["lost"].number > 0 || $0["seconds_at_once"].number < limitSeconds },
        shortfall: { observed in
            let atOnce = observed["seconds_at_once"].number
            let seconds = atOnce.isNaN ? observed["seconds"].number : atOnce
            return Conditions.slowed(observed, seconds, beyond: limitSeconds)
        }),
    keys: ["seconds", "tasks", "lost"],
    observe: {
        let tasks = 1_000_000
        let inTurn = try pool(tasks, live: false)
        var observed: Observed = ["seconds": inTurn.seconds, "tasks": inTurn.done, "lost": inTurn.lost]
        observed.noteDisturbance(foreign: inTurn.foreign)
        guard try hasRoom(for: tasks) else {
            observed.detail = "the descriptor limit or the memory is too small for all at once"
            return observed
        }
        let atOnce = try pool(tasks, live: true)
        observed["lost"] = (inTurn.lost + atOnce.lost).observed
        observed["seconds_at_once"] = atOnce.seconds.observed
        observed.noteDisturbance(foreign: max(inTurn.foreign, atOnce.foreign))
        return observed
    },
    judge: { observed in
        guard observed["lost"] == 0 else { return .doesNotHold }
        if observed["seconds_at_once"].number < limitSeconds { return .holds }
        return observed["seconds"].number < limitSeconds ? .depends : .doesNotHold
    },
    explain: { observed in
        let atOnce = observed["seconds_at_once"]
        return "\(observed["tasks"]) tasks took \(observed["seconds"]) s in turn"
            + (atOnce == .absent ? "" : ", and \(atOnce) s with all eventfds open at once")
            + "; \(observed["lost"]) were lost."
    })

private let limitSeconds = 6.5
/// What the kernel needs for an open eventfd, at the most.
private let eventFDBytes: UInt64 = 1024

private func pool(_ tasks: Int, live: Bool) throws -> (seconds: Double, done: UInt64, lost: UInt64, foreign: Double) {
    var plan = try RunPlan(.wake, named: "epoll-et", .sharedSet, milliseconds: 1_000)
    plan.loop.placement = .automatic(workers: 1, clients: 1)
    plan.wake.shape = .pool
    plan.wake.descriptors = .perTask
    plan.wake.tasks = tasks
    plan.wake.live = live
    let measurement = try experimentRun(plan, mayLose: true)
    guard let counts = measurement.wake.pool else { throw ScriptError("the pool counted nothing") }
    let seconds = (Double(measurement.durationNanoseconds) / 1e7).rounded() / 100
    return (seconds, UInt64(tasks) - counts.lost, counts.lost, measurement.foreignShare ?? 0)
}

/// True if so many eventfds can be open at once: few enough descriptor tables hold them, and the memory does.
private func hasRoom(for tasks: Int) throws -> Bool {
    let limit = Int(clamping: try DescriptorLimit.raise().soft)
    return limit >= tasks / 64 + 1024 && AvailableMemory.read() >= 2 * UInt64(tasks) * eventFDBytes
}
