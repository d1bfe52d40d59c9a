import Histogram
import Load
import Loops
import Meters
import Records
import Statistics
import Testing

@testable import Runs

/// Searches over runs that are made up.
@Suite struct CapacityRunTests {
    private let objective = ServiceObjective("p50=1ms")!

    /// A run that is served up to `ceiling`, each operation in `latency` nanoseconds.
    private func run(_ plan: RunPlan, ceiling: Double = 1e9, latency: UInt64 = 1000) -> Measurement {
        let rate = plan.load.ratePerSecond ?? 0
        var result = Measurement()
        (result.durationNanoseconds, result.windowNanoseconds) = (plan.durationNanoseconds, plan.durationNanoseconds)
        let seconds = Double(plan.durationNanoseconds) / 1e9
        result.due = UInt64(rate * seconds)
        result.perWorker = [UInt64(min(rate, ceiling) * seconds)]
        var latencies = Histogram<UInt64>(highestTrackableValue: 10_000_000_000)
        latencies.record(rate > ceiling ? 1_000_000_000 : latency, count: max(result.perWorker[0], 1))
        result.latencies = latencies
        return result
    }

    private func search(
        _ objective: ServiceObjective? = nil, seconds: Double = 1,
        _ run: (RunPlan, Int) throws(RunError) -> Measurement
    ) throws(RunError) -> CapacityRun {
        var count = 0
        var plan = RunPlan(.read, mode: Mode.all[0])
        plan.durationNanoseconds = UInt64(seconds * 1e9)
        plan.load.pace = .openLoop(perSecond: 1)
        return try CapacityRun(plan, objective ?? self.objective, runId: "r") { (plan) throws(RunError) in
            count += 1
            return try run(plan, count)
        }
    }

    @Test func theRowIsOfTheRateThatWasConfirmed() throws {
        let found = try search { plan, _ in run(plan, ceiling: 30_000) }
        let capacity = try #require(found.capacity)
        #expect(capacity <= 30_000 && capacity > 27_900)
        #expect(found.plan.load.ratePerSecond == capacity && found.measurement.due == UInt64(capacity))
        let last = try #require(found.steps.last)
        #expect(last.ratePerS == capacity * 1.1 && last.outcome == .latency && last.durationS == 1)
        #expect(found.steps.map(\.step) == Array(1...found.steps.count) && found.steps.allSatisfy { $0.runId == "r" })
        #expect(found.warning == nil, "\(found.warning ?? "")")
    }

    @Test func busyClientsAreNamed() throws {
        let found = try search { plan, _ in
            var result = run(plan, ceiling: 30_000)
            result.clientBusy = 0.97
            return result
        }
        #expect(found.warning?.contains("the clients were 97 % busy: the server may hold more") == true)
    }

    @Test func whatNothingKeepsIsNone() throws {
        let found = try search { plan, _ in run(plan, latency: 5_000_000) }
        #expect(found.capacity == 0 && found.measurement.status == .ok)
        #expect(
            found.warning?.hasPrefix("no rate held p50=1ms: the least p50 was 5.00 ms, at ") == true,
            "\(found.warning ?? "")")
    }

    @Test func whatIsTooMuchAtTheLowestRateIsNotCalledNone() throws {
        let found = try search { plan, _ in run(plan, ceiling: 2) }
        #expect(found.capacity == nil && found.measurement.status == .failed)
        #expect(found.measurement.reason.contains("less than 6/s was not tried"), "\(found.measurement.reason)")
    }

    @Test func whatHoldsForAShortTimeAloneHasNoCapacity() throws {
        let found = try search { plan, _ in
            run(plan, ceiling: 30_000, latency: plan.durationNanoseconds >= 1_000_000_000 ? 5_000_000 : 1000)
        }
        #expect(found.capacity == nil && found.measurement.status == .ok)
        #expect(found.warning?.contains("in no longer one that had to confirm it") == true, "\(found.warning ?? "")")
    }

    @Test func aServerThatEndsFailsItsRow() throws {
        let found = try search { plan, count in
            guard count > 5 else { return run(plan) }
            var failed = Measurement()
            (failed.status, failed.reason) = (.failed, "it has gone")
            return failed
        }
        #expect(found.capacity == nil && found.measurement.status == .failed)
        #expect(found.measurement.reason.hasPrefix("it has gone, at "))
    }

    /// Too much load may fail a run; the server still answers, too late.
    @Test func overloadThatFailsIsNoFailureOfTheServer() throws {
        let found = try search { plan, _ in
            var result = run(plan, latency: 5_000_000)
            if plan.load.ratePerSecond ?? 0 > 8000 { (result.status, result.reason) = (.failed, "too much") }
            return result
        }
        #expect(found.capacity == 0 && found.measurement.status == .ok)
        #expect(found.warning?.contains("no rate held") == true && found.warning?.contains("too much") == true)
    }

    /// What gets no answer has no latency: datagrams that are lost beyond a rate end the search there.
    @Test func aRateAtWhichDatagramsAreLostIsNotHeld() throws {
        let found = try search { plan, _ in
            var result = run(plan)
            result.datagrams.dueInWindow = result.due ?? 0
            if plan.load.ratePerSecond ?? 0 > 30_000 { result.datagrams.lostInWindow = 1 }
            return result
        }
        let capacity = try #require(found.capacity)
        #expect(capacity <= 30_000 && capacity > 27_900 && found.measurement.datagrams.lostInWindow == 0)
        #expect(found.steps.last?.outcome == .loss && Set(found.steps.map(\.outcome)) == [.held, .loss])
        #expect(found.warning?.contains("of the datagrams (1 of ") == true, "\(found.warning ?? "")")
    }

    /// Of runs that all lose the row tells of the one that lost least.
    @Test func whatLosesAtEveryRateHoldsNone() throws {
        let found = try search { plan, count in
            var result = run(plan, latency: UInt64(count))
            result.datagrams.dueInWindow = 1_000
            result.datagrams.lostInWindow = plan.load.ratePerSecond ?? 0 > 500 ? 10 : 5
            return result
        }
        #expect(found.capacity == 0 && found.measurement.datagrams.lostInWindow == 5)
        let warning = try #require(found.warning)
        #expect(warning.hasPrefix("no rate held p50=1ms: even at "), "\(warning)")
        #expect(warning.contains("0.50 % of the datagrams"), "\(warning)")
    }

    @Test func whatLosesNearlyAllFails() throws {
        let found = try search { plan, _ in
            var result = run(plan)
            (result.datagrams.dueInWindow, result.datagrams.lostInWindow) = (1_000, 999)
            result.latencies = Histogram(highestTrackableValue: 1_000)
            return result
        }
        #expect(found.capacity == nil && found.measurement.status == .failed)
        #expect(found.measurement.reason.hasPrefix("too few operations ended for p50=1ms"))
    }

    @Test func aRunThatThrowsIsAMissUnlessItIsTheFirst() throws {
        let found = try search { (plan, count) throws(RunError) in
            if count == 3 { throw RunError(failed: "no luck") }
            return run(plan, ceiling: 30_000)
        }
        #expect(found.capacity ?? 0 > 27_900 && found.steps[2].outcome == .failed)
        #expect(throws: RunError.self) { try search { (_, _) throws(RunError) in throw RunError(failed: "no luck") } }
    }

    @Test func disturbedRunsAreMadeAgainButNotForEver() throws {
        let found = try search { plan, _ in
            var result = run(plan, latency: 5_000_000)
            result.foreignShare = 0.5
            return result
        }
        #expect(found.steps.count { $0.outcome == .disturbed } == 10 && found.steps.last?.outcome == .latency)
        #expect(found.warning?.contains("10 runs of the search were made again") == true)
    }

    @Test func aSearchEnds() throws {
        // Of the longer runs one of three misses: what misses below the margin, which holds, as often as it is tried.
        var longer = 0
        let found = try search { plan, _ in
            guard plan.durationNanoseconds >= 1_000_000_000 else { return run(plan, ceiling: 30_000) }
            longer += 1
            return run(plan, latency: longer % 3 == 2 ? 5_000_000 : 1000)
        }
        #expect(found.steps.count == CapacityRun.mostRuns)
        #expect(found.warning?.contains("the search was ended after \(CapacityRun.mostRuns) runs") == true)
        // The margin above every rate that was confirmed held as well, so that none is the capacity.
        #expect(found.capacity == nil && found.warning?.contains("held in some runs") == true, "\(found.warning ?? "")")
    }

    /// Short runs have a quarter of the time of the longer ones, and no more than half a second.
    @Test(arguments: [(1.0, 0.25), (10, 0.5)]) func shortRunsStayShort(_ seconds: Double, _ short: Double) throws {
        var durations: [CapacitySearch.Kind: Set<UInt64>] = [:]
        let found = try search(seconds: seconds) { plan, _ in run(plan, ceiling: 30_000) }
        for step in found.steps { durations[step.kind, default: []].insert(UInt64(step.durationS * 1e9)) }
        #expect(durations == [.probe: [UInt64(short * 1e9)], .confirmation: [UInt64(seconds * 1e9)]])
    }

    /// A thousand operations of a p99, and some more, do not come in half a second of a thousand operations a second.
    @Test func aPercentileGetsItsTime() throws {
        let found = try search(ServiceObjective("p99=1ms")!, seconds: 10) { plan, _ in run(plan, ceiling: 30_000) }
        #expect(found.steps[0].ratePerS == 1000 && found.steps[0].durationS == 1.2)
        let deep = try search(ServiceObjective("p99.9=1ms")!, seconds: 10) { plan, _ in run(plan, ceiling: 30_000) }
        #expect(deep.steps[0].ratePerS == 3000 && deep.steps[0].durationS == 4)
        #expect(deep.capacity ?? 0 > 27_900)
    }

    @Test func anInterruptionEndsIt() throws {
        let found = try search { plan, count in
            var result = run(plan)
            if count == 3 { result.status = .partial }
            return result
        }
        #expect(found.measurement.status == .partial && found.capacity == nil && found.steps.count == 2)
    }

    @Test func lateClientsAreToldFromALateServer() {
        var plan = RunPlan(.read, mode: Mode.all[0])
        plan.load.pace = .openLoop(perSecond: 1000)
        var result = run(plan, latency: 5_000_000)
        #expect(result.outcome(objective, rate: 1000) == .latency)
        for _ in 0..<100 { result.sendLag.record(nanoseconds: 5_000_000) }
        #expect(result.outcome(objective, rate: 1000) == .lag)
        result = run(plan)
        #expect(result.outcome(objective, rate: 1000) == .held)
        result.perWorker = [900]
        #expect(result.outcome(objective, rate: 1000) == .backlog)
        result.latencies = Histogram(highestTrackableValue: 1000)
        #expect(result.outcome(objective, rate: 1000) == .failed)
    }
}
