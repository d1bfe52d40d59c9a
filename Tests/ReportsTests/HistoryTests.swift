import RecordSamples
import Foundation
import Records
import Reports
import Testing

@Suite struct HistoryTests {
    /// Stored runs of two modes; `epoll-et` gets dearer from the 16th on.
    static func stored(_ count: Int = 30) -> [StoredRuns] {
        (0..<count).map { index in
            let time = "2026-01-\(10 + index / 10)T\(10 + index % 10):00:00Z"
            let records = ["epoll-et", "poll"].flatMap { mode in
                (1...3).map { round in
                    Samples.record(mode, round: round) {
                        $0.startedAt = time
                        $0.gitCommit = "c\(index)"
                        let step = mode == "epoll-et" && index >= 15 ? 1_000.0 : 0
                        $0.serverCpuNsPerOp = 5_000 + step + Double((index * 37 + round * 11) % 41)
                    }
                }
            }
            return StoredRuns(name: "run\(index)", records: records)
        }
    }

    @Test func theCommitThatChangedAMetricIsNamed() throws {
        let history = try History(Self.stored().reversed())
        #expect(history.points.map(\.gitCommit).prefix(3) == ["c0", "c1", "c2"])
        let trend = try #require(
            history.trends.first { $0.metric == "server_cpu_ns_per_op" && $0.arm["mode"] == "epoll-et" })
        let change = try #require(trend.changes.first)
        #expect(trend.changes.count == 1 && change.index == 15 && change.gitCommit == "c15")
        #expect(abs(change.after - change.before - 1_000) < 30)
        #expect(history.trends.filter { $0.arm["mode"] == "poll" }.allSatisfy { $0.changes.isEmpty })
        let table = history.table(width: 80, styled: false)
        #expect(table.contains("epoll-et: server_cpu_ns_per_op worse between c14 and c15"))
        #expect(table.contains("▁") && table.contains("█"))
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func missingArmsLeaveGaps() throws {
        var stored = Self.stored(8)
        stored[3].records.removeAll { $0.mode == "poll" }
        let history = try History(stored, metrics: ["server_cpu_ns_per_op"])
        let trend = try #require(history.trends.first { $0.arm["mode"] == "poll" })
        #expect(trend.values.count == 8 && trend.values[3] == nil)
        #expect(history.otavaCSV().split(separator: "\n")[4].hasSuffix(","))
        #expect(try History([]).table(width: 80, styled: false) == "No stored runs.\n")
        #expect(throws: ComparisonError.unknownMetric("x")) { try History([], metrics: ["x"]) }
    }

    @Test func eachMachineHasAHistoryOfItsOwn() throws {
        var stored = Self.stored(5)
        // The newest and one before it.
        for index in [1, 4] {
            for row in stored[index].records.indices { stored[index].records[row].machineId = "m2" }
        }
        let histories = try History.ofMachines(in: stored)
        #expect(histories.map(\.machineId) == ["m1", "m2"])
        #expect(histories.map { $0.points.map(\.gitCommit) } == [["c0", "c2", "c3"], ["c1", "c4"]])
        #expect(histories[0].table(width: 80, styled: false).contains("3 stored runs of m1, "))
        #expect(throws: ComparisonError.differentMachines(base: "m1", new: "m2")) { try History(stored) }
    }

    @Test func baseNewestAndChangeAreShown() throws {
        let stored = (0..<3).map { index in
            let record = Samples.record("epoll-et") {
                $0.startedAt = "2026-01-1\(index)T00:00:00Z"
                $0.serverCpuNsPerOp = 5_000 + 500 * Double(index)
                $0.syscallsPerOp = 4 - Double(index) / 2
                $0.throughputOpsPerS = 100_000 + 500 * Double(index)
            }
            return StoredRuns(name: "r\(index)", records: [record])
        }
        let names = ["server_cpu_ns_per_op", "syscalls_per_op", "throughput_ops_per_s"]
        let lines = try History(stored, metrics: names).table(width: 80, styled: false)
            .split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        #expect(lines[0] == "metric base newest change trend")
        #expect(lines[2] == "server_cpu_ns_per_op 5.00 µs 6.00 µs +20.0 % ▁▅█")
        #expect(lines[3] == "syscalls_per_op 4.00 3.00 -25.0 % █▅▁")
        // A series within two per cent is level.
        #expect(lines[4] == "throughput_ops_per_s 100k 101k +1.0 % ▅▅▅")
    }

    @Test(arguments: [40, 80, 200]) func theTableFitsItsTerminal(_ width: Int) throws {
        let table = try History(Self.stored()).table(width: width, styled: false)
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= width })
        #expect(table.contains("newest") && table.contains("+20"))
    }

    @Test func aChangeBelowTheMinimumEffectIsNone() throws {
        var stored = Self.stored()
        for index in stored.indices {
            for row in stored[index].records.indices {
                stored[index].records[row].serverCpuNsPerOp = 5_000 + (index >= 15 ? 50 : 0) + Double(index * 7 % 5)
            }
        }
        #expect(try History(stored).trends.allSatisfy { $0.changes.isEmpty })
    }

    @Test func noiseInManyTrendsMakesNoChangePoint() throws {
        var generator = TestGenerator(state: 1)
        var stored = Self.stored()
        for index in stored.indices {
            stored[index].records = (1...40).map { workers in
                Samples.record(workers: workers) {
                    ($0.startedAt, $0.gitCommit) = (stored[index].records[0].startedAt, "c\(index)")
                    $0.serverCpuNsPerOp = 5_000 + Double(generator.next() >> 54)
                }
            }
        }
        let trends = try History(stored, metrics: ["server_cpu_ns_per_op"]).trends
        #expect(trends.count == 40 && trends.allSatisfy { $0.changes.isEmpty })
    }

    @Test func workloadsOfOneCommitAreOnePoint() throws {
        let stored = Self.stored(8).flatMap { runs in
            let read = runs.records.map { record in
                var record = record
                record.workload = "read"
                record.startedAt = record.startedAt.replacing(":00Z", with: ":30Z")
                return record
            }
            return [runs, StoredRuns(name: runs.name + "-read", records: read)]
        }
        let history = try History(stored, metrics: ["server_cpu_ns_per_op"])
        #expect(history.points.count == 8 && history.trends.count == 4 && history.trendsWithGaps == 0)
        #expect(history.otavaConfiguration(test: "bench", csvPath: "h.csv").contains("read/poll/server_cpu_ns_per_op"))
    }

    @Test func debugBuildsAreLeftOut() throws {
        var stored = Self.stored(5)
        for index in stored[1].records.indices { stored[1].records[index].build = "debug" }
        let history = try History(stored)
        #expect(history.points.map(\.gitCommit) == ["c0", "c2", "c3", "c4"] && history.otherBuilds == 6)
        #expect(history.table(width: 80, styled: false).contains("Left out: 6 rows of debug builds."))
    }

    @Test func theWideCSVHasAColumnPerTrend() throws {
        let lines = try History(Self.stored(4), metrics: ["server_cpu_ns_per_op"]).otavaCSV().split(separator: "\n")
        #expect(lines[0] == "time,commit,accept/epoll-et/server_cpu_ns_per_op,accept/poll/server_cpu_ns_per_op")
        #expect(lines.count == 5 && lines[1].hasPrefix("2026-01-10T10:00:00Z,c0,50"))
    }

    @Test(.enabled(if: Python.with("otava") != nil, "needs a python3 with the package apache-otava"))
    func otavaFindsTheSameChange() throws {
        let python = try #require(Python.with("otava"))
        var stored = Self.stored()
        // Otava takes no gaps, so a trend with one must not be asked of it.
        stored[3].records.removeAll { $0.mode == "poll" }
        let history = try History(stored, metrics: ["server_cpu_ns_per_op"])
        #expect(history.trendsWithGaps == 1)
        let report = try Python.withFile(history.otavaCSV()) { csv in
            try Python.withFile(history.otavaConfiguration(test: "bench", csvPath: csv)) { configuration in
                let options = ["--config-file", configuration, "--since", "2026-01-01", "--output", "json"]
                return try Python.run([python, "-m", "otava.main", "analyze", "bench"] + options)
            }
        }
        let tests = try #require(JSONSerialization.jsonObject(with: Data(report.utf8)) as? [String: [[String: Any]]])
        let found = try #require(tests["bench"])
        #expect(found.count == 1 && (found[0]["attributes"] as? [String: String])?["commit"] == "c15")
        let changes = try #require(found[0]["changes"] as? [[String: Any]])
        #expect(changes.compactMap { $0["metric"] as? String } == ["accept/epoll-et/server_cpu_ns_per_op"])
        #expect(changes.compactMap { $0["index"] as? Int } == [15])
    }

    @Test func theHistoryIsInTheOrderOfTime() throws {
        // As texts these stand the other way round.
        let times = ["2026-01-31T23:00:00+05:00", "2026-01-31T20:00:00Z", "2026-01-31T19:00:00-03:00"]
        let stored = times.enumerated().reversed().map { index, time in
            StoredRuns(
                name: "\(index)",
                records: [
                    Samples.record {
                        ($0.startedAt, $0.gitCommit) = (time, "c\(index)")
                    }
                ])
        }
        #expect(try History(stored).points.map(\.name) == ["0", "1", "2"])
    }
}
