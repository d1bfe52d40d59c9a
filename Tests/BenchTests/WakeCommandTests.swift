import Records
import Testing
import Loops
import Runs

@Suite(.serialized) struct WakeCommandTests {
    @Test(arguments: [
        (["--shape", "pool", "--tasks", "0"], "--tasks"),
        (["--shape", "pool", "--tasks", "99999999"], "--tasks"),
        (["--shape", "pool", "--tasks", "10", "--consumers", "11"], "--consumers"),
        (["--shape", "pool", "--producers", "0"], "--producers"),
        (["--shape", "pool", "--consumers", "5000", "--tasks", "10000"], "--consumers"),
        (["--mode", "et", "--signal", "msg-ring"], "msg-ring"),
        (["--mode", "blocking", "--signal", "msg-ring"], "msg-ring"),
        (["--mode", "lt", "--signal", "futex"], "futex"),
        (["--mode", "dispatcher"], "dispatcher"),
        (["--mode", "lt", "--signal", "timerfd"], "--shape timer"),
        (["--signal", "signalfd,wait-timeout"], "wait-timeout"),
        (
            ["--shape", "timer", "--signal", "pipe"],
            "--shape timer takes --signal timerfd, ring-timeout, wait-timeout or"
        ),
        (["--shape", "timer", "--signal", "ring-timeout", "--mode", "lt"], "uring-single"),
        (["--shape", "timer", "--signal", "wait-timeout", "--mode", "blocking"], "--signal timerfd"),
        (["--shape", "timer", "--signal", "wait-timeout-ms", "--mode", "select"], "milliseconds"),
        (["--shape", "timer", "--tasks", "5"], "a timer is one thread"),
        (["--shape", "timer", "--pin", "same"], "--pin same"),
        (["--shape", "timer", "--pin", "99999"], "at least one of the processors"),
        (["--shape", "timer", "--mode", "lt", "--implementation", "c"], "a timer"),
        (["--shape", "pool", "--mode", "et", "--signal", "signalfd", "--descriptors", "per-task"], "per-worker"),
        (["--shape", "pool", "--mode", "et", "--signal", "signalfd", "--live"], "--live"),
        (["--mode", "blocking", "--shape", "pool", "--descriptors", "per-task"], "per-worker"),
        (["--mode", "uring-single", "--shape", "pool", "--descriptors", "per-task"], "per-worker"),
        (["--mode", "et", "--shape", "pool", "--descriptors", "per-worker", "--live"], "--live"),
        (["--mode", "et", "--shape", "pool", "--descriptors", "per-worker", "--topology", "shared-set"], "--topology"),
        (["--tasks", "5"], "--shape pool"), (["--consumers", "2"], "--shape pool"), (["--live"], "--shape pool"),
        (["--signal", "smoke"], "smoke"), (["--shape", "heart"], "heart"),
        (["--shape", "pool", "--descriptors", "per-mille"], "per-mille"),
        (["--workers", "2"], "--consumers"), (["--connections", "2"], "--connections"), (["--rate", "5"], "--rate"),
        (["--mode", "oneshot", "--implementation", "c"], "--implementation"),
        (["--mode", "et", "--implementation", "c", "--shape", "pool"], "--implementation"),
        (["--workload", "accept", "--signal", "pipe"], "--signal"),
        (["--workload", "accept", "--pin", "same"], "--pin"),
    ])
    func badInputIsRefusedInOneLine(_ options: [String], _ word: String) throws {
        let run = try BenchRunner(options)
        #expect(run.exit == 64)
        #expect(run.complaints.count == 1)
        #expect(run.complaints.first?.contains(word) == true, "\(run.complaints)")
        #expect(run.rows.isEmpty)
    }

    @Test func everyModeThatCanWaitHasARow() throws {
        let run = try BenchRunner(["--shape", "pool", "--tasks", "500", "--signal", "all"])
        #expect(run.exit == 0, "\(run.complaints)")
        var expected = 0
        for mode in Mode.all {
            for signal in WakeSignal.allCases {
                for descriptors in TaskDescriptors.allCases {
                    var wake = WakePlan()
                    wake.shape = .pool
                    wake.signal = signal
                    wake.descriptors = descriptors
                    if wake.refusal(by: mode) == nil { expected += 1 }
                }
            }
        }
        #expect(run.rows.count == expected)
        for row in run.rows where row.status != .unsupported {
            #expect(row.status == .ok && row.operations == 500, "\(row.mode) \(row.signal): \(row.reason)")
            #expect(row.tasksLost == 0 && row.tasksDoneTwice == 0)
        }
    }

    @Test func aLowDescriptorLimitLosesNothing() throws {
        let run = try BenchRunner(
            ["--shape", "pool", "--descriptors", "per-task", "--mode", "et,oneshot", "--tasks", "20000"]
                + ["--producers", "2", "--consumers", "2"],
            descriptorLimit: 48)
        #expect(run.exit == 0, "\(run.complaints)")
        #expect(run.rows.count == 2)
        for row in run.rows {
            #expect(row.operations == 20000 && row.tasksLost == 0 && row.tasksDoneTwice == 0)
            #expect(row.staleEvents == 0)
            #expect((row.descriptorsPeak ?? 48) < 48)
        }
    }

    @Test func aLimitTooLowForOneTaskIsSaid() throws {
        for limit in [16, 20] {
            let run = try BenchRunner(
                ["--shape", "pool", "--descriptors", "per-task", "--mode", "et", "--tasks", "10"],
                descriptorLimit: limit)
            if run.exit == 0 { continue }
            #expect(run.exit != 1 && run.exit < 128, "ended by a signal or an internal error at \(limit)")
            #expect(run.complaints.contains { $0.contains("descriptor") || $0.contains("Too many open files") })
        }
    }

    /// Room for one task is enough for two producers: the smallest limit that ever works always works.
    @Test func roomForOneTaskIsEnough() throws {
        func run(_ limit: Int) throws -> BenchRunner {
            try BenchRunner(
                ["--shape", "pool", "--descriptors", "per-task", "--mode", "et", "--tasks", "500"]
                    + ["--producers", "2", "--consumers", "1"],
                descriptorLimit: limit)
        }
        let smallest = try #require(try (12...64).first { try run($0).exit == 0 })
        for _ in 1...10 {
            let run = try run(smallest)
            #expect(run.exit == 0, "\(run.complaints)")
            #expect(run.rows.first?.operations == 500)
        }
    }

    @Test func aLivePoolSpreadsOverTables() throws {
        let run = try BenchRunner(
            ["--shape", "pool", "--descriptors", "per-task", "--mode", "et", "--tasks", "1500", "--live"],
            descriptorLimit: 400)
        #expect(run.exit == 0, "\(run.complaints)")
        let row = try #require(run.rows.first)
        #expect(row.descriptorsPeak == 1500 && row.live == "live")
        #expect(row.operations == 1500 && row.tasksLost == 0 && row.tasksDoneTwice == 0 && row.emfileWaits == 0)
    }

    @Test func everyTimerOfAModeHasARowWithoutClients() throws {
        let run = try BenchRunner(
            ["--shape", "timer", "--mode", "epoll-lt", "--signal", "all", "--duration", "50ms", "--warmup", "0"])
        #expect(run.exit == 0, "\(run.complaints)")
        let rows = run.rows.filter { $0.status != .unsupported }
        let signals = WakeSignal.allCases.filter { $0.isTimer && $0 != .ringTimeout }.map(\.rawValue)
        #expect(Set(run.rows.map(\.signal)) == Set(signals) && run.rows.count == signals.count)
        for row in rows {
            #expect(row.status == .ok && row.operations > 0 && row.errors == 0, "\(row.signal): \(row.reason)")
            #expect(row.clients == nil && row.placement.isEmpty && row.oneWayMinNs == nil && row.clientBusy == nil)
            #expect(row.latencyKind == .fromScheduledStart && row.latencyMinNs != nil)
        }
    }

    @Test func pingPongReportsBothPlacementsAndBothLatencies() throws {
        let options = ["--mode", "blocking,et", "--duration", "500ms", "--warmup", "0"]
        var run = try BenchRunner(options)
        // A busy machine can keep a mode off the processors for its whole window.
        for _ in 0..<10 where run.rows.contains(where: { $0.reason.hasPrefix("no operation") }) {
            run = try BenchRunner(options)
        }
        #expect(run.exit == 0, "\(run.complaints)")
        let placements = Set(run.rows.map(\.placement))
        #expect(placements.contains("same-cpu"))
        #expect(run.rows.count == 2 * placements.count)
        for row in run.rows {
            #expect(row.operations > 0 && row.latencyMinNs != nil)
            #expect(try #require(row.oneWayMinNs) <= #require(row.latencyMinNs))
        }
    }
}
