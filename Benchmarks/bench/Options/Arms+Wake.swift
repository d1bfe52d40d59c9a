import Meters
import Loops
import Runs

extension RunOptions {
    /// Every combination that the options of `--workload wake` name, possible or not.
    func wakePlans(_ common: RunPlan) throws -> [RunPlan] {
        let wakes = try signals()
        let modes = try modesNamed(mode ?? "all", for: .wake)
        let implementations: [Implementation] = try choices(implementation, option: "implementation")
        let placements = try placements(wakes[0])
        return try [common]
            .varied(\.loop.mode) { _ in modes }
            .varied(\.wake) { _ in wakes }
            .varied(\.loop.implementation) { _ in implementations }
            .varied(\.loop.topology) { try topologies(possible: $0.wake.topologies) }
            .varied(\.loop.placement) { _ in placements }
    }

    /// Every signal with every way of giving descriptors to tasks.
    private func signals() throws -> [WakePlan] {
        let signals: [WakeSignal] = try choices(wake.signal ?? "eventfd", option: "signal")
        let kinds: [TaskDescriptors] = try choices(pool.descriptors ?? "all", option: "descriptors")
        var base = WakePlan()
        if let shape = wake.shape { base.shape = try named(shape, "shape") }
        if base.shape == .pingPong, let option = pool.given.first {
            throw Failure(.usage, "\(option) belongs to --shape pool; a ping-pong is two threads with a signal each")
        }
        let mostTasks = WakePlan.mostTasks
        base.tasks = try inRange(pool.tasks ?? base.tasks, 1...mostTasks, "--tasks takes 1 to \(mostTasks)")
        let most = min(base.tasks, WakePlan.mostThreads)
        let rule = "takes 1 to \(most), one for each task at the most"
        base.producers = try inRange(pool.producers ?? 1, 1...most, "--producers \(rule)")
        base.consumers = try inRange(pool.consumers ?? 1, 1...most, "--consumers \(rule)")
        base.live = pool.live
        let wakes = signals.flatMap { signal in
            (base.shape == .pool ? kinds : [.perWorker]).compactMap { kind in
                var wake = base
                (wake.signal, wake.descriptors) = (signal, kind)
                // "All descriptors at once" is a question about a descriptor for each task alone.
                return wake.live && kind == .perWorker && pool.descriptors == nil ? nil : wake
            }
        }
        if wakes.contains(where: { $0.live && ($0.descriptors == .perWorker || !$0.signal.hasDescriptor) }) {
            throw Failure(.usage, "--live holds the descriptors of all tasks open; it needs --descriptors per-task")
        }
        return wakes
    }

    private func placements(_ wake: WakePlan) throws -> [Placement] {
        let available = Affinity.available()
        let same = Placement(workers: [available[0]], clients: [available[0]])
        if pin == "same" || pin == "auto" && wake.shape == .pingPong && available.count == 1 { return [same] }
        if pin == "auto" && wake.shape == .pingPong { return [same, .automatic(workers: 1, clients: 1)] }
        return [try placement(workers: wake.consumers, clients: wake.producers)]
    }
}

extension RunPlan {
    var wakeMistake: String? {
        if let reason = wake.refusal(by: loop.mode) { return reason }
        guard wake.topologies.contains(loop.topology) else {
            return
                "--topology shared-set needs --shape pool --descriptors per-task: a signal of one's own has one waiter"
        }
        guard loop.implementation == .c, !wake.hasReference(loop.mode) else { return nil }
        let shape = wake.shape == .pool ? "a \(wake.descriptors.rawValue) pool" : "a ping-pong"
        return "--implementation c has no loop for \(loop.mode.name) with \(wake.signal.rawValue) in \(shape)"
            + (wake.live ? " that is live" : "")
    }
}

extension WakePlan {
    /// A task's descriptor is watched by whoever is free; a worker's own by the worker.
    fileprivate var topologies: [Topology] {
        shape == .pool && descriptors == .perTask ? [.sharedSet, .setPerWorker] : [.setPerWorker]
    }
}
