import RecordSamples
import Histogram
import Testing

@testable import Records

/// The files beside `runs.csv`.
@Suite struct FileReadingTests {
    private func refusal(_ read: () throws -> Void) -> CSVError? {
        do {
            try read()
            return nil
        } catch {
            return error as? CSVError
        }
    }

    private static let percentiles =
        PercentileRows.csvHeader + """
            r-1,poll,accept,0,100,1
            r-1,poll,accept,0.5,200,50
            r-1,poll,accept,1,300,100
            r-2,poll,accept,0,100,1
            r-2,poll,accept,1,100,1

            """

    static let percentileBreaks: [(old: String, new: String, line: Int, says: String)] = [
        ("r-1,poll,accept,0.5", "r-1,epoll-et,accept,0.5", 3, "column mode is not that"),
        ("r-1,poll,accept,0.5", "r-1,poll,read,0.5", 3, "column workload is not that"),
        (",0.5,", ",0,", 3, "column quantile does not rise"), (",0.5,", ",1.5,", 3, "column quantile is out of range"),
        (",0.5,", ",half,", 3, "column quantile is not a number"),
        (",200,50", ",99,50", 3, "column latency_ns falls"), (",300,100", ",300,49", 4, "column count falls"),
        (",300,100", ",300,1e2", 4, "column count is not a whole number"),
        (",1,300,100\n", ",0.9,300,100\n", 4, "column quantile is not 1 in the last line"),
        ("r-2,poll,accept,0,", "r-2,poll,accept,0.1,", 5, "column quantile is not 0 in the first line"),
        (
            "r-2,poll,accept,0,100,1\n", "r-2,poll,accept,0,100,1\nr-1,poll,accept,1,300,100\n", 5,
            "is not 1 in the last"
        ),
        ("r-2,poll,accept,1,100,1\n", "r-2,poll,accept,1,100,1\nr-1,poll,accept,0,1,1\n", 7, "stands apart"),
        ("run_id,mode", "mode,run_id", 1, "where column run_id belongs"),
        (",100,1\n", ",100\n", 5, "5 fields where the header has 6"),
        ("r-2,poll,accept,1,100,1\n", "r-2,poll,accept,1,100,1", 6, "cut off"),
    ]

    @Test(arguments: percentileBreaks)
    func percentilesAreChecked(_ old: String, _ new: String, _ line: Int, _ says: String) throws {
        let runs = try PercentileRows.read(Array(Self.percentiles.utf8), file: "p")
        #expect(runs.map(\.samples) == [100, 1] && runs.map(\.longest) == [300, 100] && runs.map(\.line) == [2, 5])
        let range = try #require(
            line == 5 && old.hasPrefix(",100")
                ? Self.percentiles.ranges(of: old)[1] : Self.percentiles.firstRange(of: old))
        let text = Self.percentiles[..<range.lowerBound] + new + Self.percentiles[range.upperBound...]
        let error = try #require(refusal { _ = try PercentileRows.read(Array(text.utf8), file: "p") })
        #expect(error.line == line && error.message.contains(says), "\(error)")
    }

    @Test func whatIsWrittenOfARunIsRead() throws {
        let histogram = Samples.histogram((0..<5_000).map { UInt64($0 * 977 % 3_000_000) })
        let text =
            PercentileRows.csvHeader
            + PercentileRows.csv(runId: "a", mode: "poll", workload: "read", histogram: histogram)
        let run = try #require(try PercentileRows.read(Array(text.utf8), file: "p").first)
        #expect(run.samples == 5_000 && run.longest == histogram.maxRecorded)
    }

    @Test func claimsAreChecked() throws {
        let good = ClaimRecord.csvHeader + "a,s,x,holds,n=1,,1.5\nb,s,x,depends,,,0\n"
        func read(_ text: String) -> CSVError? {
            refusal { _ = try ClaimRecord.read(Array(text.utf8), file: "c", verdicts: ["holds", "depends"]) }
        }
        #expect(read(good) == nil)
        let cases = [
            ("holds", "held", 2, "column verdict is not one of holds, depends"),
            ("1.5", "nan", 2, "column duration_ms"),
            ("b,s", "a,s", 3, "column claim is that of line 2 too"), ("b,s", ",s", 3, "column claim is empty"),
            ("claim,statement", "statement,claim", 1, "where column claim belongs"),
        ]
        for (old, new, line, says) in cases {
            let error = try #require(read(good.replacing(old, with: new)))
            #expect(error.line == line && error.message.contains(says), "\(error)")
        }
    }

    private struct Document: Decodable {
        struct Machine: Decodable { var processors: Int }
        var seed: UInt64
        var arguments: [String]
        var gitCommit: String
        var share: Double?
        var machine: Machine
    }

    private static let document = """
        {
          "seed" : 7,
          "arguments" : ["run", "--mode"],
          "git_commit" : "0123",
          "share" : 0.5,
          "machine" : { "processors" : 2 }
        }

        """

    static let jsonBreaks: [(old: String, new: String, line: Int, column: Int, says: String)] = [
        ("\"seed\" : 7,", "", 1, 1, "seed is missing"),
        ("\"processors\"", "\"cpus\"", 6, 15, "machine.processors is missing"),
        (": 7", ": -7", 2, 12, "seed is not"), (": 7", ": \"7\"", 2, 12, "seed is not a whole number"),
        (": 7", ": null", 2, 12, "seed is null"), (": 7", ": nan", 2, 12, "\"nan\" is no value of JSON"),
        (": 7", ": 07", 2, 12, "no value of JSON"), (": 7", ": +7", 2, 12, "no value of JSON"),
        (": 7", ": 99999999999999999999", 2, 12, "seed is"), (": 0.5", ": 1e999", 5, 13, "share is"),
        (": 2 }", ": -2.5 }", 6, 32, "machine.processors is not"),
        ("\"--mode\"", "3", 3, 25, "arguments.1 is not text"),
        ("[\"run\", \"--mode\"]", "\"run\"", 3, 17, "arguments is not a list"),
        ("{ \"processors\" : 2 }", "[]", 6, 15, "machine is not an object"),
        ("\"share\"", "\"seed\"", 5, 3, "key \"seed\" appears twice"),
        ("0.5,", "0.5", 6, 3, "a comma or } belongs here"),
        ("2 }\n}", "2 }", 7, 1, "cut off"), ("\"0123\"", "\"01\n23\"", 4, 21, "a control character"),
        ("\"0123\"", "\"\\x\"", 4, 21, "an escape that JSON does not have"),
        ("}\n}\n", "}\n} x", 7, 3, "text after the end"),
        ("\"0123\"", "0123\"", 4, 18, "no value of JSON"),
    ]

    @Test(arguments: jsonBreaks)
    func jsonIsRefusedWithItsPlace(_ old: String, _ new: String, _ line: Int, _ column: Int, _ says: String) throws {
        func read(_ text: String) -> CSVError? {
            refusal { _ = try JSONText(Array(text.utf8), file: "run.json").decode(Document.self) }
        }
        #expect(read(Self.document) == nil)
        let text = Self.document.replacing(old, with: new, maxReplacements: 1)
        #expect(text != Self.document)
        let error = try #require(read(text))
        #expect(error.line == line && error.message.contains(says), "\(error)")
        #expect(error.column == column, "\(error)")
    }

    @Test func aMessageStaysALineThatCanBeRead() {
        let error = CSVError(
            file: "x", line: 1, column: 1, message: "of run " + String(repeating: "é", count: 5_000))
        #expect(error.message.hasPrefix("of run éé") && error.message.utf8.count < 900)
    }

    @Test func jsonThatWouldExhaustTheStackIsRefused() {
        let nested = Array(repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(refusal { _ = try JSONText(nested, file: "x") }?.message.contains("nested deeper") == true)
        #expect(refusal { _ = try JSONText([0x7b, 0x0a, 0xff], file: "x") }?.line == 2)
        #expect(refusal { _ = try JSONText([], file: "x") }?.message == "the file is empty")
    }

    @Test func noiseFloorsAreChecked() throws {
        let good = """
            {"machine_id": "m1", "kernel": "6.18", "measured_at": "2026-01-31T12:00:00Z", "git_commit": "c", "confidence": 0.95,
             "entries": [{"workload": "accept", "mode": "poll", "metric": "syscalls_per_op", "floor": 0.03, "blocks": 20}]}
            """
        func read(_ text: String) -> CSVError? {
            refusal { _ = try NoiseFloor.read(Array(text.utf8), file: "noise-floor.json") }
        }
        #expect(read(good) == nil)
        let cases = [
            ("0.03", "-0.03", "entries.0.floor is negative"),
            ("syscalls_per_op", "speed", "entries.0.metric is no metric"),
            ("0.95", "1.5", "confidence is not between"), ("12:00:00Z", "12:00", "measured_at is not a time"),
            (": 20", ": 0", "entries.0.blocks is not above 0"), ("\"kernel\"", "\"colonel\"", "kernel is missing"),
        ]
        for (old, new, says) in cases {
            let error = try #require(read(good.replacing(old, with: new)))
            #expect(error.message.contains(says), "\(error)")
        }
    }

    @Test func aHistogramMayNotTakeAllMemory() throws {
        // Forty bytes of header that ask for 48 MB of counters.
        var bytes = HistogramEncoding.encode(Samples.histogram([1]))
        bytes[30] = 5
        bytes[39] = 0x3f
        let error = #expect(throws: HistogramDecodingError.self) { try HistogramEncoding.decode(bytes) }
        #expect(error != nil)
    }

    @Test func aLogOfAnotherVersionOrCutOffIsRefused() {
        let line = HistogramLog.line(
            .init(tag: "poll", startSeconds: 0, lengthSeconds: 1, histogram: Samples.histogram([1_000_000])))
        let header = HistogramLog.header(startSeconds: 1, date: "x")
        func read(_ text: String) -> CSVError? { refusal { _ = try HistogramLog.read(Array(text.utf8), file: "l") } }
        #expect(read(header + line) == nil)
        #expect(read(header.replacing("1.3", with: "1.2") + line)?.line == 1)
        #expect(read(header + line.dropLast())?.message.contains("cut off") == true)
        #expect(read(header + line.replacing(",1.000,", with: ",nan,"))?.column == 16)
        #expect(read(header + line.replacing(",1.00", with: ",9.00"))?.line == 5)
        #expect(read(header + line.replacing("\n", with: "\r\n"))?.message.contains("not base64") == true)
    }
}
