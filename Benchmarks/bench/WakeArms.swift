import Meters
import Workloads

/// Turns the options of `--workload wake` into the runs of one round, refusing what makes no sense.
enum WakeArms {
    static func expand(_ options: RunOptions, seed: UInt64) throws -> (plans: [RunPlan], notes: [String]) {
        if let option = firstForeign(options) {
            throw Failure(.usage, "\(option) has no meaning for --workload wake; leave it out")
        }
        let wakes = try wakePlans(options)
        let modes = try Arms.modes(options.mode)
        let implementations: [RunPlan.Implementation] = try choices(options.implementation, option: "implementation")
        let topologies: [Topology]? = try options.topology.map { try choices($0, option: "topology") }
        let placements = try placements(options, wakes[0])
        let duration = try Arms.time(options.duration, "--duration")
        let warmup = try Arms.time(options.warmup, "--warmup", zero: true)
        guard Arms.rounds.contains(options.rounds) else {
            throw Failure(.usage, "--rounds takes 1 or more, \(Arms.rounds.upperBound) at the most")
        }

        var base = RunPlan(.wake, mode: modes[0])
        base.connections = 0
        base.durationNanoseconds = duration
        base.warmupNanoseconds = warmup
        base.seed = seed
        let candidates = [base].varied(\.mode) { _ in modes }.varied(\.wake) { _ in wakes }
            .varied(\.implementation) { _ in implementations }
        var refusals: [String] = []
        let possible = candidates.filter { plan in
            guard let reason = refusal(of: plan) else { return true }
            refusals.append(reason)
            return false
        }
        let plans =
            try possible
            .varied(\.topology) { try chosen(topologies, $0.wake) }
            .varied(\.placement) { _ in placements }
            .varied(\.workers) { [$0.wake.shape == .pool ? $0.wake.consumers : 1] }
            .varied(\.clients) { [$0.wake.shape == .pool ? $0.wake.producers : 1] }
        // Of lists and "all", something must be possible.
        guard !plans.isEmpty else { throw Failure(.usage, refusals.first ?? "nothing to run") }
        var notes: [String] = []
        for reason in refusals where !notes.contains(reason) { notes.append(reason) }
        return (plans, notes)
    }

    /// The first option that only this workload has and that was given; nil if none was.
    static func firstGiven(_ options: RunOptions) -> String? {
        let given: [(String, Bool)] = [
            ("--signal", options.signal != nil), ("--shape", options.shape != nil),
            ("--descriptors", options.descriptors != nil), ("--tasks", options.tasks != nil),
            ("--producers", options.producers != nil), ("--consumers", options.consumers != nil),
            ("--live", options.live), ("--pin same", options.pin == "same"),
        ]
        return given.first(where: \.1)?.0
    }

    /// The first option of other workloads that was given.
    private static func firstForeign(_ options: RunOptions) -> String? {
        let given: [(String, Bool)] = [
            ("--workers (it is --consumers)", options.workers != "1"),
            ("--clients (it is --producers)", options.clients != 1), ("--connections", options.connections != nil),
            ("--listener", options.listener != "shared"), ("--rate", options.rate != nil),
            ("--drain", options.drain != nil),
            ("--spacing", options.spacing != "uniform"), ("--message-size", options.messageSize != 64),
            ("--depth", options.depth != 1), ("--idle", options.idle != 0),
            ("--service-time", options.serviceTime != "none"),
            ("--rearm", options.rearm != nil), ("--close", options.close != "reset"),
            ("--address", options.address != "127.0.0.1"), ("--port", options.port != 0),
        ]
        return given.first(where: \.1)?.0
    }

    /// Every signal with every way of giving descriptors to tasks.
    private static func wakePlans(_ options: RunOptions) throws -> [WakePlan] {
        let signals: [WakeSignal] = try choices(options.signal ?? "eventfd", option: "signal")
        guard let shape = WakeShape(rawValue: options.shape ?? "ping-pong") else {
            throw Failure.unknown("shape", options.shape ?? "", among: WakeShape.allCases.map(\.rawValue))
        }
        let kinds: [TaskDescriptors] = try choices(options.descriptors ?? "all", option: "descriptors")
        if shape == .pingPong { try refusePoolOptions(options) }
        var base = WakePlan()
        base.shape = shape
        base.tasks = try count(options.tasks ?? base.tasks, "--tasks", most: WakePlan.mostTasks)
        base.producers = try count(options.producers ?? 1, "--producers", most: min(base.tasks, WakePlan.mostThreads))
        base.consumers = try count(options.consumers ?? 1, "--consumers", most: min(base.tasks, WakePlan.mostThreads))
        base.live = options.live
        return try signals.flatMap { signal in
            (shape == .pool ? kinds : [.perWorker]).compactMap { kind in
                var wake = base
                wake.signal = signal
                wake.descriptors = kind
                // "All descriptors at once" is a question about a descriptor for each task alone.
                if options.live && kind == .perWorker && options.descriptors == nil { return nil }
                return wake
            }
        }.checkedForLive()
    }

    private static func refusePoolOptions(_ options: RunOptions) throws {
        let given: [(String, Bool)] = [
            ("--tasks", options.tasks != nil), ("--producers", options.producers != nil),
            ("--consumers", options.consumers != nil), ("--descriptors", options.descriptors != nil),
            ("--live", options.live),
        ]
        guard let option = given.first(where: \.1)?.0 else { return }
        throw Failure(.usage, "\(option) belongs to --shape pool; a ping-pong is two threads with a signal each")
    }

    private static func count(_ value: Int, _ option: String, most: Int) throws -> Int {
        guard value >= 1 else { throw Failure(.usage, "\(option) takes 1 or more, not \(value)") }
        guard value <= most else {
            let why = option == "--tasks" ? "" : ": a thread without a task has nothing to do"
            throw Failure(.usage, "\(option) takes at most \(most) here, not \(value)\(why)")
        }
        return value
    }

    private static func chosen(_ topologies: [Topology]?, _ wake: WakePlan) throws -> [Topology] {
        // A task's descriptor is watched by whoever is free; a worker's own by the worker.
        let isShared = wake.shape == .pool && wake.descriptors == .perTask
        guard let topologies else { return [isShared ? .sharedSet : .setPerWorker] }
        if isShared { return topologies }
        let possible = topologies.filter { $0 == .setPerWorker }
        guard !possible.isEmpty else {
            throw Failure(
                .usage,
                "--topology shared-set needs --shape pool --descriptors per-task: a signal of one's own has one waiter")
        }
        return possible
    }

    private static func placements(_ options: RunOptions, _ wake: WakePlan) throws -> [Placement] {
        let available = Affinity.available()
        let same = Placement(workers: [available[0]], clients: [available[0]])
        if options.pin == "same" { return [same] }
        if wake.shape == .pingPong, options.pin == "auto" {
            return available.count > 1 ? [same, .automatic(workers: 1, clients: 1)] : [same]
        }
        if wake.shape == .pool, options.pin == "auto" {
            return [.automatic(workers: wake.consumers, clients: wake.producers)]
        }
        return [try Arms.placement(options, wake.consumers)]
    }

    /// Why a plan cannot be run; nil if it can.
    private static func refusal(of plan: RunPlan) -> String? {
        if let reason = plan.wake.refusal(by: plan.mode) { return reason }
        guard plan.implementation == .c, !plan.wake.hasReference(plan.mode) else { return nil }
        return "--implementation c has no loop for \(plan.mode.name) with \(name(of: plan.wake))"
    }

    private static func name(of wake: WakePlan) -> String {
        let shape = wake.shape == .pool ? "a \(wake.descriptors.rawValue) pool" : "a ping-pong"
        return "\(wake.signal.rawValue) in \(shape)" + (wake.live ? " that is live" : "")
    }
}

extension [WakePlan] {
    fileprivate func checkedForLive() throws -> [WakePlan] {
        if contains(where: { $0.live && ($0.descriptors == .perWorker || !$0.signal.hasDescriptor) }) {
            throw Failure(.usage, "--live holds the descriptors of all tasks open; it needs --descriptors per-task")
        }
        return self
    }
}
