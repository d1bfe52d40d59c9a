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
        let kinds: [TaskDescriptors] = try choices(pool.descriptors ?? "all", option: "descriptors")
        var base = WakePlan()
        if let shape = wake.shape { base.shape = try named(shape, "shape") }
        if base.shape != .pool, let option = pool.given.first {
            let own = base.shape == .timer ? "a timer is one thread" : "a ping-pong is two threads with a signal each"
            throw Failure(.usage, "\(option) belongs to --shape pool; \(own)")
        }
        let signals = try signalsNamed(base)
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
        if wakes.contains(where: { $0.live && ($0.descriptors == .perWorker || !$0.signal.isWritten) }) {
            throw Failure(.usage, "--live holds the descriptors of all tasks open; it needs --descriptors per-task")
        }
        return wakes
    }

    /// Those that the option names; of `all` and none those that the shape has.
    private func signalsNamed(_ base: WakePlan) throws -> [WakeSignal] {
        let text = wake.signal ?? (base.shape == .timer ? WakeSignal.timerfd : .eventfd).rawValue
        let signals: [WakeSignal] = try choices(text, option: "signal")
        if text == "all" { return signals.filter { $0.isTimer == (base.shape == .timer) } }
        for signal in signals {
            var wake = base
            wake.signal = signal
            if let reason = wake.shapeRefusal { throw Failure(.usage, reason) }
        }
        return signals
    }

    private func placements(_ wake: WakePlan) throws -> [Placement] {
        let available = Affinity.available()
        if pin == "same" && wake.shape == .timer {
            throw Failure(
                .usage, "--pin same puts two sides on one processor, and a timer is one thread; use --pin auto")
        }
        let same = Placement(workers: [available[0]], clients: [available[0]])
        if pin == "same" || pin == "auto" && wake.shape == .pingPong && available.count == 1 { return [same] }
        if pin == "auto" && wake.shape == .pingPong { return [same, .automatic(workers: 1, clients: 1)] }
        return [try placement(workers: wake.workerThreads, clients: wake.clientThreads)]
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
        let shape =
            switch wake.shape {
            case .pool: "a \(wake.descriptors.rawValue) pool"
            case .pingPong: "a ping-pong"
            case .timer: "a timer"
            }
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
