import Foundation
import Histogram
import Records
import TestSupport
import Testing

@Suite struct ExportCommandTests {
    private func folder() throws -> BenchFolder {
        let folder = try BenchFolder()
        let modes = ["epoll-et", "poll"]
        let rows = modes.flatMap { mode in storedRows(mode, rounds: 2) { $0.latencySamples = 10 } }
        try folder.write("a", rows: rows)
        var log = HistogramLog.header(startSeconds: 0, date: "2026-01-31T12:00:00Z")
        for row in rows {
            var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000)
            for value in 1...10 { histogram.record(UInt64(value) * (row.mode == "poll" ? 2_000_000 : 1_000_000)) }
            log += HistogramLog.line(.init(tag: row.mode, startSeconds: 0, lengthSeconds: 1, histogram: histogram))
        }
        try folder.write("a/latency.hlog", log)
        return folder
    }

    @Test(arguments: ["bmf", "benchstat", "jmh", "github-action-benchmark --direction smaller"])
    func theFormatsHoldTheModes(_ format: String) async throws {
        let folder = try folder()
        let shown = try await folder.bench("export a --format \(format)")
        #expect(shown.exit == 0 && shown.complaintLines.isEmpty, "\(shown.complaints)")
        for mode in ["poll", "epoll-et"] { #expect(shown.output.contains(mode)) }
        let written = try await folder.bench("export a --format \(format) --output file")
        #expect(written.exit == 0 && written.output.isEmpty)
        #expect(folder.text("file") == shown.output)
    }

    @Test func linksAndPipesAreWrittenIntoAndStay() async throws {
        let folder = try folder()
        let shown = try await folder.bench("export a --format jmh").output
        try folder.write("target", "old")
        try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: "target")
        #expect(try await folder.bench("export a --format jmh --output link").exit == 0)
        #expect(folder.text("target") == shown)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path("link")) == "target")

        #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
        // Opened for both ends, so that neither waits for the other.
        let pipe = open(folder.path("pipe"), O_RDWR | O_CLOEXEC)
        defer { close(pipe) }
        #expect(try await folder.bench("export a --format jmh --output pipe").exit == 0)
        var bytes = [UInt8](repeating: 0, count: shown.utf8.count)
        #expect(read(pipe, &bytes, bytes.count) == bytes.count && String(decoding: bytes, as: UTF8.self) == shown)
        var status = stat()
        #expect(stat(folder.path("pipe"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test func whatCannotBeWrittenIsToldAndAFullDiskEndsWith3() async throws {
        let folder = try folder()
        let refused = try await folder.bench("export a --format jmh --output nowhere/file")
        #expect(refused.exit == 64)
        #expect(
            refused.complaints.contains(
                "nowhere/file cannot be written: No such file or directory (ENOENT); name a file"))
        let full = try await folder.bench("export a --format jmh --output /dev/full")
        #expect(full.exit == 3)
        #expect(full.complaintLines == ["bench: /dev/full: No space left on device (ENOSPC)"])
    }

    @Test func percentilesAreOfAllRunsOfAMode() async throws {
        let folder = try folder()
        let outcome = try await folder.bench("export a --format hgrm --mode et")
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.output.contains("Total count    =           20]"))
        #expect(outcome.output.contains("#[Max     =       10."))
    }

    @Test func runsThatFailedAreLeftOutAndNamed() async throws {
        let folder = try folder()
        var rows = try folder.rows("a")
        rows[1].status = .void
        try folder.write("a", rows: rows)
        let outcome = try await folder.bench("export a --format hgrm --mode et")
        #expect(outcome.exit == 0 && outcome.output.contains("Total count    =           10]"))
        #expect(outcome.complaints.contains("left out of the export: 1 void"))
        for index in rows.indices { rows[index].status = .failed }
        try folder.write("a", rows: rows)
        #expect(try await folder.bench("export a --format bmf").exit == 3)
    }

    @Test(arguments: [
        ("a --format nonsense", "formats: hgrm, bmf"), ("a", "--format"),
        ("b --format bmf", "b/runs.csv does not exist"),
        ("a --format hgrm", "choose with --mode"), ("a --format hgrm --mode select", "no usable run of select"),
        ("a --format github-action-benchmark", "--direction smaller"),
        ("a --format bmf --mode et", "--mode belongs to"),
        ("a --format bmf --direction bigger", "--direction belongs to"),
        ("broken --format hgrm", "broken/latency.hlog:1:1: "),
        ("short --format hgrm", "holds other runs than runs.csv"),
        ("mixed --format hgrm --mode et", "histograms of different layouts"),
    ])
    func aMistakeIsToldInOneLine(_ arguments: String, _ says: String) async throws {
        let folder = try folder()
        for name in ["broken", "short", "mixed"] { try folder.write(name, rows: try folder.rows("a")) }
        try folder.write("broken/latency.hlog", "nonsense\n")
        let log = folder.text("a/latency.hlog").split(separator: "\n")
        try folder.write("short/latency.hlog", log.dropLast().joined(separator: "\n") + "\n")
        var coarse = Histogram<UInt64>(highestTrackableValue: 1_000_000, numberOfSignificantValueDigits: .two)
        for _ in 1...10 { coarse.record(5) }
        let line = HistogramLog.line(.init(tag: "epoll-et", startSeconds: 0, lengthSeconds: 1, histogram: coarse))
        var mixed = log.map { String($0) + "\n" }
        mixed[5] = line
        try folder.write("mixed/latency.hlog", mixed.joined())
        let outcome = try await folder.bench("export " + arguments)
        #expect(outcome.exit == 64 && outcome.output.isEmpty, "\(outcome.exit) \(outcome.complaints)")
        #expect(outcome.complaints.contains(says) && outcome.complaintLines.count == 1, "\(outcome.complaints)")
    }
}
