import RecordSamples
import Foundation
import Histogram
import Testing

@testable import Records

@Suite struct HistogramLogTests {
    private static func random(_ count: Int, _ seed: UInt64, below limit: UInt64 = 50_000_000_000) -> Histogram<UInt64>
    {
        var generator = TestGenerator(state: seed)
        return Samples.histogram((0..<count).map { _ in UInt64.random(in: 0..<limit, using: &generator) })
    }

    private static let histograms: [Histogram<UInt64>] = {
        var coarse = Histogram<UInt64>(
            lowestDiscernibleValue: 1_000, highestTrackableValue: 10_000_000_000, numberOfSignificantValueDigits: .two)
        for value in stride(from: UInt64(0), to: 9_000_000_000, by: 17_000_001) {
            coarse.record(value, count: value / 1_000 + 1)
        }
        var growing = Histogram<UInt64>(numberOfSignificantValueDigits: .zero)
        growing.record(1 << 62)
        // Its counters need more than one deflate block.
        var fine = Histogram<UInt64>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .four)
        var generator = TestGenerator(state: 9)
        for _ in 0..<150_000 { fine.record(UInt64.random(in: 0..<50_000_000_000, using: &generator)) }
        growing.record(3, count: 1 << 33)
        return [
            Samples.histogram([]), Samples.histogram([0]), Samples.histogram([1, 3, 2_048, 2_050, 60_000_000_000]),
            random(200_000, 1), random(1_000, 2, below: 4_000), coarse, growing, fine,
        ]
    }()

    @Test(arguments: 0..<8) func whatIsWrittenReadsBack(index: Int) throws {
        let histogram = Self.histograms[index]
        let decoded = try HistogramEncoding.decode(HistogramEncoding.encode(histogram))
        #expect(Array(decoded.recordedValues()) == Array(histogram.recordedValues()))
        #expect(decoded.min == histogram.lowestEquivalentForValue(histogram.min))
        #expect(decoded.max == histogram.max)
        #expect(decoded.totalCount == histogram.totalCount)
        #expect(decoded.numberOfSignificantValueDigits == histogram.numberOfSignificantValueDigits)
    }

    /// The bytes were worked out by hand from the format's description.
    @Test func theEncodingIsByteForByteTheFormats() {
        var histogram = Histogram<UInt64>(highestTrackableValue: 3_600_000_000)
        for value: UInt64 in [1, 3, 3, 10] { histogram.record(value) }
        let payload: [UInt8] =
            [0x1c, 0x84, 0x93, 0x13, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 3]
            + [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xd6, 0x93, 0xa4, 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]
            // one zero, 1, one zero, 2, six zeros, 1
            + [0, 2, 0, 4, 11, 2]
        let stream: [UInt8] = [0x78, 0x01, 1, 46, 0, 0xd1, 0xff] + payload
        let bytes = HistogramEncoding.encode(histogram)
        #expect(Array(bytes.prefix(8)) == [0x1c, 0x84, 0x93, 0x14, 0, 0, 0, UInt8(stream.count + 4)])
        #expect(Array(bytes.dropFirst(8).dropLast(4)) == stream)
    }

    private static let encodedIntegers: [(Int64, [UInt8])] = [
        (0, [0]), (1, [2]), (-1, [1]), (63, [126]), (64, [0x80, 1]), (-8_192, [0xff, 0x7f]),
        (1 << 55, Array(repeating: 0x80, count: 8) + [1]), (.max, [0xfe] + Array(repeating: 0xff, count: 8)),
        (.min, Array(repeating: 0xff, count: 9)),
    ]

    /// Bytes worked out by hand: ZigZag doubles, negative numbers are odd, and the ninth byte has no continuation bit.
    @Test(arguments: HistogramLogTests.encodedIntegers)
    func variableLengthIntegers(value: Int64, encoded: [UInt8]) {
        var bytes: [UInt8] = []
        ZigZagLEB128.append(value, to: &bytes)
        #expect(bytes == encoded)
        var rest = (encoded + [7])[...]
        #expect(ZigZagLEB128.take(from: &rest) == value && Array(rest) == [7])
        var cut = encoded.dropLast()
        #expect(ZigZagLEB128.take(from: &cut) == nil)
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 200_000])
    func longContentIsSplitIntoBlocks(length: Int) throws {
        let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let stream = StoredZlib.encode(content)
        let blocks = max(1, (length + 65_534) / 65_535)
        #expect(stream.count == 2 + 5 * blocks + length + 4)
        #expect(try StoredZlib.decode(stream[...]) == content)
    }

    @Test func theChecksumIsAdler32() {
        #expect(StoredZlib.adler32(Array("Wikipedia".utf8)) == 0x11e6_0398)
    }

    @Test func theLinesAreThoseOfTheLogFormat() throws {
        let header = HistogramLog.header(startSeconds: 1_769_860_800.25, date: "2026-01-31T12:00:00Z")
        #expect(
            header == """
                #[Histogram log format version 1.3]
                #[StartTime: 1769860800.250 (seconds since epoch), 2026-01-31T12:00:00Z]
                #[BaseTime: 1769860800.250 (seconds since epoch)]
                "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"

                """)
        let histogram = Samples.histogram([1_000, 2_500_000])
        let line = HistogramLog.line(.init(tag: "epoll-et", startSeconds: 0.5, lengthSeconds: 1, histogram: histogram))
        #expect(line.hasPrefix("Tag=epoll-et,0.500,1.000,2.501,HISTFAA"))
        let intervals = try HistogramLog.read(Array((header + line + line).utf8), file: "latency.hlog")
        #expect(intervals.map(\.tag) == ["epoll-et", "epoll-et"])
        #expect(intervals[1].startSeconds == 0.5 && intervals[1].lengthSeconds == 1)
        #expect(intervals[1].histogram.totalCount == 2)
    }

    @Test(.enabled(if: Python.with("hdrh") != nil, "needs a python3 with the package hdrhistogram"))
    func anotherImplementationReadsTheSame() throws {
        let python = try #require(Python.with("hdrh"))
        // Python's histograms have at least one significant digit and stop at an empty one.
        let histograms = Self.histograms.filter { $0.totalCount > 0 && $0.numberOfSignificantValueDigits != .zero }
        let log =
            HistogramLog.header(startSeconds: 1, date: "x")
            + histograms.enumerated().map { index, histogram in
                HistogramLog.line(.init(tag: "mode-\(index)", startSeconds: 0, lengthSeconds: 1, histogram: histogram))
            }.joined()
        let script = Python.scripts.appending(path: "check_hlog.py").path()
        let output = try Python.withFile(log) { try Python.run([python, script, $0]) }
        let expected = histograms.enumerated().map { index, histogram in
            let percentiles = [50, 90, 99, 99.9].map {
                String(histogram.highestEquivalentForValue(histogram.valueAtPercentile($0)))
            }
            let counters = histogram.recordedValues().map { "\($0.value):\($0.count)" }
            return (["mode-\(index)", String(histogram.totalCount)] + percentiles + counters).joined(separator: " ")
        }
        let lines = output.split(separator: "\n").map(String.init)
        #expect(lines.count == expected.count)
        for (line, wanted) in zip(lines, expected) { #expect(line == wanted) }
    }

    @Test func brokenLogsAreRefusedWithTheirLine() throws {
        let line = HistogramLog.line(
            .init(tag: "poll", startSeconds: 0, lengthSeconds: 1, histogram: Samples.histogram([1])))
        // What the Python implementation writes for one sample.
        let deflated = "HISTFAAAACJ4nJNpmSzMwMDAxAABzFCaEURcm7yEwf4DRICTCQBaQgSU"
        let cases = [
            ("Tag=poll,0,1", "no line of the form"), ("Tag=poll,0,1,1,???", "not base64"),
            (String(line.dropLast(9)), "a length that is not that of its content"),
            ("Tag=poll,0,1,1,AAAA", "no V2 compressed cookie"),
            ("Tag=poll,0,1,1,\(deflated)", "a compressed deflate block"),
        ]
        for (text, message) in cases {
            let error = #expect(throws: CSVError.self) {
                try HistogramLog.read(Array("#[Histogram log format version 1.3]\n\(text)\n".utf8), file: "l.hlog")
            }
            #expect(error?.line == 2 && error?.description.contains(message) == true, "\(String(describing: error))")
        }
    }

    @Test func mutatedHistogramsNeverCrash() {
        var generator = TestGenerator(state: 3)
        let good = HistogramEncoding.encode(Self.random(300, 4, below: 100_000))
        for _ in 0..<1_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            repairChecksum(&bytes)
            if let histogram = try? HistogramEncoding.decode(bytes) { _ = LatencySummary(histogram) }
        }
    }

    /// Makes lengths and checksum right again, so that mutations reach what lies behind them.
    private func repairChecksum(_ bytes: inout [UInt8]) {
        guard bytes.count > 70 else { return }
        let payload = bytes[15..<(bytes.count - 4)]
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in payload {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        let (length, sum) = (UInt16(payload.count), b << 16 | a)
        func big(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        bytes.replaceSubrange(0..<8, with: big(0x1c84_9314) + big(UInt32(bytes.count - 8)))
        let block = [1, UInt8(length & 0xff), UInt8(length >> 8), UInt8(~length & 0xff), UInt8(~length >> 8)]
        bytes.replaceSubrange(8..<15, with: [0x78, 0x01] + block)
        bytes.replaceSubrange(15..<23, with: big(0x1c84_9313) + big(UInt32(payload.count - 40)))
        bytes.replaceSubrange((bytes.count - 4)..., with: big(sum))
    }
}
