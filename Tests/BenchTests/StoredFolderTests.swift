import Foundation
import Histogram
import Records
import TestSupport
import Testing

@Suite struct StoredFolderTests {
    private func rows(day: Int = 1) -> [RunRecord] {
        storedRows(rounds: 2) {
            $0.startedAt = "2026-02-0\(day)T12:00:00Z"
            ($0.latencySamples, $0.latencyKind, $0.seed) = (100, .fromCall, 7)
            ($0.latencyMaxNs, $0.syscallsSource) = (1_000_000, "bpf")
        }
    }

    /// A folder with every file that a run writes.
    private func write(_ name: String, in folder: BenchFolder, day: Int = 1) throws {
        let rows = rows(day: day)
        var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000)
        for step in 1...100 { histogram.record(UInt64(step * 10_000)) }
        let interval = HistogramLog.Interval(tag: "epoll-et", startSeconds: 0, lengthSeconds: 1, histogram: histogram)
        try folder.write(name, rows: rows)
        try folder.write(
            name + "/latency.hlog",
            HistogramLog.header(startSeconds: 0, date: "x") + rows.map { _ in HistogramLog.line(interval) }.joined())
        try folder.write(
            name + "/percentiles.csv",
            PercentileRows.csvHeader
                + rows.map {
                    PercentileRows.csv(runId: $0.runId, mode: $0.mode, workload: $0.workload, histogram: histogram)
                }.joined())
        try folder.write(name + "/run.json", runDescription)
        try folder.write(
            name + "/calls.csv",
            CallRow.csvHeader
                + rows.flatMap { CallRow.rows(runId: $0.runId, ["accept4": 1, "close": 1, "epoll_wait": 1]) }
                .map { $0.csvRow() }.joined())
        try folder.write(
            name + "/claims.csv",
            "claim,statement,source,verdict,observed,detail,duration_ms\na,b,c,holds,n=1,,1\n")
    }

    static let damages: [(file: String, old: String, new: String, says: String)] = [
        ("run.json", "\"seed\" : 7,", "", "run.json:1:1: seed is missing"),
        ("run.json", "\"seed\" : 7", "\"seed\" : 8", "run.json:12:12: seed is 8, and 7 in run epoll-et-1 of runs.csv"),
        ("run.json", "\"0123abc\"", "\"f00\"", "git_commit is f00, and 0123abc"),
        ("run.json", "[\"epoll-et\"]]", "[\"poll\"]]", "order.1.0 is poll, and epoll-et in run epoll-et-2"),
        ("run.json", "[\"run\", \"--mode\", \"et\"]", "\"run\"", "run.json:2:17: arguments is not a list"),
        ("run.json", "_version\" : 1", "_version\" : 2", "schema_version is 2; this version of bench reads 1"),
        ("run.json", "12:00:00Z", "12:00:00", "started_at is not a time"),
        ("percentiles.csv", "\nepoll-et-2,", "\nepoll-et-9,", "percentiles.csv"),
        ("percentiles.csv", ",epoll-et,accept,0,", ",poll,accept,0,", "percentiles.csv:3:"),
        ("latency.hlog", "Tag=epoll-et", "Tag=poll", "latency.hlog:5:1: the interval is of poll"),
        ("latency.hlog", ",1.000,1.", ",2.000,1.", "latency.hlog:5:1: the interval is not as long as run epoll-et-1"),
        (
            "calls.csv", "\nepoll-et-2,", "\nepoll-et-9,",
            "calls.csv:5:1: the row is of a run that runs.csv does not hold"
        ),
        (
            "calls.csv", "epoll_wait,1", "epoll_wait,2",
            "calls.csv:2:1: the calls of run epoll-et-1 add up to 4, and not"
        ),
        ("calls.csv", ",close,", ",accept4,", "calls.csv:3:12: the row is the second of this run and this call"),
        ("claims.csv", ",holds,", ",held,", "claims.csv:2:7: column verdict is not one of"),
    ]

    @Test(arguments: damages)
    func aFileThatContradictsTheRowsIsNamed(_ file: String, _ old: String, _ new: String, _ says: String) async throws {
        let folder = try BenchFolder()
        try write("a", in: folder)
        let text = folder.text("a/\(file)").replacing(old, with: new, maxReplacements: 1)
        #expect(text != folder.text("a/\(file)"))
        try folder.write("a/\(file)", text)
        let outcome = try await folder.bench("report a")
        // What can be shown is shown.
        #expect(outcome.exit == 3 && outcome.output.hasSuffix("a/report.html\n"), "\(outcome.complaints)")
        #expect(
            outcome.complaints.contains("bench: a/\(file):") && outcome.complaints.contains(says),
            "\(outcome.complaints)")
        guard file == "run.json" else { return }
        for arguments in ["compare a a", "history .", "export a --format bmf"] {
            let outcome = try await folder.bench(arguments)
            #expect(outcome.exit == 64 && outcome.complaints.contains(says), "\(arguments): \(outcome.complaints)")
        }
    }

    @Test func aWholeFolderIsReadWithoutAWord() async throws {
        let folder = try BenchFolder()
        try write("a", in: folder)
        let outcome = try await folder.bench("report a")
        #expect(outcome.exit == 0 && !outcome.complaints.contains("a/"), "\(outcome.complaints)")
        #expect(try await folder.bench("export a --format hgrm").exit == 0)
        // Rows alone are of use too.
        for file in ["run.json", "percentiles.csv", "calls.csv", "latency.hlog", "claims.csv"] {
            try FileManager.default.removeItem(atPath: folder.path("a/\(file)"))
        }
        #expect(try await folder.bench("report a").exit == 0)
    }

    @Test func whatAnInterruptionLeavesIsRead() async throws {
        let folder = try BenchFolder()
        try write("a", in: folder)
        // The second run had been written to all files but runs.csv, whose rows say partial until the end.
        var row = rows()[0]
        (row.status, row.reason) = (.partial, "the invocation had not ended when this row was written")
        try folder.write("a", rows: [row])
        let outcome = try await folder.bench("report a")
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        // Of a whole invocation it would be another's.
        try folder.write("a", rows: [rows()[0]])
        let other = try await folder.bench("report a")
        #expect(other.exit == 3 && other.complaints.contains("a/percentiles.csv:"), "\(other.complaints)")
        #expect(other.complaints.contains("a/latency.hlog:6:1: the log holds other runs"), "\(other.complaints)")
    }

    @Test func everyBrokenFolderIsNamedAndTheOthersAreShown() async throws {
        let folder = try BenchFolder()
        for (number, name) in ["r/a", "r/b", "r/c", "r/d"].enumerated() { try write(name, in: folder, day: number + 1) }
        try folder.write("r/b/runs.csv", folder.text("r/b/runs.csv").replacing(",ok,", with: ",fine,"))
        try folder.write("r/d/run.json", "{")
        let history = try await folder.bench("history r")
        #expect(history.exit == 3 && history.output.contains("2 stored runs"), "\(history.complaints)")
        #expect(history.complaintLines.count == 2, "\(history.complaints)")
        #expect(history.complaints.contains("r/b/runs.csv:2:") && history.complaints.contains("r/d/run.json:1:2: "))
        let report = try await folder.bench("report r/a r/b r/c r/d nowhere")
        #expect(report.exit == 3 && report.output.hasSuffix("r/d/report.html\n"), "\(report.complaints)")
        for says in ["r/b/runs.csv:2:", "r/d/run.json:1:2: ", "nowhere/runs.csv does not exist"] {
            #expect(report.complaints.contains(says), "\(report.complaints)")
        }
        let compare = try await folder.bench("compare r/b r/d")
        #expect(
            compare.exit == 64 && compare.output.isEmpty && compare.complaintLines.count == 2, "\(compare.complaints)")
    }

    @Test func runsCountOnce() async throws {
        let folder = try BenchFolder()
        try write("r/a", in: folder)
        try write("r/b", in: folder, day: 2)
        try FileManager.default.copyItem(atPath: folder.path("r/a"), toPath: folder.path("r/copy"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("r/link"), withDestinationPath: folder.path("r/a"))
        let history = try await folder.bench("history r")
        #expect(history.exit == 0 && history.output.contains("2 stored runs"), "\(history.complaints)")
        #expect(history.complaints.contains("r/copy holds the runs of r/a again"), "\(history.complaints)")
        for other in ["r/a", "r/copy", "r/link"] {
            let compare = try await folder.bench("compare r/a \(other)")
            #expect(compare.exit == 0 && compare.complaints.contains("hold the same runs"), "\(compare.complaints)")
            let report = try await folder.bench("report r/a \(other)")
            #expect(report.exit == 0 && report.complaints.contains("again"), "\(report.complaints)")
        }
        // Rows that were given four times.
        let rows = folder.text("r/a/runs.csv").split(separator: "\n").map { $0 + "\n" }
        try folder.write("r/a/runs.csv", (rows + rows.dropFirst()).joined())
        let twice = try await folder.bench("compare r/a r/b")
        #expect(twice.exit == 64 && twice.complaints.contains("r/a/runs.csv:4:3: column run_id is that of line 2 too"))
    }

    @Test func aBrokenPlanOfAComparisonIsNamed() async throws {
        let folder = try BenchFolder()
        try folder.write("c/base", rows: storedRows())
        try folder.write("c/new", rows: storedRows(cost: 6_000))
        for (old, new, says) in [
            ("\"name\" : \"new\"", "\"name\" : \"old\"", "c/compare.json:3:47: sides are not base and new"),
            ("\"seed\" : 1,", "", "c/compare.json:1:1: seed is missing"),
        ] {
            try folder.write("c/compare.json", comparePlan.replacing(old, with: new))
            let outcome = try await folder.bench("compare c/base c/new")
            #expect(outcome.exit == 64 && outcome.complaints.contains(says), "\(outcome.complaints)")
        }
    }
}
