import Load
package import Meters
package import Records
import Statistics

/// A search for the highest rate at which a plan keeps its objective, as one run.
package struct CapacityRun {
    /// The run that the row tells of: the one that confirmed the rate, or where none held, the one that came closest.
    package private(set) var measurement = Measurement()
    /// What that run did.
    package private(set) var plan: RunPlan
    /// Operations per second; 0 if no rate held, nil if that is not known.
    package private(set) var capacity: Double?
    /// Every run, in order.
    package private(set) var steps: [CapacityStep] = []
    /// What has to be known of the capacity.
    package private(set) var warning: String?

    private let objective: ServiceObjective
    private let runId: String
    /// What came of the last run that missed, and how busy the clients were.
    private var lastMiss: (outcome: CapacityStep.Outcome, rate: Double, clientBusy: Double?)?

    /// The first rate that is tried; a server that does not hold it is tried with less.
    private static let start = 1000.0
    /// The longest window, in seconds, that a low rate gets to complete as many operations as a percentile takes, unless a
    /// longer one was asked for.
    private static let longestWindow = 4.0
    /// More operations than a percentile takes, since a window may end early.
    private static let sampleSurplus = 1.2
    /// A run that misses while others take more of the machine is run again,
    private static let mostForeignCPU = 0.1
    /// so often in a search; then it counts.
    private static let mostDisturbances = 10
    /// From so busy on, late starts are the clients' own.
    private static let busyClients = 0.8

    /// Searches.
    ///
    /// - Parameters:
    ///   - plan: an open loop, whose rate is replaced; its window is that of the confirmation, a quarter of it that of the
    ///     other runs, and more where the percentiles take more operations.
    ///   - runId: the row's.
    ///   - run: carries out one run.
    package init(
        _ plan: RunPlan, _ objective: ServiceObjective, runId: String,
        _ run: (RunPlan) throws(RunError) -> Measurement
    ) throws(RunError) {
        self.plan = plan
        self.objective = objective
        self.runId = runId
        let samples = Double(objective.samplesNeeded) * Self.sampleSurplus
        let longest = max(Double(plan.durationNanoseconds) / 1e9, Self.longestWindow)
        var search = CapacitySearch(start: Self.start, range: max(samples / longest, 1)...1e8)
        var disturbances = 0
        var best: (measurement: Measurement, plan: RunPlan, latency: UInt64)?
        while let trial = search.next {
            let candidate = Self.plan(plan, trial, samples: samples)
            let result = try run(candidate)
            guard result.status != .partial else {
                (measurement, self.plan) = (result, candidate)
                return
            }
            let outcome = result.outcome(objective, rate: trial.rate)
            if outcome != .held, result.foreignShare ?? 0 > Self.mostForeignCPU, disturbances < Self.mostDisturbances {
                disturbances += 1
                note(trial, result, .disturbed)
                continue
            }
            note(trial, result, outcome)
            let latency = objective.bounds[0].latency(result.latencies) ?? .max
            if result.status == .ok, latency < best?.latency ?? .max { best = (result, candidate, latency) }
            if outcome != .held { lastMiss = (outcome, trial.rate, result.clientBusy) }
            search.take(holds: outcome == .held, isServed: outcome == .latency && result.isSaturated == false)
            if outcome == .held || best == nil { (measurement, self.plan) = (result, candidate) }
        }
        capacity = search.capacity ?? 0
        if search.capacity == nil, let best { (measurement, self.plan) = (best.measurement, best.plan) }
        warning = search.capacity == nil ? nothingHeld(best?.latency) : clientLimit
    }

    private static func plan(_ plan: RunPlan, _ trial: CapacitySearch.Trial, samples: Double) -> RunPlan {
        var plan = plan
        plan.load.pace = .openLoop(perSecond: trial.rate)
        if case .probe = trial {
            plan.durationNanoseconds /= 4
            plan.warmupNanoseconds /= 2
        }
        plan.durationNanoseconds = max(plan.durationNanoseconds, UInt64(samples / trial.rate * 1e9))
        return plan
    }

    private mutating func note(
        _ trial: CapacitySearch.Trial, _ result: Measurement, _ outcome: CapacityStep.Outcome
    ) {
        var kind = CapacityStep.Kind.probe
        if case .confirmation = trial { kind = .confirmation }
        let seconds = Double(result.durationNanoseconds) / 1e9
        steps.append(
            CapacityStep(
                runId: runId, step: steps.count + 1, kind: kind, ratePerS: trial.rate, durationS: seconds,
                servedOpsPerS: seconds > 0 ? result.servedPerSecond : 0,
                latencyNs: objective.bounds[0].latency(result.latencies), outcome: outcome))
    }

    private func nothingHeld(_ least: UInt64?) -> String? {
        guard let least, let rate = plan.ratePerSecond else { return nil }
        let bound = objective.bounds[0]
        return "no rate held \(objective.text): the least \(bound.percentile) was "
            + "\(HumanUnits.time(nanoseconds: Double(least))), at \(HumanUnits.count(rate))/s"
    }

    /// Whether the search ended where the clients did.
    private var clientLimit: String? {
        guard let lastMiss, lastMiss.clientBusy ?? 0 >= Self.busyClients else { return nil }
        let busy = HumanUnits.percent(lastMiss.clientBusy ?? 0)
        return "the clients were \(busy) busy at \(HumanUnits.count(lastMiss.rate))/s, where the bound was missed: the "
            + "server may hold more; give more --clients, or more processors"
    }
}

extension Measurement {
    /// Whether a run at `rate` kept an objective, and what it missed it by.
    func outcome(_ objective: ServiceObjective, rate: Double) -> CapacityStep.Outcome {
        guard status == .ok else { return .failed }
        for bound in objective.bounds {
            if let lag = bound.latency(sendLag.histogram), lag > bound.nanoseconds { return .lag }
            guard let latency = bound.latency(latencies) else { return .failed }
            if latency > bound.nanoseconds { return .latency }
        }
        return isSaturated == true || isQueueing(objective, rate) ? .backlog : .held
    }

    /// Whether more was left undone than a server that holds the bound has in hand, by Little's law, and than chance makes.
    private func isQueueing(_ objective: ServiceObjective, _ rate: Double) -> Bool {
        guard let due else { return false }
        let longest = Double(objective.bounds.map(\.nanoseconds).max() ?? 0) / 1e9
        return Double(due) - Double(operations) > rate * longest + 2 * Double(due).squareRoot()
    }
}
