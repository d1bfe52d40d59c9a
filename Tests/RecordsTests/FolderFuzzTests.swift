import RecordSamples
import Foundation
import Histogram
import Records
import Testing

@testable import bench

/// Whole folders of which one file is mutated: the checks that the commands make refuse it with file, line and column,
/// or what was read is written and read again as the same.
///
/// `BENCH_FUZZ` in the environment says how many mutations; some hundred if it is not set.
@Suite struct FolderFuzzTests {
    private static let files: [(name: String, bytes: [UInt8])] = {
        let rows = (1...3).map { number in
            Samples.record("epoll-et", round: number) {
                $0.runId = "20260131T120000Z-\(number)"
                ($0.latencyP50Ns, $0.latencyP99Ns, $0.latencyMaxNs) = (500_000, nil, 1_000_000)
                ($0.latencySamples, $0.syscallsSource, $0.seed) = (100, "bpf", 7)
            }
        }
        let histogram = Samples.histogram((1...100).map { UInt64($0 * 10_000) })
        let interval = HistogramLog.Interval(tag: "epoll-et", startSeconds: 0, lengthSeconds: 1, histogram: histogram)
        let percentiles = rows.map {
            PercentileRows.csv(runId: $0.runId, mode: $0.mode, workload: $0.workload, histogram: histogram)
        }
        let calls = rows.flatMap { CallRow.rows(runId: $0.runId, ["accept4": 1, "close": 1.25, "epoll_wait": 0.75]) }
        let texts = [
            ("base/runs.csv", RunRecord.csvHeader + rows.map { $0.csvRow() }.joined()),
            ("base/percentiles.csv", PercentileRows.csvHeader + percentiles.joined()),
            ("base/calls.csv", CallRow.csvHeader + calls.map { $0.csvRow() }.joined()),
            (
                "base/latency.hlog",
                HistogramLog.header(startSeconds: 0, date: "2026-01-31T12:00:00Z")
                    + rows.map { _ in HistogramLog.line(interval) }.joined()
            ),
            ("base/claims.csv", ClaimRecord.csvHeader + "a,\"s, t\",x,holds,n=1;m=2,\"d\"\"e\",1.5\n"),
            (
                "base/run.json",
                """
                {"arguments": ["run", "--mode", "et"], "build": "release", "git_commit": "0123abc",
                 "interrupted": false, "machine": {
                   "architecture": "x86_64", "clock_source": "tsc", "descriptor_limit": 20000, "kernel": "6.18.0",
                   "machine_id": "m1", "memory_bytes": 1000000000, "processor": "Some", "processors": 2,
                   "somaxconn": 4096},
                 "order": [["epoll-et"], ["epoll-et"], ["epoll-et"]], "schema_version": 1, "seed": 7,
                 "started_at": "2026-01-31T12:00:00Z", "warnings": []}
                """
            ),
            (
                "compare.json",
                """
                {"arguments": ["--mode", "et"], "blocks": 10, "criteria": {"min_effect": "1%"}, "interrupted": false,
                 "max_blocks": 20, "modes": ["epoll-et"], "order": [["base epoll-et"]], "schema_version": 1,
                 "seed": 1, "sides": [
                   {"binary": "/old/bench", "modified_at": "2026-01-31T12:00:00Z", "name": "base", "size_bytes": 1},
                   {"binary": "/new/bench", "modified_at": "2026-01-31T12:00:00Z", "name": "new", "size_bytes": 1}]}
                """
            ),
        ]
        return texts.map { ($0.0, Array($0.1.utf8)) }
    }()

    /// A comparison's folder as it is written.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "fuzz-\(UUID().uuidString)").path()

        init() throws {
            try FileManager.default.createDirectory(atPath: path + "/base", withIntermediateDirectories: true)
            for (name, bytes) in FolderFuzzTests.files { try write(name, bytes) }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: URL(filePath: path + "/" + name))
        }

        /// What the commands say of the folder.
        func refusals() -> [String] {
            do {
                let problems = try StoredFolder(rowsOf: path + "/base").problems()
                _ = try InterleavedPlan.stored(in: path)
                return problems
            } catch {
                return [(error as? Failure)?.message ?? "\(error)"]
            }
        }

        /// A file as it would be written of what was read; `nil` of one that is not written anew.
        func rewritten(_ name: String) throws -> String? {
            let base = path + "/base"
            switch name {
            case "base/runs.csv":
                return RunRecord.csvHeader + (try StoredFolder(rowsOf: base)).rows.map { $0.csvRow() }.joined()
            case "base/calls.csv":
                return CallRow.csvHeader + (try StoredFolder(rowsOf: base).calls()).map { $0.csvRow() }.joined()
            case "base/run.json": return try RunDescription.read(folder: base).storedJSON()
            case "compare.json": return try InterleavedPlan.stored(in: path).storedJSON()
            default: return nil
            }
        }
    }

    @Test func aMutatedFileIsRefusedWithItsPlaceOrReadAsItWouldBeWritten() throws {
        let folder = try Folder()
        try #require(folder.refusals() == [])
        let rounds = ProcessInfo.processInfo.environment["BENCH_FUZZ"].flatMap { Int($0) } ?? 200
        var generator = TestGenerator(state: 5)
        var refused = 0
        for round in 0..<rounds {
            let (name, good) = Self.files[round % Self.files.count]
            let bytes = FuzzTests.mutate(good, &generator)
            try folder.write(name, bytes)
            let refusals = folder.refusals()
            if refusals.isEmpty, let written = try folder.rewritten(name) {
                try folder.write(name, Array(written.utf8))
                #expect(folder.refusals() == [], "\(name) of round \(round), written anew")
                #expect(try folder.rewritten(name) == written, "\(name) of round \(round)")
            }
            for refusal in refusals {
                let place = refusal.dropFirst(folder.path.count)
                let isPlaced =
                    refusal.hasPrefix(folder.path) && place.contains(#/^/[a-z/-]+\.[a-z]+:[1-9][0-9]*:[1-9][0-9]*: /#)
                #expect(isPlaced && !refusal.contains("\n") && refusal.utf8.count < 1_000, "\(name): \(refusal)")
            }
            refused += refusals.isEmpty ? 0 : 1
            try folder.write(name, good)
        }
        #expect(refused > rounds / 3, "\(refused) of \(rounds)")
    }
}
