import LinuxRings
import Records
import RunSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs

/// Rings that send without a copy, and rings with a poller: what is theirs alone in a row.
@Suite(.serialized) struct SendingRunTests {
    private func run(
        _ mode: String, _ implementation: Implementation = .swift, _ edit: (inout RunPlan) -> Void = { _ in }
    ) throws -> (Measurement, RunRecord)? {
        guard let combination = Combination.echoing.first(where: { $0.mode.name == mode }) else { return nil }
        var plan = RunPlan(.read, mode: combination.mode)
        plan.loop.implementation = implementation
        plan.load.connections = 8
        plan.warmupNanoseconds = 10_000_000
        plan.durationNanoseconds = 60_000_000
        edit(&plan)
        let measurement = try measure(plan)
        var record = RunRecord(plan)
        measurement.fill(&record, plan)
        #expect(measurement.status == .ok, "\(measurement.reason)")
        #expect(measurement.totals[.errors] == 0)
        return (measurement, record)
    }

    @Test(arguments: ["uring-zerocopy", "uring-zerocopy-fixed"], [64, 16_384])
    func everySendIsNotifiedAndLoopbackCopies(_ mode: String, _ bytes: Int) throws {
        let run = try run(mode) { $0.load.messageBytes = bytes }
        guard let (measurement, record) = run else { return }
        let notifications = try #require(measurement.totals[.notifications])
        // A notification may come in the window whose message was counted before it, and the other way round.
        #expect(notifications + 16 >= measurement.perWorker[0])
        let copied = try #require(measurement.totals[.copiedNotifications])
        if KernelVersion.running.map({ $0 >= KernelVersion(6, 2) }) == true {
            // A snapshot can fall between the counting of the two.
            #expect((Int(copied) - Int(notifications)).magnitude <= 2)
        }
        #expect(record.notificationsPerOp != nil && record.copiedNotificationsPerOp != nil)
        #expect(record.pollerCpuNsPerOp == nil)
    }

    @Test func aPollersTimeIsTheServers() throws {
        guard let (measurement, record) = try run("uring-sqpoll") else { return }
        let poller = try #require(measurement.pollerNanoseconds)
        #expect(poller > 0 && measurement.server.cpuNanoseconds >= poller)
        #expect((record.pollerCpuNsPerOp ?? 0) > 0 && record.notificationsPerOp == nil)
        #expect((record.serverCpuNsPerOp ?? 0) >= record.pollerCpuNsPerOp ?? .infinity)
        #expect((record.sqesPerOp ?? 0) > 0.9)
    }

    /// It sleeps between two messages, and each wakes it.
    @Test func aPollerThatSleepsIsWoken() throws {
        let run = try run("uring-sqpoll") { plan in
            plan.loop.mode.options.poller?.idle = .milliseconds(1)
            plan.load.connections = 1
            plan.load.thinkNanoseconds = 5_000_000
        }
        guard let (measurement, _) = run else { return }
        #expect(measurement.perWorker[0] > 0)
    }

    /// As when it was turned off after the options were read.
    @Test(arguments: [Workload.accept, .read]) func aProcessorThatIsOffIsNamed(_ workload: Workload) throws {
        guard let combination = Combination.echoing.first(where: { $0.mode.name == "uring-sqpoll" }) else { return }
        var plan = RunPlan(workload, mode: combination.mode)
        plan.loop.mode.options.poller?.processor = 100_000
        let error = #expect(throws: RunError.self) { try measure(plan) }
        let text = error?.description ?? ""
        #expect(text.contains("processor 100000, which is off") && !text.contains("\n"), "\(text)")
    }

    @Test(arguments: ["uring-zerocopy", "uring-sqpoll"])
    func theReferenceCountsTheSame(_ mode: String) throws {
        guard let (measurement, record) = try run(mode, .c), let (_, own) = try run(mode) else { return }
        #expect(measurement.perWorker[0] > 0)
        #expect((record.notificationsPerOp == nil) == (own.notificationsPerOp == nil))
        #expect((record.pollerCpuNsPerOp == nil) == (own.pollerCpuNsPerOp == nil))
        // A request and its reply: a send for each message, and now and then something else.
        for sqes in [record.sqesPerOp, own.sqesPerOp] {
            #expect((0.9...1.5).contains(try #require(sqes)), "\(sqes ?? 0)")
        }
    }
}
