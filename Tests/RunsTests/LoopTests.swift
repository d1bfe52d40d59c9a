import Histogram
import Records
import RunSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

@Suite(.serialized) struct LoopTests {
    @Test(arguments: Combination.all) func aClosedLoopAnswersEveryConnection(_ combination: Combination) throws {
        let measurement = try measure(combination.plan(workers: 2))
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(measurement.perWorker.reduce(0, +) > 0)
        #expect(measurement.latencies.totalCount > 0)
        #expect(measurement.failures.total == 0 && measurement.lost == 0)
    }

    @Test(arguments: Combination.defaults) func anOpenLoopOffersWhatWasScheduled(_ combination: Combination) throws {
        var plan = combination.plan(workers: 2, .openLoop(perSecond: 2000))
        plan.load.clients = 2
        plan.load.connections = 1024
        plan.durationNanoseconds = 100_000_000
        let measurement = try measure(plan)
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(measurement.latencies.totalCount == 200)
        #expect(measurement.isOpenLoop)
        #expect(measurement.failures.total == 0 && measurement.lost == 0)
    }

    @Test func theScheduleIsKeptWhenTheServerStalls() throws {
        var plan = try #require(Combination.named("epoll-lt")).plan(.openLoop(perSecond: 200))
        plan.load.connections = 1
        plan.durationNanoseconds = 200_000_000
        plan.server.service = ServiceTime(distribution: .fixed(20_000_000), work: .sleep)
        let measurement = try measure(plan)
        #expect(measurement.latencies.totalCount == 40)
        #expect(measurement.lost == 0)
        // The last of 40 was scheduled after 195 ms and served after 40 times 20 ms.
        #expect(measurement.latencies.maxRecorded >= 600_000_000)
        #expect(measurement.latencies.min >= 20_000_000)
    }

    @Test func aClosedLoopHoldsItsConnectionsOpenAtTheMost() throws {
        var plan = try #require(Combination.named("epoll-lt")).plan(workers: 4)
        plan.load.connections = 3
        plan.server.service = ServiceTime(distribution: .fixed(1_000_000), work: .sleep)
        let measurement = try measure(plan)
        #expect(measurement.perWorker.reduce(0, +) > 0)
        #expect(measurement.latencies.min >= 1_000_000)
        #expect((1...3).contains(measurement.openPeak))
    }

    @Test func warmUpIsNotMeasured() throws {
        var plan = try #require(Combination.named("epoll-lt")).plan(.openLoop(perSecond: 1000))
        plan.warmupNanoseconds = 50_000_000
        plan.durationNanoseconds = 50_000_000
        let measurement = try measure(plan)
        #expect(measurement.latencies.totalCount == 50)
        #expect(measurement.durationNanoseconds > 0)
    }

    @Test func aRowOfAGoodRunIsComplete() throws {
        let plan = try #require(Combination.named("epoll-lt")).plan(workers: 2)
        var record = RunRecord(plan)
        let measurement = try measure(plan)
        measurement.fill(&record, plan)
        #expect(record.status == .ok)
        #expect(record.perWorkerOps.reduce(0, +) == record.operations)
        let seconds = try #require(record.durationS)
        #expect(record.throughputOpsPerS == Double(record.operations) / seconds)
        let fairness = try #require(record.fairnessJain)
        #expect((0.5...1).contains(fairness))
        #expect(record.latencySamples == measurement.latencies.totalCount)
        #expect(record.sqesPerOp == nil)
        #expect(record.latencyKind == .fromCall)
    }
}
