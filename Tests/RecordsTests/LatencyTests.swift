import RecordSamples
import Histogram
import Records
import Testing

@Suite struct LatencyTests {
    @Test func percentilesAreTheOrderStatistics() {
        let summary = LatencySummary(Samples.histogram(1...10_000))
        #expect(summary.min == 1 && summary.max == 10_000 && summary.samples == 10_000)
        for (value, exact) in [
            (summary.p50, 5_000.0), (summary.p90, 9_000), (summary.p99, 9_900), (summary.p999, 9_990),
        ] {
            #expect(abs(Double(value ?? 0) - exact) <= exact / 1_000)
        }
        #expect(abs((summary.mean ?? 0) - 5_000.5) < 5)
    }

    @Test(arguments: [
        (UInt64(0), 0), (19, 0), (20, 1), (99, 1), (100, 2), (999, 2), (1_000, 3), (9_999, 3), (10_000, 4), (12_345, 4),
    ])
    func aPercentileNeedsTenSamplesBeyondIt(samples: UInt64, supported: Int) {
        let summary = LatencySummary(Samples.histogram(0..<samples))
        #expect([summary.p50, summary.p90, summary.p99, summary.p999].compactMap { $0 }.count == supported)
    }

    @Test func agreesWithTheHistogramItself() {
        var generator = TestGenerator(state: 7)
        let histogram = Samples.histogram(
            (0..<20_000).map { _ in UInt64.random(in: 0..<50_000_000, using: &generator) })
        let summary = LatencySummary(histogram)
        #expect(summary.p50 == histogram.valueAtPercentile(50) && summary.p90 == histogram.valueAtPercentile(90))
        #expect(summary.p99 == histogram.valueAtPercentile(99) && summary.p999 == histogram.valueAtPercentile(99.9))
    }

    @Test func emptyAndOneSidedHistograms() {
        let empty = LatencySummary(Samples.histogram([]))
        #expect(empty.min == nil && empty.mean == nil && empty.max == nil && empty.p50 == nil)
        let zeros = LatencySummary(Samples.histogram(repeatElement(0, count: 100)))
        #expect(zeros.min == 0 && zeros.p50 == 0 && zeros.max == 0)
        var record = Samples.record()
        record.setLatency(empty, kind: .fromCall)
        #expect(record.latencyKind == nil && record.latencyP50Ns == nil && record.latencySamples == 0)
    }

    @Test func percentileRowsAscendAndEndWithTheLongest() throws {
        let rows = PercentileRows.csv(
            runId: "r", mode: "poll", workload: "accept", histogram: Samples.histogram(1...1_000))
        let fields = rows.split(separator: "\n").map { $0.split(separator: ",").compactMap { Double($0) } }
        #expect(PercentileRows.csvHeader == "run_id,mode,workload,quantile,latency_ns,count\n")
        #expect(fields.first?.first == 0)
        #expect(try #require(fields.last) == [1, 1_000, 1_000])
        #expect(fields.dropLast().allSatisfy { $0[0] <= 0.99 })
        for (a, b) in zip(fields, fields.dropFirst()) { #expect(a[0] < b[0] && a[1] <= b[1] && a[2] <= b[2]) }
        #expect(PercentileRows.csv(runId: "r", mode: "m", workload: "w", histogram: Samples.histogram([])).isEmpty)
    }
}
