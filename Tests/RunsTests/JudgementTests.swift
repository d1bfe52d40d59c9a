import Glibc
import Histogram
import Records
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// What is said of figures, whatever they come from.
@Suite struct JudgementTests {
    private static let new = KernelVersion(6, 18)

    /// A second in which so much was served and failed.
    private func measurement(
        served: UInt64, failed: UInt64 = 0, due: UInt64? = nil, edit: (inout Measurement) -> Void = { _ in }
    ) -> Measurement {
        var measurement = Measurement()
        measurement.durationNanoseconds = 1_000_000_000
        measurement.windowNanoseconds = 1_000_000_000
        measurement.perWorker = [served, 0]
        var recorder = LatencyRecorder()
        recorder.record(nanoseconds: 1_000, count: served)
        measurement.latencies = recorder.histogram
        measurement.due = due
        measurement.failedInWindow = failed
        measurement.failures.note(.init("connect", ENETUNREACH), count: failed)
        edit(&measurement)
        return measurement
    }

    private func row(_ measurement: Measurement, _ plan: RunPlan = RunPlan(mode: Mode.all[3])) -> RunRecord {
        var measurement = measurement
        measurement.judge(plan, workerError: nil, kernel: Self.new)
        var record = RunRecord(plan)
        measurement.fill(&record, plan)
        return record
    }

    private func openLoop(_ rate: Double) -> RunPlan {
        var plan = RunPlan(mode: Mode.all[3])
        plan.load.pace = .openLoop(perSecond: rate)
        return plan
    }

    @Test func aGoodRunHasNothingSaidOfIt() {
        let record = row(measurement(served: 1000, due: 1000) { $0.stallNanoseconds = 3_000_000 }, openLoop(1000))
        #expect(record.status == .ok && record.warnings.isEmpty && record.saturated == "no")
        #expect(record.offeredOpsPerS == 1000 && record.stallMaxNs == 3_000_000)
        let closed = row(measurement(served: 1000))
        #expect(closed.offeredOpsPerS == nil && closed.saturated.isEmpty && closed.stallMaxNs == nil)
    }

    @Test func whatDoesNotKeepTheRateIsSaturated() {
        let record = row(measurement(served: 40_600, due: 70_000), openLoop(70_000))
        #expect(record.status == .ok && record.saturated == "yes")
        #expect(record.offeredOpsPerS == 70_000 && record.throughputOpsPerS == 40_600)
        #expect(record.warnings.contains("offered 70 000/s, served 40 600/s: saturated"))
        // A twentieth less, and what chance makes of 10 000: 2 × 100.
        for (served, says) in [(UInt64(9_310), "no"), (9_290, "yes"), (11_000, "no")] {
            #expect(row(measurement(served: served, due: 10_000), openLoop(10_000)).saturated == says)
        }
        // Of ten nothing but a gross lack can be told.
        #expect(row(measurement(served: 4, due: 10), openLoop(10)).saturated == "no")
        #expect(row(measurement(served: 2, due: 10), openLoop(10)).saturated == "yes")
        // The window that was measured is longer than the one that was asked for.
        let late = measurement(served: 1000, due: 1000) { $0.durationNanoseconds = 1_200_000_000 }
        #expect(row(late, openLoop(1000)).saturated == "yes")
    }

    @Test func aShareOfFailuresFailsTheRun() {
        for (served, failed) in [(UInt64(100), UInt64(408)), (0, 5), (9_898, 102), (49, 1)] {
            let record = row(measurement(served: served, failed: failed))
            #expect(record.status == .failed)
            #expect(record.reason.hasPrefix("\(failed) of \(served + failed) connections failed, "))
            #expect(record.reason.contains("\(failed) × connect: ENETUNREACH: "), "\(record.reason)")
            #expect(!record.reason.contains("--rate") && record.errors == failed)
        }
        let few = row(measurement(served: 9_901, failed: 99))
        #expect(few.status == .ok && few.reason.isEmpty)
        #expect(few.warnings == "failures, warm-up included: 99 × connect: ENETUNREACH")
    }

    @Test func whatOnlyWorkersSawFailCountsToo() {
        let record = row(
            measurement(served: 100) { measurement in
                measurement.totals[.errors] = 50
                measurement.serverFailures.note(.init("send", EPIPE), count: 50)
            })
        #expect(record.status == .failed && record.reason.contains("50 × send: EPIPE"))
    }

    @Test func failuresOfTheWarmUpAreSaidAndForgiven() {
        let record = row(measurement(served: 100) { $0.failures.note(.earlyEnd, count: 7) })
        #expect(record.status == .ok && record.warnings.contains("7 × recv: end of stream"))
    }

    @Test func aLongPauseIsAStall() {
        func warnings(_ milliseconds: UInt64, _ plan: RunPlan = RunPlan(mode: Mode.all[3])) -> String {
            row(measurement(served: 1000, due: nil) { $0.stallNanoseconds = milliseconds * 1_000_000 }, plan).warnings
        }
        #expect(warnings(2_000) == "stalled: for 2.00 s of the 1.00 s no connection was completed")
        #expect(warnings(101).hasPrefix("stalled: ") && warnings(100).isEmpty)
        // At 50/s a pause of 300 ms has 15 operations due, at 100/s 30.
        #expect(warnings(300, openLoop(50)).isEmpty && !warnings(300, openLoop(100)).isEmpty)
    }

    /// A run over loopback in which the kernel counted something.
    private func networked(_ edit: (inout NetworkCounters) -> Void) -> Measurement {
        measurement(served: 1_000) { measurement in
            measurement.interface = "lo"
            measurement.network.sockets = ["listen queue": 0]
            measurement.network.retransmissions = 0
            edit(&measurement.network)
        }
    }

    @Test func whatTheNetworkSentAgainIsSaidFromOneInAThousandOn() {
        let few = row(networked { $0.retransmissions = 1 })
        #expect(few.retransmissionsPerOp == 0.001 && few.networkDrops == 0 && few.warnings.isEmpty)
        let many = row(networked { $0.retransmissions = 2 })
        #expect(many.retransmissionsPerOp == 0.002 && many.status == .ok)
        #expect(many.warnings.hasPrefix("this host sent 2 segments of TCP again, 0.20 % of the operations: "))
        #expect(row(networked { $0.retransmissions = nil }).retransmissionsPerOp == nil)
    }

    @Test func whatTheNetworkDroppedIsSaidWithItsPlaceAndRemedy() {
        let record = row(
            networked {
                ($0.sockets["TCP receive buffer"], $0.softnet, $0.interfaces) = (3, 4, ["lo": 9, "eth0": 70])
            })
        #expect(record.networkDrops == 12 && record.status == .ok)
        let list = "5 at the interface lo, 4 at the softnet backlog, 3 at the TCP receive buffer"
        #expect(
            record.warnings == "this host dropped 12 packets in the window (\(list)): \(NetworkDrop.interface.remedy)")
    }

    @Test func aLoadWithoutANetworkHasNothingOfIt() {
        var none = networked { ($0.retransmissions, $0.softnet) = (50, 7) }
        none.interface = nil
        let record = row(none)
        #expect(record.retransmissionsPerOp == nil && record.networkDrops == nil && record.warnings.isEmpty)
        let datagrams = row(networked { $0.retransmissions = 50 }, RunPlan(.datagram, mode: Mode.all[3]))
        #expect(datagrams.retransmissionsPerOp == nil && datagrams.networkDrops == 0)
    }

    @Test func aLatencyThatIsNotSplitSaysWhy() {
        func warnings(_ interface: String? = "lo", _ edit: (inout LatencySplit) -> Void) -> RunRecord {
            row(
                measurement(served: 1_000) { measurement in
                    var split = LatencySplit()
                    edit(&split)
                    (measurement.split, measurement.interface) = (split, interface)
                })
        }
        let refused = warnings { $0.end(refusal: EINVAL, offset: .read()) }
        #expect(
            refused.warnings == "the latency is not split: the kernel refuses time stamps (SO_TIMESTAMPING: EINVAL)")
        #expect(warnings(nil) { _ in }.warnings.contains("unix sockets"))
        #expect(warnings { _ in }.warnings == "the latency is not split: the kernel stamped none of the replies")
        let set = warnings { split in
            split.begin()
            split.note(startedAt: 1, arrivedAt: 1, at: 2)
            split.end(refusal: 0, offset: WallClockOffset(nanoseconds: .max / 2, error: 0))
        }
        #expect(set.warnings.contains("the clock was set by") && set.latencyClientP50Ns == nil)
        let some = warnings { split in
            for arrival in [0, 1, 1] as [UInt64] { split.note(startedAt: 1, arrivedAt: arrival, at: 2) }
        }
        #expect(some.warnings.hasPrefix("the kernel stamped 2 of 3 replies"))
    }

    @Test func aShortPauseOfAShortWindowIsNone() {
        let short = measurement(served: 10) { measurement in
            measurement.durationNanoseconds = 50_000_000
            measurement.stallNanoseconds = 15_000_000
        }
        #expect(row(short).warnings.isEmpty)
    }

    @Test func aKnownLimitIsSaidOfEveryRunOfIt() throws {
        let mode = try #require(Mode.named("uring-direct"))
        for (workload, kernel, isSaid) in [
            (Workload.accept, KernelVersion(6, 1), true), (.read, KernelVersion(6, 1), false),
            (.accept, KernelVersion(6, 4), false),
        ] {
            var measurement = measurement(served: 64)
            measurement.judge(RunPlan(workload, mode: mode), workerError: nil, kernel: kernel)
            #expect(measurement.status == .ok)
            #expect(measurement.warnings.contains { $0.contains("before Linux 6.4") } == isSaid)
        }
    }

    @Test func nothingCompletedHasThreeReasons() {
        let slow = measurement(served: 0) { measurement in
            var recorder = LatencyRecorder()
            recorder.record(nanoseconds: 1_500_000_000)
            measurement.latencies = recorder.histogram
        }
        #expect(row(slow).reason.contains("the fastest took 1.50 s"))
        #expect(row(measurement(served: 0)).reason.contains("the clients began none"))
        // Those of the warm-up held up all others.
        let stalled = row(measurement(served: 0) { $0.failures.note(.stalledHandshake, count: 2) })
        #expect(stalled.status == .failed && stalled.reason.contains("2 × SSL_connect: no answer"), "\(stalled.reason)")
        #expect(row(measurement(served: 0, due: 0), openLoop(0.5)).reason.contains("none was due"))
        let dead = row(measurement(served: 0) { $0.lost = 64 })
        #expect(dead.reason.contains("no connection was ever answered") && !dead.reason.contains("--rate"))
    }
}
