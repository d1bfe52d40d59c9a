import RecordSamples
import Testing

@testable import Records

/// Each sentence that the documentation of the results says about a row, broken.
@Suite struct ReadingTests {
    static func refusal(_ records: [RunRecord]) -> CSVError? {
        refusal(RunRecord.csvHeader + records.map { $0.csvRow() }.joined())
    }

    static func refusal(_ text: String) -> CSVError? {
        do throws(CSVError) {
            _ = try RunRecord.read(Array(text.utf8), file: "runs.csv")
            return nil
        } catch {
            return error
        }
    }

    /// A row with everything that a run of an open loop measures.
    static func full(_ number: Int = 1) -> RunRecord {
        Samples.record("epoll-et", round: number) {
            $0.runId = "20260131T120000Z-\(number)"
            (($0.ratePerS, $0.spacing), $0.latencyKind) = ((118_000, "poisson"), .fromScheduledStart)
            ($0.latencyMinNs, $0.latencyMeanNs, $0.latencyP90Ns) = (9_000, 14_000, 100_000)
            ($0.latencyP999Ns, $0.latencyMaxNs, $0.latencySamples) = (1_300_000, 1_400_000, 118_000)
            ($0.serviceTime, $0.service) = ("bimodal:10us,1000us,0.01", "busy")
            ($0.lost, $0.listenOverflows, $0.foreignCpu) = (0, 0, 0.25)
            ($0.syscallsSource, $0.offeredOpsPerS, $0.saturated) = ("bpf", 118_001.5, "no")
        }
    }

    struct Break: Sendable, CustomTestStringConvertible {
        let column: String
        let says: String
        let edit: @Sendable (inout RunRecord) -> Void
        init(_ column: String, _ says: String, _ edit: @escaping @Sendable (inout RunRecord) -> Void) {
            (self.column, self.says, self.edit) = (column, says, edit)
        }
        var testDescription: String { "\(column) \(says)" }
    }

    static let breaks: [Break] = [
        Break("run_id", "is empty") { $0.runId = "" },
        Break("run_id", "is that of line 2 too") { $0.runId = "20260131T120000Z-1" },
        Break("order_in_round", "is that of line 2 too") { $0.round = 1 },
        Break("started_at", "is not a time") { $0.startedAt = "2026-01-31T12:00:00" },
        Break("started_at", "is not a time") { $0.startedAt = "2026-02-30T12:00:00Z" },
        Break("mode", "is empty") { $0.mode = "" },
        Break("build", "is not one of") { $0.build = "fast" },
        Break("workload", "is not one of accept, crr, read, datagram, wake") { $0.workload = "write" },
        Break("topology", "is not one of") { $0.topology = "one-each" },
        Break("listener", "is not one of") { $0.listener = "reuse" },
        Break("implementation", "is not one of") { $0.implementation = "" },
        Break("close", "is not one of") { $0.close = "fin" },
        Break("rearm", "is not one of") { $0.rearm = "never" },
        Break("service", "is not one of") { $0.service = "idle" },
        Break("service_time", "is not none") { $0.serviceTime = "fixed:" },
        Break("service_time", "is not none") { $0.serviceTime = "bimodal:10us,1000us,1.5" },
        Break("spacing", "is not one of") { $0.spacing = "even" },
        Break("syscalls_source", "is not one of bpf, perf, loop") { $0.syscallsSource = "guess" },
        Break("saturated", "is not one of") { $0.saturated = "maybe" },
        Break("workers", "is out of range") { ($0.workers, $0.perWorkerOps, $0.fairnessJain) = (0, [], nil) },
        Break("round", "is out of range") { $0.round = 0 },
        Break("order_in_round", "is out of range") { $0.orderInRound = 0 },
        Break("reason", "is not empty in a row that is ok") { $0.reason = "why" },
        Break("reason", "is empty in a row that is failed") { $0.status = .failed },
        Break("operations", "is 0 in a row that is ok") {
            ($0.operations, $0.throughputOpsPerS, $0.perWorkerOps, $0.fairnessJain) = (0, 0, [], nil)
        },
        Break("duration_s", "is not above 0") { ($0.durationS, $0.throughputOpsPerS) = (0, 0) },
        Break("throughput_ops_per_s", "is empty in a row that is ok") { $0.throughputOpsPerS = nil },
        Break("throughput_ops_per_s", "is not operations by duration_s") { $0.throughputOpsPerS = 119_000 },
        Break("lost", "is not 0") { $0.lost = 1 },
        Break("listen_overflows", "is not 0") { $0.listenOverflows = 3 },
        Break("latency_p50_ns", "is less than latency_min_ns") { $0.latencyMinNs = 12_301 },
        Break("latency_max_ns", "is less than latency_p999_ns") { $0.latencyMaxNs = 1_299_999 },
        Break("latency_mean_ns", "is not between") { $0.latencyMeanNs = 1_500_000 },
        Break("latency_kind", "is not from-scheduled-start") { $0.latencyKind = .fromCall },
        Break("latency_kind", "is not from-scheduled-start") {
            ($0.ratePerS, $0.latencyKind, $0.spacing, $0.offeredOpsPerS, $0.saturated) = (nil, .fromCall, "", nil, "")
            ($0.workload, $0.shape, $0.signal, $0.protocol) = ("wake", "timer", "timerfd", "")
        },
        Break("latency_samples", "contradicts latency_kind") { $0.latencyKind = nil },
        Break("latency_p999_ns", "is not empty although fewer than ten of 9000 samples") { $0.latencySamples = 9_000 },
        Break("latency_client_p99_ns", "is not empty although options has no timestamps") { $0.latencyClientP99Ns = 5 },
        Break("latency_client_p99_ns", "is less than latency_client_p50_ns") {
            ($0.options, $0.latencyClientP50Ns, $0.latencyClientP99Ns) = ("spin=1us;timestamps", 6, 5)
        },
        Break("latency_max_ns", "is less than latency_until_arrival_p99_ns") {
            ($0.options, $0.latencyUntilArrivalP99Ns) = ("timestamps", 1_400_001)
        },
        Break("fairness_jain", "is less than 1/4") { ($0.perWorkerOps, $0.fairnessJain) = ([], 0.2) },
        Break("fairness_jain", "is not that of per_worker_ops") { $0.fairnessJain = 0.9 },
        Break("per_worker_ops", "does not hold 4 numbers") { $0.perWorkerOps = [59_000, 59_000] },
        Break("per_worker_ops", "does not add up") { $0.perWorkerOps = [29_500, 29_500, 29_500, 29_501] },
        Break("per_worker_ops", "does not add up") { $0.perWorkerOps = [.max, .max, 29_500, 29_501] },
        Break("foreign_cpu", "is out of range, which is 0 to 1") { $0.foreignCpu = 1.01 },
        Break("drain", "is not empty in an open loop") { $0.drain = 20 },
        Break("service", "is not empty without a service time") { $0.serviceTime = "none" },
        Break("spacing", "is not empty in a closed loop") { ($0.ratePerS, $0.latencyKind) = (nil, .fromCall) },
        Break("offered_ops_per_s", "is not empty in a closed loop") {
            ($0.ratePerS, $0.latencyKind, $0.spacing) = (nil, .fromCall, "")
        },
        Break("signal", "is not empty although the workload is not wake") { $0.signal = "pipe" },
        Break("tasks_lost", "is not empty although the workload is not wake") { $0.tasksLost = 0 },
    ]

    @Test(arguments: breaks) func aBrokenSentenceIsNamedWithItsPlace(_ broken: Break) throws {
        #expect(Self.refusal([Self.full(1), Self.full(2)]) == nil)
        var row = Self.full(2)
        broken.edit(&row)
        let error = try #require(Self.refusal([Self.full(1), row]))
        #expect(error.line == 3 && error.message.contains("column \(broken.column) \(broken.says)"), "\(error)")
        let index = try #require(Column.all.firstIndex { $0.name == broken.column })
        let before = Column.all[..<index].map { CSV.row([$0.text(of: row), ""]).dropLast(2) + "," }.joined()
        #expect(error.column == before.utf8.count + 1, "\(error)")
    }

    @Test func aPlaceIsRunAgainAfterAVoidOrPartialRun() {
        var (void, partial) = (Self.full(1), Self.full(2))
        (void.status, void.reason, partial.status, partial.reason, partial.round) = (.void, "x", .partial, "y", 1)
        var ok = Self.full(3)
        ok.round = 1
        #expect(Self.refusal([void, partial, ok]) == nil)
        var other = ok
        (other.runId, other.mode) = ("20260131T120000Z-4", "poll")
        #expect(Self.refusal([void, other])?.message.contains("order_in_round") == true)
        // Rows of two invocations that were put together.
        var elsewhere = Self.full(1)
        elsewhere.runId = "20260201T120000Z-1"
        #expect(Self.refusal([Self.full(1), elsewhere]) == nil)
    }

    @Test(arguments: [
        "nan", "NaN", "inf", "infinity", "-inf", "1e999", "0x10", "+1", " 1", "1 ", ".5", "5.", "1_0", "1,0", "--1",
        "1e",
        "1e+", "٣", "-0.1",
    ])
    func aNumberThatIsNoneIsRefused(_ text: String) throws {
        let column = try #require(Column.named("server_cpu_ns_per_op"))
        var record = Self.full()
        #expect(throws: FieldProblem.self) { try column.set(text, in: &record) }
    }

    @Test func columnsStandInTheirOrder() throws {
        let swapped = RunRecord.csvHeader.replacing(
            "wakeups_per_op,spurious_wakeups_per_op", with: "spurious_wakeups_per_op,wakeups_per_op")
        #expect(Self.refusal(swapped)?.message.contains("column wakeups_per_op stands behind") == true)
        let strange = RunRecord.csvHeader.replacing("stall_max_ns", with: "stall")
        #expect(Self.refusal(strange)?.message.contains("column \"stall\" is not known") == true)
    }

    @Test func timesAreComparedAsTimes() throws {
        let ordered = [
            "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z",
            "2024-02-29T23:00:00-02:30", "2026-01-31T13:00:00+02:00", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5Z",
            "2026-01-31T10:00:01-0200", "2026-01-31T14:00:02+02", "9999-12-31T23:59:60Z",
        ].map(Timestamp.init)
        for (one, other) in zip(ordered, ordered.dropFirst()) {
            #expect(try #require(one) < #require(other))
        }
        #expect(Timestamp("1970-01-02T00:00:01+00:00")?.seconds == 86_401)
        #expect(Timestamp("2026-11-21T10:31:38Z")?.seconds == 1_795_257_098)
        #expect(Timestamp("2026-01-31T13:30:00+01:30") == Timestamp("2026-01-31T12:00:00.000Z"))
    }

    @Test(arguments: [
        "", "2026", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-1-31T12:00:00Z",
        "2026-13-01T12:00:00Z", "2026-02-29T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+02:60",
        "2026-01-31T12:00:00Zx", "0000-01-01T00:00:00Z", "2026-01-31T12:00:00+2", "99999999999999999999",
    ])
    func whatIsNoTimeIsRefused(_ text: String) { #expect(Timestamp(text) == nil) }

    @Test func copiesAreToldFromOtherRuns() {
        let runs = (1...4).map { Self.full($0) }
        func lists(_ lists: [RunRecord]...) -> [SharedRuns.Copy] { SharedRuns(lists).copies }
        #expect(
            lists(
                runs,
                runs.map {
                    var run = $0; run.serverCpuNsPerOp = 1; return run
                }
            ).isEmpty)
        #expect(lists(runs, runs).map(\.index) == [1])
        // The interrupted copy goes, whichever comes first.
        let partial = runs.map {
            var run = $0; (run.status, run.reason) = (.partial, "x"); return run
        }
        #expect(lists(partial, runs).map(\.index) == [0])
        #expect(
            lists([runs[0]], runs).first == .init(index: 0, original: 1, shared: 1, runs: 1, example: runs[0].runId))
        let overlap = lists(runs, [runs[3], Self.full(5)])
        #expect(overlap.first.map { [$0.index, $0.shared, $0.runs] } == [1, 1, 2])
    }
}
