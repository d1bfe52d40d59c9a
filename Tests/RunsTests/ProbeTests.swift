import Histogram
import RunSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Records
@testable import Runs

/// A few operations beside a heavy load, whose latencies alone count.
@Suite(.serialized) struct ProbeTests {
    private func plan(_ workload: Workload, _ pace: LoadPlan.Pace = .closedLoop) throws -> RunPlan {
        var plan = RunPlan(workload, mode: try #require(Mode.named("epoll-lt")))
        plan.load.connections = 4
        plan.load.pace = pace
        plan.load.probePerSecond = 500
        plan.warmupNanoseconds = 10_000_000
        plan.durationNanoseconds = 200_000_000
        return plan
    }

    @Test(arguments: [Workload.read, .crr, .accept, .datagram]) func onlyTheProbeTellsLatencies(_ workload: Workload)
        throws
    {
        let plan = try plan(workload)
        let measurement = try measure(plan)
        #expect(measurement.status == .ok, "\(measurement.reason)")
        // A hundred are expected, and some two hundred and fifty would be a wonder.
        #expect((1...250).contains(measurement.latencies.totalCount))
        #expect(measurement.answered > measurement.latencies.totalCount)
        #expect(measurement.due == nil)
        if workload == .read { #expect(measurement.openConnections == 4) }
        var record = RunRecord(plan)
        measurement.fill(&record, plan)
        #expect(record.latencyKind == .probe && record.probeRatePerS == 500 && record.connections == 4)
        #expect(record.latencySamples == measurement.latencies.totalCount)
        try record.checkConsistency()
    }

    @Test func inAnOpenLoopItIsPartOfWhatIsOffered() throws {
        let measurement = try measure(try plan(.crr, .openLoop(perSecond: 2_000)))
        let due = try #require(measurement.due)
        // 400 of the load, and the probe's.
        #expect(due > 400 && due < 650)
    }

    @Test func thePlanOfAProbe() throws {
        var load = try plan(.read).load
        #expect(load.threads == 2 && load.traffic.connections == 20)
        #expect(load.probe?.connections == 16 && load.probe?.ratePerSecond == 500 && load.probe?.threads == 1)
        load.part = LoadPart(rank: 1, of: 3)
        #expect(load.threads == 1 && load.probe == nil && load.traffic.connections == 20)
    }
}
