import Histogram
import Meters
import Records
import Testing

@testable import Workloads

/// Whole runs of the two echo workloads, short ones.
@Suite(.serialized) struct EchoRunTests {
    /// Every mode with every topology that it has.
    static let combinations = Combination.all.filter { $0.listener == .shared && $0.implementation == .swift }

    private func plan(_ workload: Workload, _ combination: Combination, workers: Int = 2) -> RunPlan {
        var plan = RunPlan(workload, mode: combination.mode)
        plan.topology = combination.topology
        plan.implementation = combination.implementation
        plan.workers = workers
        plan.connections = 16
        plan.warmupNanoseconds = 0
        plan.durationNanoseconds = 50_000_000
        return plan
    }

    private func expectGood(_ measurement: Measurement) {
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(measurement.perWorker.reduce(0, +) > 0)
        #expect(measurement.latencies.totalCount > 0)
        #expect(measurement.clientErrors == 0 && measurement.lost == 0)
        #expect(measurement.totals[.errors] == 0)
    }

    @Test(arguments: combinations, [Workload.crr, .read])
    func everyMessageComesBack(_ combination: Combination, _ workload: Workload) throws {
        let measurement = try measure(plan(workload, combination))
        expectGood(measurement)
        // A client that has its reply can be back before the server has closed.
        #expect((1...32).contains(measurement.openPeak))
    }

    /// More workers than processors and a service time, so that workers are behind with what they were told.
    @Test(arguments: combinations.filter { $0.topology == .sharedSet }, [Workload.crr, .read])
    func aSharedSetLosesNothing(_ combination: Combination, _ workload: Workload) throws {
        var plan = plan(workload, combination, workers: 8)
        plan.connections = 200
        plan.service = ServiceTime(distribution: .exponential(mean: 20_000), work: .sleep)
        plan.durationNanoseconds = 200_000_000
        let measurement = try measure(plan)
        expectGood(measurement)
        #expect((1...400).contains(measurement.openPeak))
    }
}
