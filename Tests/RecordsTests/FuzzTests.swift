import RecordSamples
import Foundation
import Histogram
import Testing

@testable import Records

/// Mutated folders: every reader ends, and with an error that names a line of the file or with something read.
///
/// `BENCH_FUZZ` in the environment says how many mutations of each file; a few hundred if it is not set.
@Suite struct FuzzTests {
    static let files: [(name: String, bytes: [UInt8])] = {
        let histogram = Samples.histogram((0..<2_000).map { UInt64($0 * 977 % 1_400_000) + 9_000 })
        let rows = (1...6).map { ReadingTests.full($0) }
        let interval = HistogramLog.Interval(tag: "epoll-et", startSeconds: 1, lengthSeconds: 1, histogram: histogram)
        let texts = [
            ("runs.csv", RunRecord.csvHeader + rows.map { $0.csvRow() }.joined()),
            (
                "percentiles.csv",
                PercentileRows.csvHeader
                    + (1...3).map {
                        PercentileRows.csv(runId: "r-\($0)", mode: "epoll-et", workload: "read", histogram: histogram)
                    }.joined()
            ),
            (
                "latency.hlog",
                HistogramLog.header(startSeconds: 1, date: "2026-01-31T12:00:00Z")
                    + String(repeating: HistogramLog.line(interval), count: 2)
            ),
            ("claims.csv", ClaimRecord.csvHeader + "a,\"s, t\",x,holds,n=1;m=2,\"d\"\"e\",1.5\nb,s,x,depends,,,0\n"),
            (
                "noise-floor.json",
                """
                {"machine_id": "m1", "kernel": "6.18", "measured_at": "2026-01-31T12:00:00Z", "git_commit": "c\\u0041",
                 "confidence": 0.95, "entries": [
                  {"workload": "accept", "mode": "poll", "metric": "syscalls_per_op", "floor": 0.03, "blocks": 20}]}
                """
            ),
        ]
        return texts.map { ($0.0, Array($0.1.utf8)) }
    }()

    static func read(_ bytes: [UInt8], _ name: String) -> CSVError? {
        do throws(CSVError) {
            switch name {
            case "runs.csv": _ = try RunRecord.read(bytes, file: name)
            case "percentiles.csv": _ = try PercentileRows.read(bytes, file: name)
            case "latency.hlog":
                for interval in try HistogramLog.read(bytes, file: name) { _ = LatencySummary(interval.histogram) }
            case "claims.csv": _ = try ClaimRecord.read(bytes, file: name, verdicts: ["holds", "depends"])
            default: _ = try NoiseFloor.read(bytes, file: name)
            }
            return nil
        } catch {
            return error
        }
    }

    private static let hostile = [
        "nan", "-1", "1e999", "99999999999999999999", "\u{0}", "\"", ",", "\r\n", "\u{feff}", "", "0x1p9", "{", "]",
        "\\",
        "Tag=", "HISTFAAAACJ4", String(repeating: "9", count: 5_000), String(repeating: "a,", count: 2_000),
        String(repeating: "[", count: 3_000),
    ].map { Array($0.utf8) }

    static func mutate(_ bytes: [UInt8], _ generator: inout TestGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[place] = .random(in: 0...255, using: &generator)
            case 2: bytes.remove(at: place)
            case 3: bytes.removeSubrange(place...)
            case 4: bytes.insert(contentsOf: hostile.randomElement(using: &generator) ?? [], at: place)
            case 5, 6: bytes = swapped(bytes, by: 0x0a, &generator)
            default: bytes = swapped(bytes, by: UInt8(ascii: ","), &generator)
            }
        }
        return bytes
    }

    /// Two lines or fields in each other's place, or one twice, or one gone.
    private static func swapped(_ bytes: [UInt8], by separator: UInt8, _ generator: inout TestGenerator) -> [UInt8] {
        var parts = bytes.split(separator: separator, omittingEmptySubsequences: false)
        let (one, other) = (
            Int.random(in: 0..<parts.count, using: &generator), Int.random(in: 0..<parts.count, using: &generator)
        )
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: parts.swapAt(one, other)
        case 1: parts.insert(parts[one], at: other)
        default: parts.remove(at: one)
        }
        return Array(parts.joined(separator: [separator]))
    }

    @Test(arguments: FuzzTests.files.map(\.name)) func mutatedFilesAreReadOrRefusedWithALine(_ name: String) throws {
        let good = try #require(Self.files.first { $0.name == name }).bytes
        #expect(Self.read(good, name) == nil)
        let rounds = ProcessInfo.processInfo.environment["BENCH_FUZZ"].flatMap { Int($0) } ?? 400
        var generator = TestGenerator(state: UInt64(name.utf8.count))
        var refused = 0
        for _ in 0..<rounds {
            let bytes = Self.mutate(good, &generator)
            guard let error = Self.read(bytes, name) else { continue }
            refused += 1
            let lines = bytes.count { $0 == 0x0a } + 1
            let isPlaced = error.file == name && (1...lines).contains(error.line) && error.column >= 1
            if !isPlaced || error.message.contains("\n") || error.message.utf8.count > 1_000 {
                Issue.record("\(error) in \(bytes.count) bytes")
            }
        }
        #expect(refused > rounds / 3, "\(refused) of \(rounds)")
    }

    /// Damage after which nothing may be read as if it were whole.
    @Test(arguments: ["runs.csv", "percentiles.csv", "latency.hlog", "claims.csv"])
    func damageThatMustBeSeenIsSeen(_ name: String) throws {
        let good = try #require(Self.files.first { $0.name == name }).bytes
        let lines = good.split(separator: 0x0a)
        func joined(_ lines: [ArraySlice<UInt8>]) -> [UInt8] { Array(lines.map { $0 + [0x0a] }.joined()) }
        let last = lines[lines.count - 1]
        var damaged: [[UInt8]] = [
            good.dropLast(), joined(Array(lines.dropFirst())), joined(lines.map { $0 + [0x0d] }),
            joined(lines.dropLast() + [[0] + last]), joined(lines.dropLast() + [[0xff] + last]),
            joined(lines.dropLast() + [last.dropLast(2)]), joined(lines.dropLast() + [last + Array(",1".utf8)]),
        ]
        // A log's lines carry no id: that one is there twice is seen beside the rows.
        if name != "latency.hlog" { damaged += lines.dropFirst().map { joined(lines + [$0]) } }
        for bytes in damaged {
            #expect(Self.read(bytes, name) != nil, "\(String(decoding: bytes.suffix(80), as: UTF8.self))")
        }
    }
}
