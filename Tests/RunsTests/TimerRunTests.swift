import Histogram
import Meters
import Records
import Testing

@testable import LinuxRings
@testable import Loops
@testable import Runs

/// Runs in which a thread waits for one short time after the other.
@Suite(.serialized) struct TimerRunTests {
    private func plan(_ mode: Mode, _ signal: WakeSignal) -> RunPlan {
        var plan = RunPlan(.wake, mode: mode)
        (plan.wake.shape, plan.wake.signal) = (.timer, signal)
        (plan.warmupNanoseconds, plan.durationNanoseconds) = (5_000_000, 80_000_000)
        return plan
    }

    /// System calls of one expiry: to set it, to wait, to read, and to arm it again.
    private func calls(_ mode: Mode, _ signal: WakeSignal) -> Double {
        guard signal == .timerfd else { return 1 }
        return switch mode.mechanism {
        case .blocking, .ringSingle: 2
        case .epollOneShot: 4
        default: 3
        }
    }

    @Test(arguments: WakeSignal.allCases.filter(\.isTimer)) func everyModeThatCanWaitDoes(_ signal: WakeSignal) throws {
        let rings = RingSupport.probe()
        var count = 0
        for mode in Mode.all {
            let plan = plan(mode, signal)
            guard plan.wake.refusal(by: mode) == nil else { continue }
            if let reason = plan.unsupportedReason(rings: rings) {
                print("skipped: \(mode.name), \(signal.rawValue): \(reason)")
                continue
            }
            count += 1
            var row = RunRecord(plan)
            // A busy machine can keep the thread off the processors for the whole window.
            for _ in 0..<10 {
                row = RunRecord(plan)
                try measure(plan, try Interruption()).fill(&row, plan)
                if row.operations > 20 { break }
            }
            #expect(row.status == .ok && row.errors == 0, "\(mode.name): \(row.reason)")
            #expect(row.latencySamples ?? 0 > 0 && row.latencyKind == .fromScheduledStart, "\(mode.name)")
            #expect(row.clients == nil && row.oneWayMinNs == nil && row.clientCpuNsPerOp == nil, "\(mode.name)")
            #expect(row.placement.isEmpty && row.starvationMaxNs == nil && row.lost == 0, "\(mode.name)")
            // What is under way at either end of the window may be counted in part.
            let operations = Double(row.operations)
            let expected = calls(mode, signal)
            let counted = try #require(row.syscallsPerOp)
            #expect(abs(counted - expected) * operations <= 2 * expected, "\(mode.name): \(counted) calls")
            let wakeups = try #require(row.wakeupsPerOp)
            #expect(abs(wakeups - 1) * operations <= 2, "\(mode.name): \(wakeups) wakeups")
            #expect(row.spuriousWakeupsPerOp == 0, "\(mode.name)")
        }
        #expect(count > 0 || signal == .ringTimeout)
    }

    @Test func timesAreDrawnFromTheSeed() {
        let meters = WorkerMeters(count: 1)
        defer { withExtendedLifetime(meters) {} }
        func delays(_ seed: UInt64) -> [UInt64] {
            var side = TimerSide(meters[0], seed: seed)
            return (0..<1000).map { _ in side.nextDelay() }
        }
        #expect(delays(1) == delays(1) && delays(1) != delays(2))
        #expect(delays(3).allSatisfy(TimerSide.delays.contains))
        #expect(Set(delays(4)).count > 900)
    }

    @Test func aWakeBeforeItsTimeIsAnErrorAndNoExpiry() {
        let meters = WorkerMeters(count: 1)
        defer { withExtendedLifetime(meters) {} }
        meters.setWindow(start: 0, end: .max)
        let side = TimerSide(meters[0], seed: 1)
        side.note(due: monotonicNanoseconds() + 1_000_000_000_000)
        #expect(meters[0][.errors] == 1 && meters[0][.operations] == 0)
        #expect(side.lateness.recorder.histogram.totalCount == 0)
        side.note(due: monotonicNanoseconds() - 5_000_000)
        #expect(meters[0][.errors] == 1 && meters[0][.operations] == 1)
        #expect(side.lateness.recorder.histogram.maxRecorded >= 4_990_000)
    }

    /// Early wakes fail the run.
    @Test func earlyWakesAreJudged() throws {
        let plan = plan(try #require(Mode.named("epoll-lt")), .timerfd)
        var measurement = Measurement()
        measurement.durationNanoseconds = 80_000_000
        measurement.perWorker = [10]
        measurement.totals = [.errors: 5]
        measurement.judge(plan, workerError: nil)
        #expect(measurement.status == .failed && !measurement.reason.isEmpty, "\(measurement.reason)")
    }

    @Test func signalsOfOtherShapesAreRefused() throws {
        for mode in Mode.every {
            for signal in WakeSignal.allCases {
                for shape in WakeShape.allCases where signal.isTimer != (shape == .timer) {
                    var wake = WakePlan()
                    (wake.shape, wake.signal) = (shape, signal)
                    #expect(wake.refusal(by: mode) != nil, "\(mode.name) \(signal) \(shape)")
                }
            }
        }
    }

    @Test func theCallsThatAKernelMayLackAreAskedFor() throws {
        // As Linux 6.9 has it.
        let old = RingSupport.available(
            RingCapabilities(features: [.fastPoll, .skipSuccess, .extendedArgument], operations: Set(0..<50)))
        var wake = WakePlan()
        wake.signal = .signalfd
        let single = try #require(Mode.named("uring-single"))
        let reason = wake.unsupportedReason(rings: old, in: single)
        #expect(reason?.contains("Linux 6.10") == true, "\(reason ?? "")")
        #expect(wake.unsupportedReason(rings: old, in: Mode.named("uring-poll")) == nil)
    }
}
