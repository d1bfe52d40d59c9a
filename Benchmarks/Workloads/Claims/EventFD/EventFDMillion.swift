import LinuxDescriptors
import Meters

/// A million tasks, each with an eventfd of its own, handed from one producer to one consumer.
///
/// 1. As they come: the producer makes an eventfd for a task, registers it, edge-triggered, in the set that the
///    consumer waits on, and signals it; the consumer reads, closes, and ticks the task off. No more are open than the
///    consumer is behind, or than the descriptor limit allows.
/// 2. All at once: the producer makes and registers all of them before it signals the first, in as many descriptor
///    tables as the limit makes necessary. Left out where more than 64 tables, or more memory than there is, would be
///    needed; what is said of tasks at once can then not be affirmed.
/// 3. Times are from the first eventfd made to the last task done. `tasks` counts those that were done, as they came;
///    `lost` counts those of both. A time that is too long says something only if nothing disturbed it, and of an
///    optimised program.
extension Experiment {
    static let eventFDMillion = Experiment(
        id: "eventfd-million",
        statement: "a million tasks at once, an eventfd each, one producer and one consumer, take less than 6.5 s",
        source: .e,
        // A disturbance adds to the time, and loses nothing.
        conditions: Conditions(
            heldUpLimit: Conditions.quietPercent,
            isDecisive: { observed in
                (observed.integer("lost") ?? 0) > 0 || (observed.number("seconds_at_once") ?? .infinity) < 6.5
            },
            shortfall: { observed in
                let seconds = observed.number("seconds_at_once") ?? observed.number("seconds")
                return Conditions.slowed(observed, seconds, beyond: 6.5)
            }),
        keys: ["seconds", "tasks", "lost"],
        observe: {
            let tasks = 1_000_000
            let inTurn = try pool(tasks, live: false)
            var observed: Observed = ["seconds": inTurn.seconds, "tasks": inTurn.done, "lost": inTurn.lost]
            observed.noteDisturbance(foreign: inTurn.foreign)
            guard try hasRoom(for: tasks) else {
                return observed.with(detail: "the descriptor limit or the memory is too small for all at once")
            }
            let atOnce = try pool(tasks, live: true)
            observed["lost"] = "\(inTurn.lost + atOnce.lost)"
            observed["seconds_at_once"] = "\(atOnce.seconds)"
            observed.noteDisturbance(foreign: max(inTurn.foreign, atOnce.foreign))
            return observed
        },
        judge: { observed in
            guard observed.integer("lost") == 0 else { return .doesNotHold }
            let isFast = ["seconds", "seconds_at_once"].map { (observed.number($0) ?? .infinity) < 6.5 }
            return isFast[1] ? .holds : isFast[0] ? .depends : .doesNotHold
        },
        explain: { observed in
            let atOnce = observed["seconds_at_once"].map { ", and \($0) s with all eventfds open at once" } ?? ""
            return "\(observed["tasks"] ?? "") tasks took \(observed["seconds"] ?? "") s as they came\(atOnce); "
                + "\(observed["lost"] ?? "") were lost."
        })
}

private func pool(_ tasks: Int, live: Bool) throws -> (seconds: Double, done: UInt64, lost: UInt64, foreign: Double) {
    var plan = try RunPlan(.wake, named: "epoll-et", .sharedSet, milliseconds: 1_000)
    plan.placement = .automatic(workers: 1, clients: 1)
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
    return limit >= tasks / 64 + 1024
        && AvailableMemory.read() >= 2 * UInt64(tasks) * WakeSignal.eventfd.liveBytes
}
