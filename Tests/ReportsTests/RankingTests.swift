import RecordSamples
import Testing

import Records
@testable import Reports

/// The order of a table, and who is marked as equal.
@Suite struct RankingTests {
    /// Rounds that lie up to 1 % around `cost`.
    private func rounds(
        _ mode: String, cost: Double = 5_000, count: Int = 7, edit: (inout RunRecord) -> Void = { _ in }
    ) -> [RunRecord] {
        (0..<count).map { round in
            Samples.record(mode, round: round + 1) {
                $0.serverCpuNsPerOp = cost * (1 + 0.01 * (Double(round) / Double(max(count - 1, 1)) * 2 - 1))
                edit(&$0)
            }
        }
    }

    private func table(_ rows: [RunRecord], width: Int = 200) -> String {
        summaryTable(for: rows, width: width, styled: false)
    }

    /// The words of the lines that begin with a mode, in their order.
    private func words(_ table: String, _ count: Int = 2) -> [[String]] {
        table.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).prefix(count).map(String.init) }
            .filter { $0.first?.hasPrefix("m-") == true && $0.first?.hasSuffix(":") == false }
    }

    @Test func theCheapestStandsFirstAndEqualsShareANumber() {
        let rows =
            rounds("m-d", cost: 6_005) + rounds("m-a") + rounds("m-c", cost: 6_000) + rounds("m-b", cost: 5_010)
            + rounds("m-e", cost: 9_000)
        let text = table(rows)
        #expect(words(text) == [["m-a", "1"], ["m-b", "1"], ["m-c", "3"], ["m-d", "3"], ["m-e", "5"]])
        #expect(
            text.contains("Least server CPU first; those with the same # cannot be told apart from the first of them."))
        // Each is told apart from the first of its group, and not from a neighbour.
        let chain = (0..<4).flatMap { rounds("m-\($0)", cost: 5_000 + 60 * Double($0)) }
        let places = Ranking(ArmRuns.group(chain)).order.map { $0.place ?? 0 }
        #expect(places.first == 1 && places.last != 1)
    }

    @Test func whatTheTableSaysAndTheAnswerSayIsTheSame() throws {
        let rows = rounds("m-a") + rounds("m-b", cost: 5_010) + rounds("m-c", cost: 6_000)
        let answer = try #require(findings(for: rows).first)
        #expect(answer.hasPrefix("Accept: m-a and m-b cost the server least,"))
        #expect(answer.contains("cannot be told apart; m-c follows with 6.00 µs"))
        #expect(words(table(rows)) == [["m-a", "1"], ["m-b", "1"], ["m-c", "3"]])
    }

    @Test func fewRoundsAreMarkedByTheirRangesAndSaidToBeFew() {
        let rows = rounds("m-b", cost: 5_050, count: 3) + rounds("m-a", count: 3) + rounds("m-c", cost: 6_000, count: 3)
        let text = table(rows)
        #expect(words(text) == [["m-a", "1"], ["m-b", "1"], ["m-c", "3"]])
        #expect(text.contains("those with the same # overlap with the first of them; 3 rounds rank none for certain."))
    }

    @Test func aSingleRoundIsSortedAndNotNumbered() {
        let text = table(rounds("m-b", cost: 6_000, count: 1) + rounds("m-a", count: 1))
        #expect(words(text, 1) == [["m-a"], ["m-b"]])
        #expect(!text.contains("#") && text.contains("Least server CPU first.\n"))
    }

    @Test func eachConditionIsRankedByItself() {
        let rows = [8, 64].flatMap { connections in
            ["m-a", "m-b"].flatMap { mode in
                rounds(mode, cost: (mode == "m-a") == (connections == 8) ? 5_000 : 7_000) {
                    $0.connections = connections
                }
            }
        }
        #expect(
            words(table(rows), 3) == [["m-a", "8", "1"], ["m-b", "8", "2"], ["m-b", "64", "1"], ["m-a", "64", "2"]])
        let sections = table(rows, width: 60)
        #expect(sections.contains("8 connections\nm-a") && sections.contains("64 connections\nm-b"))
        #expect(words(sections) == [["m-a", "1"], ["m-b", "2"], ["m-b", "1"], ["m-a", "2"]])
        // Nobody to compare with.
        let alone = table(rows.filter { $0.mode == "m-a" })
        #expect(!alone.contains("#") && !alone.contains("first"))
    }

    @Test func whatDoesNotCompareComesLastAndHasNoNumber() {
        let saturated = rounds("m-a", cost: 1_000) {
            ($0.ratePerS, $0.offeredOpsPerS, $0.throughputOpsPerS, $0.saturated) = (70_000, 70_000, 40_000, "yes")
        }
        let kept = ["m-b", "m-c"].flatMap { mode in
            rounds(mode, cost: mode == "m-b" ? 9_000 : 5_000) {
                ($0.ratePerS, $0.offeredOpsPerS, $0.throughputOpsPerS, $0.saturated) = (70_000, 70_000, 69_900, "no")
            }
        }
        let text = table(saturated + kept)
        #expect(words(text) == [["m-c", "1"], ["m-b", "2"], ["m-a", "–"]])
        #expect(text.contains("Not ranked: m-a (did not keep the rate)."))
        let slow = rounds("m-a", cost: 1_000) { $0.throughputOpsPerS = 64 }
        let failed = rounds("m-d", cost: 1) { ($0.status, $0.reason) = (.failed, "ended") }
        let late = table(failed + slow + rounds("m-b", cost: 9_000) + rounds("m-c"))
        #expect(words(late) == [["m-c", "1"], ["m-b", "2"], ["m-a", "–"], ["m-d", "failed:"]])
        #expect(late.contains("Not ranked: m-a (far slower than most)."))
    }

    @Test func withServiceTimesTheTailDecides() throws {
        func slow(_ mode: String, cost: Double, p999: UInt64?) -> [RunRecord] {
            rounds(mode, cost: cost) {
                ($0.serviceTime, $0.service, $0.latencyMaxNs) = ("exp:1ms", "sleep", 90_000_000)
                $0.latencyP999Ns = p999.map { $0 + UInt64($0 / 100) }
            }
        }
        let rows = slow("m-a", cost: 1_000, p999: 50_000_000) + slow("m-b", cost: 5_000, p999: 20_000_000)
        let text = table(rows)
        #expect(words(text) == [["m-b", "1"], ["m-a", "2"]])
        #expect(titles(rows).prefix(3) == ["p99.9", "max", "CPU"])
        #expect(text.contains("Lowest p99.9 first;"))
        let answer = try #require(findings(for: rows).first)
        #expect(
            answer.hasPrefix("Accept: m-b keeps the 99.9th percentile of latency lowest, at 20.2 ms; m-a follows with"))
        #expect(answer.contains(". m-a costs the server least, 1.00 µs of CPU time"))
        // Where no run has so deep a percentile, the one before it.
        let shallow = slow("m-a", cost: 1_000, p999: nil) + slow("m-b", cost: 5_000, p999: nil)
        #expect(titles(shallow).prefix(3) == ["p99", "max", "CPU"])
        #expect(table(shallow).contains("Lowest p99 first;") && !table(shallow).contains("p99.9"))
        let some = table(slow("m-a", cost: 1_000, p999: nil) + slow("m-b", cost: 5_000, p999: 20_000_000))
        #expect(words(some, 1) == [["m-b"], ["m-a"]])
    }

    @Test func searchesAreRankedByTheirCapacity() throws {
        func search(_ mode: String, cost: Double, capacity: Double?) -> [RunRecord] {
            rounds(mode, cost: cost) {
                ($0.slo, $0.saturated, $0.offeredOpsPerS, $0.throughputOpsPerS) = ("p99=1ms", "yes", 9_000, 4_000)
                $0.capacityOpsPerS = capacity.map { $0 + Double($0) / 1000 }
            }
        }
        let rows =
            search("m-a", cost: 1_000, capacity: 4_000) + search("m-d", cost: 1, capacity: nil)
            + search("m-b", cost: 5_000, capacity: 8_400) + search("m-c", cost: 5_000, capacity: 0)
        let text = table(rows)
        #expect(words(text) == [["m-b", "1"], ["m-a", "2"], ["m-c", "3"], ["m-d", "–"]])
        #expect(text.contains("Highest capacity first;") && !text.contains("*"))
        let found = try #require(workloadFindings(for: rows).first)
        #expect(
            found.answers == [
                "Accept: m-b holds most, 8.41k connections per second within p99=1ms; m-a follows with 4.00k."
            ])
        #expect(!found.cautions.contains { $0.contains("rate that was offered") })
        let two =
            rows
            + rows.map { row in
                var row = row
                row.slo = "p99=5ms"
                return row
            }
        #expect(
            Array(findings(for: two).prefix(2))
                == ["1", "5"].map {
                    "Accept, within p99=\($0)ms: m-b holds most, 8.41k connections per second; m-a follows with 4.00k."
                })
        let none = search("m-c", cost: 5_000, capacity: 0)
        #expect(findings(for: none).first == "Accept: no rate kept p99=1ms.")
        #expect(
            findings(for: search("m-d", cost: 1, capacity: nil)).first
                == "Accept: no rate within p99=1ms was confirmed.")
    }

    @Test func whereNobodySeesTheServerThroughputDecides() {
        let rows = [("m-a", 40_000.0), ("m-b", 50_000)].flatMap { (mode: String, rate: Double) -> [RunRecord] in
            rounds(mode) { ($0.serverCpuNsPerOp, $0.throughputOpsPerS) = (nil, rate) }
        }
        let text = table(rows)
        #expect(words(text) == [["m-b", "1"], ["m-a", "2"]])
        #expect(text.contains("Highest throughput first;") && !text.contains("CPU"))
    }

    // MARK: Columns

    private func titles(_ rows: [RunRecord]) -> [String] {
        SummaryMetric.shown(noun: "msg", ArmRuns.group(rows)).map(\.title)
    }

    @Test func aColumnThatSaysNothingIsLeftOut() {
        let all = rounds("epoll-lt") { $0.spuriousWakeupsPerOp = 0.1 }
        #expect(titles(all) == ["CPU", "msg/s", "p50", "p99", "calls", "wakeups", "spurious", "fair"])
        #expect(titles(rounds("epoll-lt")) == ["CPU", "msg/s", "p50", "p99", "calls", "wakeups", "fair"])
        let one = rounds("epoll-lt") { ($0.workers, $0.spuriousWakeupsPerOp) = (1, 0.1) }
        #expect(titles(one) == ["CPU", "msg/s", "p50", "p99", "calls", "wakeups"])
        let short = rounds("epoll-lt") { ($0.latencyP99Ns, $0.wakeupsPerOp, $0.workers) = (nil, nil, 1) }
        #expect(titles(short) == ["CPU", "msg/s", "p50", "calls"])
        // A thread for each connection shares nothing.
        let blocking = rounds("blocking") { ($0.workload, $0.workers) = ("read", 64) }
        #expect(!titles(blocking).contains("fair"))
        #expect(titles(blocking + rounds("epoll-lt") { $0.workload = "read" }).contains("fair"))
    }

    @Test func idleConnectionsAreAboutMemory() {
        let idle = rounds("epoll-lt") { ($0.idle, $0.bytesPerConnection, $0.workers) = (900, 4_200, 1) }
        #expect(titles(idle) == ["bytes", "CPU", "msg/s", "p50", "p99", "calls", "wakeups"])
        let none = rounds("epoll-lt") { ($0.idle, $0.bytesPerConnection) = (0, 4_200) }
        #expect(titles(none).first == "CPU")
    }

    @Test func thePercentileToBeShownFollowsTheServiceTime() {
        #expect(Question.deepestPercentile(for: rounds("epoll-lt") { $0.serviceTime = "none" }) == 990_000)
        #expect(Question.deepestPercentile(for: rounds("epoll-lt") { $0.serviceTime = "fixed:1ms" }) == 999_000)
    }
}
