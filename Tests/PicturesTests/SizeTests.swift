import Foundation
import Histogram
import TestSupport
import Testing

@testable import Pictures
@testable import Records

/// A report is mailed: what it may weigh.
@Suite struct SizeTests {
    private static let modes = (1...13).map { "mode-\($0)" }

    /// As deep as a second's run of the accept workload: 100 000 latencies.
    private static func interval(_ record: RunRecord) -> HistogramLog.Interval {
        var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000)
        for step in 0..<UInt64(1000) { histogram.record(10_000 + step * step * 3 + UInt64(record.round), count: 100) }
        return HistogramLog.Interval(
            tag: HistogramLog.tag(record.mode), startSeconds: 0, lengthSeconds: 1, histogram: histogram)
    }

    private static func folder() throws -> TemporaryFolder {
        let records = (1...3).flatMap { round in
            modes.map { mode in Samples.record(mode, round: round) { $0.latencySamples = 100_000 } }
        }
        let folder = try CommandTests.results(
            PicturedFolder(name: "run", records: records, intervals: records.map(interval), kernel: "6.18.0"))
        // Quantiles as a histogram gives them, which meet 0.99 by chance only.
        let rows = records.flatMap { record in
            (0...127).map { step in
                let quantile = Double(step) / 127
                let count = max(1, Int(quantile * 100_000))
                return "\(record.runId),\(record.mode),accept,\(quantile),\(1000 + step),\(count)\n"
            }
        }
        try folder.write("percentiles.csv", "run_id,mode,workload,quantile,latency_ns,count\n" + rows.joined())
        return folder
    }

    @Test(.enabled(if: isInstalled("gnuplot"))) func aReportOfAllModesIsSmallEnoughToMail() throws {
        let folder = try Self.folder()
        let result = try BenchProcess.outcome(["report", folder.path])
        #expect(result.exit == 0)
        let html = try folder.read("report.html")
        let shown = html.split(separator: "\n").filter { $0.hasPrefix("mode-7-64-2,mode-7,accept,") }
        #expect(shown.map { $0.split(separator: ",")[4] } == ["1000", "1064", "1115", "1126", "1127"])
        print("report of 13 modes in 3 rounds: \(html.utf8.count) bytes")
        #expect(html.utf8.count < 700_000)
    }

    @Test func linesBecomeSteps() {
        #expect(CompactSVG.steps("M250.00,1180.27 L256.98,1155.89\nL263.97,1148.82  ") == "M250,1180.3l7-24.4 7-7.1")
        #expect(CompactSVG.steps("M0.00,0.00 L1.00,1.04 M5.00,5.00 L5.00,4.50") == "M0,0l1,1m4,4 0-.5")
        #expect(CompactSVG.steps("1.00,2.00 3.00,4.00 1.00,2.00 ") == "M1,2l2,2-2-2")
        #expect(CompactSVG.steps("M58.00,711.68 M187.99,711.68  ") == "")
        #expect(CompactSVG.steps("M-1,0 h2 M0,-1 v2") == nil)
        #expect(CompactSVG.steps("M1,2 C1,2,3,4 5,6") == nil)
    }

    @Test func stepsDoNotDriftFromTheirPlaces() {
        let path = "M0.00,0.00 " + (1...100).map { "L\(Double($0) / 25),0.00" }.joined(separator: " ")
        let steps = CompactSVG.steps(path[...]) ?? ""
        let sum = steps.dropFirst(5).split(separator: " ").reduce(0.0) { sum, step in
            sum + (Double(step.split(separator: ",")[0]) ?? .nan)
        }
        #expect(abs(sum - 4) < 0.001)
    }

    @Test func onlyShapesAreShortened() {
        let text = "<g>\n<text>it's d='M1.00,1.00 L2.00,2.00'</text>\n</g>"
        #expect(CompactSVG.text(text) == text)
        #expect(
            CompactSVG.text("<g>\n<polygon fill = 'red' points = '1.00,2.00 3.00,4.00 '/>\n</g>")
                == "<g>\n<path fill = 'red' d='M1,2l2,2z'/>\n</g>")
        #expect(
            CompactSVG.text("<g>\n<path d='M1.00,2.00 M3.00,2.00 '/>\n<path d='M0,0 h2'/>\n</g>")
                == "<g>\n<path d='M0,0 h2'/>\n</g>")
    }
}
