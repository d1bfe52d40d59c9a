import RecordSamples
import Foundation
import Histogram
import Records
import Reports
import Testing

@Suite struct ExportTests {
    private let rows = ["epoll-et", "epoll-lt"].flatMap { mode in
        (1...6).map { round in
            Samples.record(mode, round: round) { $0.serverCpuNsPerOp = 5_000 + Double(round) }
        }
    }

    private func parsed(_ text: String) throws -> Any { try JSONSerialization.jsonObject(with: Data(text.utf8)) }

    @Test func bencher() throws {
        let benchmarks = try #require(parsed(bencherMetricFormat(rows)) as? [String: [String: [String: Double]]])
        #expect(benchmarks.keys.sorted() == ["accept/epoll-et", "accept/epoll-lt"])
        let cost = ["value": 5_003.5, "lower_value": 5_001, "upper_value": 5_006]
        #expect(benchmarks["accept/epoll-et"]?["server_cpu_ns_per_op"] == cost)
    }

    @Test func gitHubActionBenchmarkHasOneDirectionPerFile() throws {
        let smaller = try #require(parsed(githubActionBenchmark(rows, direction: .lower)) as? [[String: Any]])
        let bigger = try #require(parsed(githubActionBenchmark(rows, direction: .higher)) as? [[String: Any]])
        let names = smaller.compactMap { $0["name"] as? String }
        #expect(names.contains("accept/epoll-et server_cpu_ns_per_op") && names.count == smaller.count)
        #expect(smaller.allSatisfy { $0["unit"] is String && $0["value"] is Double })
        #expect(bigger.contains { $0["name"] as? String == "accept/epoll-lt throughput_ops_per_s" })
        #expect(Set(names).isDisjoint(with: bigger.compactMap { $0["name"] as? String }))
    }

    @Test func benchstatGetsALinePerRun() {
        var rows = rows
        rows[0].mode = "odd name/x"
        let lines = goBenchmarkFormat(rows).split(separator: "\n")
        let results = lines.filter { $0.hasPrefix("Benchmark") }
        #expect(results.count == 12)
        #expect(results[0].hasPrefix("BenchmarkAccept/odd_name"))
        for line in results {
            let fields = line.split(separator: " ")
            // A name, the iterations, then pairs of value and unit.
            #expect(fields.count % 2 == 0 && Int(fields[1]) == 118_000)
            for index in stride(from: 2, to: fields.count, by: 2) {
                #expect(Double(fields[index]) != nil && Double(fields[index + 1]) == nil)
            }
        }
        #expect(results[1].contains(" 5002 server_cpu-ns/op"))
        #expect(lines.contains("Unit throughput-op/s better=higher") && lines.contains("Unit syscalls/op better=lower"))
    }

    @Test func jmh() throws {
        let results = try #require(parsed(jmhJSON(rows)) as? [[String: Any]])
        #expect(results.count == 2)
        let first = try #require(results.first)
        #expect(first["benchmark"] as? String == "linux_events.accept.epoll-et" && first["mode"] as? String == "thrpt")
        for key in ["threads", "forks", "warmupIterations", "measurementIterations"] { #expect(first[key] is Int) }
        for key in ["jvm", "jdkVersion", "vmName", "vmVersion"] { #expect(first[key] is String) }
        let primary = try #require(first["primaryMetric"] as? [String: Any])
        #expect(primary["score"] as? Double == 118_000 && primary["scoreUnit"] as? String == "ops/s")
        #expect((primary["rawData"] as? [[Double]])?.count == 6)
        let secondary = try #require(first["secondaryMetrics"] as? [String: [String: Any]])
        #expect(secondary["server_cpu_ns_per_op"]?["scoreConfidence"] as? [Double] == [5_001, 5_006])
    }

    @Test func unusableRunsAreNotExported() throws {
        var failed = rows
        for index in failed.indices { failed[index].status = .failed }
        #expect(try #require(parsed(jmhJSON(failed)) as? [Any]).isEmpty)
        #expect(!goBenchmarkFormat(failed).contains("Benchmark"))
        #expect(ExportFormat.allCases.map(\.rawValue).contains("github-action-benchmark"))
    }

    @Test func hgrmCountsBeyond32Bits() throws {
        var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000)
        histogram.record(2_000_000, count: 5_000_000_000)
        histogram.record(9_000_000)
        let lines = hgrm(histogram).split(separator: "\n")
        #expect(lines[0] == "       Value     Percentile TotalCount 1/(1-Percentile)")
        #expect(lines[1] == "       2.001 0.000000000000 5000000000           1.00")
        #expect(lines.contains { $0.hasPrefix("       9.003 1.000000000000 5000000001") })
        #expect(lines.last == "#[Buckets =           26, SubBuckets     =         2048]")
    }

    @Test(.enabled(if: Python.with("hdrh") != nil, "needs a python3 with the package hdrhistogram"))
    func hgrmHoldsTheCountsOfAnotherImplementation() throws {
        let python = try #require(Python.with("hdrh"))
        var generator = TestGenerator(state: 2)
        let histogram = Samples.histogram(
            (0..<50_000).map { _ in UInt64.random(in: 0..<80_000_000, using: &generator) })
        let log = HistogramLog.line(.init(tag: "m", startSeconds: 0, lengthSeconds: 1, histogram: histogram))
        let script = Python.scripts.appending(path: "check_hlog.py").path()
        let fields = try Python.withFile(log) { try Python.run([python, script, $0]) }.split(
            whereSeparator: \.isWhitespace)
        var values: [UInt64: Double] = [:]
        var total: UInt64 = 0
        // After tag, total and four percentiles: highest value and count of every counter.
        for counter in fields.dropFirst(6).map({ $0.split(separator: ":").compactMap { UInt64($0) } }) {
            total += counter[1]
            values[total] = Double(counter[0]) / 1_000_000
        }
        let rows = hgrm(histogram).split(separator: "\n").dropFirst().filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ").compactMap { Double($0) } }
        #expect(rows.count > 50 && total == 50_000)
        for row in rows {
            let value = try #require(values[UInt64(row[2])], "\(row)")
            #expect(abs(value - row[0]) < 0.000_51 && row[2] / 50_000 >= row[1] - 1e-12, "\(row) \(value)")
        }
    }
}
