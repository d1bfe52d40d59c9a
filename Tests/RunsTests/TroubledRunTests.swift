import Glibc
import Histogram
import LinuxSockets
import Records
import RunSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Runs against servers in trouble: what is due, what fails and what stands still is counted, so that no timing decides.
@Suite(.serialized) struct TroubledRunTests {
    private func plan(_ load: LoadPlan.Pace = .closedLoop, service milliseconds: UInt64) throws -> RunPlan {
        var plan = try #require(Combination.named("epoll-lt")).plan(load)
        plan.server.service = ServiceTime(distribution: .fixed(milliseconds * 1_000_000), work: .sleep)
        return plan
    }

    private func row(_ plan: RunPlan) throws -> RunRecord { row(try measure(plan), plan) }

    private func row(_ measurement: Measurement, _ plan: RunPlan) -> RunRecord {
        var record = RunRecord(plan)
        measurement.fill(&record, plan)
        return record
    }

    @Test(arguments: [LoadPlan.Spacing.uniform, .poisson]) func whatIsDueIsCountedThoughItIsServedLate(
        _ spacing: LoadPlan.Spacing
    ) throws {
        // At most ten are served in the window, and one connection at a time cannot begin what is due.
        var plan = try plan(.openLoop(perSecond: 400), service: 20)
        plan.load.connections = 2
        plan.load.clients = 2
        plan.load.spacing = spacing
        plan.durationNanoseconds = 200_000_000
        let measurement = try measure(plan)
        let record = row(measurement, plan)
        #expect(record.status == .ok, "\(record.reason)")
        #expect(record.saturated == "yes" && record.warnings.contains("saturated"))
        if spacing == .uniform { #expect(measurement.due == 80 && record.offeredOpsPerS == 400) }
        #expect(measurement.due == measurement.latencies.totalCount)
        #expect(record.operations < 30)
    }

    @Test func ofWhatIsDueOnlyTheWindowCounts() throws {
        var plan = try #require(Combination.named("epoll-lt")).plan(.openLoop(perSecond: 1000))
        plan.warmupNanoseconds = 50_000_000
        #expect(try measure(plan).due == 50)
        plan.load.pace = .closedLoop
        #expect(try measure(plan).due == nil)
    }

    @Test(arguments: [1, 2]) func aServerThatStandsStillIsSeen(_ clients: Int) throws {
        var plan = try plan(service: 300)
        plan.load.clients = clients
        plan.load.connections = 2
        plan.durationNanoseconds = 1_000_000_000
        let record = try row(plan)
        #expect(record.status == .ok, "\(record.reason)")
        #expect((record.stallMaxNs ?? 0) >= 300_000_000)
        #expect(record.warnings.contains("stalled: for "), "\(record.warnings)")
    }

    @Test func aDrainThatStandsStillIsSeen() throws {
        let record = try row(plan(.drain(3), service: 100))
        #expect(record.operations == 3 && (record.stallMaxNs ?? 0) >= 100_000_000)
        #expect(record.warnings.contains("stalled: for "), "\(record.warnings)")
    }

    @Test(arguments: [Workload.read, .crr]) func allWorkloadsAreWatched(_ workload: Workload) throws {
        var plan = try plan(service: 300)
        plan.load.workload = workload
        plan.load.connections = 1
        plan.durationNanoseconds = 1_000_000_000
        #expect((try measure(plan).stallNanoseconds ?? 0) >= 300_000_000)
    }

    @Test func aWindowShorterThanOneOperationHasThatForItsReason() throws {
        var plan = try plan(service: 900)
        plan.load.connections = 1
        plan.durationNanoseconds = 200_000_000
        let measurement = try measure(plan, Interruption())
        #expect(measurement.status == .failed)
        #expect(measurement.reason.contains("no operation was completed in the window of 200 ms: the fastest took "))
        #expect(measurement.reason.contains("--service-time") && !measurement.reason.contains("--rate"))
    }

    @Test func nobodyListening() throws {
        let listener = try Listener(.loopback())
        let address = try listener.address
        try listener.stopAccepting()
        let window = RunWindow(loadStart: 0, start: 0, end: .max, deadline: .max)
        for workload in [Workload.accept, .crr] {
            let plan = LoadPlan(workload)
            var client = try ConnectionClient(EchoFormat(plan), plan, to: address, capacity: 1)
            client.begin(window)
            if try client.start(at: 1) {
                while client.outstanding > 0 { try client.awaitAnswers(until: monotonicNanoseconds() + 1_000_000_000) }
            }
            #expect(client.result.failures.text == "1 × connect: ECONNREFUSED")
            #expect(client.result.failedInWindow == 1)
        }
    }
}
