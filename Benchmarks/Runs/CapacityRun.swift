import Load
package import Meters
package import Records
import Statistics

/// A search for the highest rate at which a plan keeps its objective, as one run.
package struct CapacityRun {
    /// The run that the row tells of: the one that confirmed the rate, or where none did, the one that came closest.
    package private(set) var measurement = Measurement()
    /// What that run did.
    package private(set) var plan: RunPlan
    /// Operations per second; 0 if no rate held, nil if one did and none was confirmed.
    package private(set) var capacity: Double?
    /// Every run, in order.
    package private(set) var steps: [CapacityStep] = []
    /// What has to be known of the capacity.
    package private(set) var warning: String?

    private let objective: ServiceObjective
    private let runId: String
    /// The last run that missed.
    private var lastMiss: Miss?
    /// The run that came closest to its bounds.
    private var best: (measurement: Measurement, plan: RunPlan, excess: Excess)?
    private var disturbances = 0

    private struct Miss {
        let outcome: CapacityStep.Outcome
        let kind: CapacitySearch.Kind
        let plan: RunPlan
        let measurement: Measurement

        var rate: Double { plan.ratePerSecond ?? 0 }
    }

    /// The bound of a run that its latency exceeds most, or comes closest to.
    private struct Excess {
        let bound: ServiceObjective.Bound
        let latency: UInt64
        /// The share of the datagrams that got no answer.
        let lost: Double

        var ratio: Double { Double(latency) / Double(bound.nanoseconds) }

        /// Whether it comes closer to what was asked for: a run that loses comes after all that do not.
        func isLess(than other: Excess) -> Bool { (lost, ratio) < (other.lost, other.ratio) }
    }

    /// The first rate that is tried, unless the percentiles take more; a server that does not hold it is tried with less.
    private static let start = 1000.0
    /// The longest window, in seconds, that a low rate gets to complete as many operations as a percentile takes, unless a
    /// longer one was asked for.
    private static let longestWindow = 4.0
    /// Short runs do not grow with those that confirm; where a percentile takes longer, they last as long as that.
    private static let longestProbeNanoseconds: UInt64 = 500_000_000
    /// More operations than a percentile takes, since a window may end early.
    static let sampleSurplus = 1.2
    /// A run that misses while others take more of the machine is made again.
    private static let mostForeignCPU = 0.1
    /// Runs that are made again in a search at the most.
    private static let mostDisturbances = 10
    /// Runs of a search at the most, so that it ends on a machine where they tell different things.
    package static let mostRuns = 80
    /// From so busy on, late starts are the clients' own.
    private static let busyClients = 0.8
    /// A queue that grows in a window stays below a bound that is a larger share of it, though 5 % too much is offered.
    private static let longestBound = 0.05

    /// Searches.
    ///
    /// - Parameters:
    ///   - plan: an open loop, whose rate is replaced; its window is that of the runs that confirm. The others have a quarter
    ///     of it, but half a second at the most, after half of its warm-up. All have more where the percentiles take it.
    ///   - runId: the row's.
    ///   - run: carries out one run.
    /// - Throws: what the first run throws, or one that is unsupported. Another one that throws has missed.
    package init(
        _ plan: RunPlan, _ objective: ServiceObjective, runId: String,
        _ run: (RunPlan) throws(RunError) -> Measurement
    ) throws(RunError) {
        self.plan = plan
        self.objective = objective
        self.runId = runId
        let samples = Double(objective.samplesNeeded) * Self.sampleSurplus
        let longest = max(Double(plan.durationNanoseconds) / 1e9, Self.longestWindow)
        let lowest = max(samples / longest, 1)
        var search = CapacitySearch(start: max(Self.start, samples / Self.longestWindow), range: lowest...1e8)
        while let trial = search.next, steps.count < Self.mostRuns {
            let candidate = Self.plan(plan, trial, samples: samples)
            let result = try Self.measured(candidate, isFirst: steps.isEmpty, run)
            guard result.status != .partial else {
                (measurement, self.plan) = (result, candidate)
                return
            }
            let outcome = take(trial, candidate, result)
            guard outcome != .disturbed else { continue }
            let isServed = result.status == .ok && result.isSaturated == false && outcome != .loss
            search.take(holds: outcome == .held, isServed: isServed)
            if outcome == .held, search.capacity == trial.rate { (measurement, self.plan) = (result, candidate) }
        }
        conclude(search, lowest: lowest)
    }

    private static func measured(
        _ plan: RunPlan, isFirst: Bool, _ run: (RunPlan) throws(RunError) -> Measurement
    ) throws(RunError) -> Measurement {
        do throws(RunError) {
            return try run(plan)
        } catch {
            if isFirst || error.isUnsupported { throw error }
            var failed = Measurement()
            (failed.status, failed.reason) = (.failed, error.description)
            return failed
        }
    }

    /// Notes what came of a run.
    private mutating func take(
        _ trial: CapacitySearch.Trial, _ candidate: RunPlan, _ result: Measurement
    ) -> CapacityStep.Outcome {
        let outcome = result.outcome(objective, rate: trial.rate)
        if outcome != .held, result.foreignShare ?? 0 > Self.mostForeignCPU, disturbances < Self.mostDisturbances {
            disturbances += 1
            note(trial, result, .disturbed)
            return .disturbed
        }
        note(trial, result, outcome)
        if result.status == .ok, let excess = excess(of: result), best.map({ excess.isLess(than: $0.excess) }) ?? true {
            best = (result, candidate, excess)
        }
        if outcome != .held {
            lastMiss = Miss(outcome: outcome, kind: trial.kind, plan: candidate, measurement: result)
        }
        return outcome
    }

    /// Nil if there are too few latencies for a bound.
    private func excess(of result: Measurement) -> Excess? {
        let lost = result.lostShare
        let all = objective.bounds.compactMap { bound in
            bound.latency(result.latencies).map { Excess(bound: bound, latency: $0, lost: lost) }
        }
        return all.count == objective.bounds.count ? all.max { $0.ratio < $1.ratio } : nil
    }

    /// What the row tells: of a confirmed rate that run, of none the one that came closest, of a server that fails its failure.
    private mutating func conclude(_ search: CapacitySearch, lowest: Double) {
        var warnings: [String] = []
        if search.capacity != nil {
            capacity = search.capacity
            warnings += [clientLimit, failureAbove, lossAbove].compactMap { $0 }
        } else if let lastMiss,
            best == nil || lastMiss.outcome == .failed && (lastMiss.kind == .confirmation || lastMiss.rate <= lowest)
        {
            (measurement, plan) = (lastMiss.measurement, lastMiss.plan)
            if measurement.status == .ok {
                (measurement.status, measurement.reason) = (.failed, "too few operations ended for \(objective.text)")
            }
            measurement.reason += ", at \(HumanUnits.count(lastMiss.rate))/s"
            if lastMiss.rate <= lowest { measurement.reason += notTried(below: lowest) }
        } else if let best {
            (measurement, plan) = (best.measurement, best.plan)
            let wasTooMuch = lastMiss.map { $0.rate <= lowest && $0.measurement.isSaturated == true } ?? false
            capacity = steps.contains { $0.outcome == .held } || wasTooMuch ? nil : 0
            warnings.append(nothingHeld(best.excess) + (wasTooMuch ? notTried(below: lowest) : ""))
            warnings += [clientLimit, failureAbove].compactMap { $0 }
        }
        if search.next != nil { warnings.append("the search was ended after \(steps.count) runs") }
        if disturbances > 0 {
            warnings.append(
                "\(disturbances) runs of the search were made again: other programs had a tenth of the machine")
        }
        let bound = objective.bounds.map(\.nanoseconds).max() ?? 0
        if search.capacity != nil, Double(bound) > Self.longestBound * Double(plan.durationNanoseconds) {
            let enough = HumanUnits.time(nanoseconds: Double(bound) / Self.longestBound)
            warnings.append(
                "so wide a bound does not notice 5 % too much in so short a run; raise --duration to \(enough)")
        }
        warning = warnings.isEmpty ? nil : warnings.joined(separator: "; ")
    }

    private static func plan(_ plan: RunPlan, _ trial: CapacitySearch.Trial, samples: Double) -> RunPlan {
        var plan = plan
        plan.load.pace = .openLoop(perSecond: trial.rate)
        if trial.kind == .probe {
            plan.durationNanoseconds = min(plan.durationNanoseconds / 4, longestProbeNanoseconds)
            plan.warmupNanoseconds /= 2
        }
        plan.durationNanoseconds = max(plan.durationNanoseconds, UInt64(samples / trial.rate * 1e9))
        return plan
    }

    private mutating func note(
        _ trial: CapacitySearch.Trial, _ result: Measurement, _ outcome: CapacityStep.Outcome
    ) {
        let seconds = Double(result.durationNanoseconds) / 1e9
        steps.append(
            CapacityStep(
                runId: runId, step: steps.count + 1, kind: trial.kind, ratePerS: trial.rate, durationS: seconds,
                servedOpsPerS: seconds > 0 ? result.servedPerSecond : 0,
                latencyNs: objective.bounds[0].latency(result.latencies), outcome: outcome))
    }

    private func nothingHeld(_ least: Excess) -> String {
        if let highest = steps.filter({ $0.outcome == .held }).map(\.ratePerS).max() {
            return
                "\(objective.text) held in some runs, up to \(HumanUnits.count(highest))/s, and in no longer one that had to "
                + "confirm it: the machine may stall now and then; take a wider bound, or a quieter machine"
        }
        if least.lost > 0 {
            return
                "no rate held \(objective.text): even at \(HumanUnits.count(plan.ratePerSecond ?? 0))/s "
                + measurement.lostPhrase
        }
        return "no rate held \(objective.text): the least \(least.bound.percentile) was "
            + "\(HumanUnits.time(nanoseconds: Double(least.latency))), at \(HumanUnits.count(plan.ratePerSecond ?? 0))/s"
    }

    private func notTried(below lowest: Double) -> String {
        "; less than \(HumanUnits.count(lowest))/s was not tried, since \(objective.text) takes \(objective.samplesNeeded) "
            + "operations in a run; give it a longer --duration"
    }

    /// Whether the search ended where the clients did.
    private var clientLimit: String? {
        guard let lastMiss else { return "no rate that the clients can offer missed the bound" }
        let busy = lastMiss.measurement.clientBusy ?? 0
        guard busy >= Self.busyClients || lastMiss.outcome == .lag else { return nil }
        return
            "at \(HumanUnits.count(lastMiss.rate))/s, where the bound was missed, the clients were \(HumanUnits.percent(busy)) busy"
            + (lastMiss.outcome == .lag ? " and started too late" : "")
            + ": the server may hold more; give more --clients, or more processors"
    }

    /// What ended the search if no latency did.
    private var failureAbove: String? {
        guard let lastMiss, lastMiss.outcome == .failed, !lastMiss.measurement.reason.isEmpty else { return nil }
        return "at \(HumanUnits.count(lastMiss.rate))/s the run failed: \(lastMiss.measurement.reason)"
    }

    /// What ended the search if datagrams did.
    private var lossAbove: String? {
        guard let lastMiss, lastMiss.outcome == .loss else { return nil }
        return "at \(HumanUnits.count(lastMiss.rate))/s \(lastMiss.measurement.lostPhrase)"
    }
}
