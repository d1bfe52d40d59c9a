import Foundation
import Records
import RecordSamples
import Statistics
import Testing

@testable import Reports

@Suite struct FeatureWorthTests {
    private static let bundle = Feature(name: "with", base: "without", kernel: "6.10", summary: "does something")

    /// Rounds of both modes, whose CPU times are as given for each number of connections.
    private static func rows(
        _ ratios: [Int: [Double]], latency: Double = 1, bytes: Int = 64
    ) -> [RunRecord] {
        ratios.flatMap { connections, values in
            values.enumerated().flatMap { index, ratio in
                [("without", 1.0, 1.0), ("with", ratio, latency)].map { mode, cpu, wait in
                    Samples.record(mode, round: index + 1, workload: "read") {
                        $0.runId = "\(mode)-\(connections)-\(bytes)-\(index)"
                        $0.connections = connections
                        $0.messageSizeBytes = bytes
                        $0.serverCpuNsPerOp = 1_000 * cpu
                        $0.latencyP50Ns = UInt64(10_000 * wait)
                        $0.syscallsPerOp = mode == "with" ? 1 : 2
                    }
                }
            }
        }
    }

    private func worth(_ folders: [RunRecord]...) throws -> FeatureWorth {
        try #require(FeatureWorth.measure([Self.bundle], in: folders).first)
    }

    private static let less = [0.78, 0.8, 0.81, 0.8, 0.79, 0.83]
    private static let same = [0.99, 1, 1.01, 1, 0.995, 1.005]
    private static let more = [1.3, 1.31, 1.29, 1.28, 1.4, 1.3]

    @Test func aRatioIsTheMedianOverRoundsWithItsInterval() throws {
        let cell = try #require(try worth(Self.rows([64: Self.less])).cells.first)
        let cpu = try #require(cell.cpu)
        #expect(abs(cpu.ratio - 0.8) < 1e-3 && cpu.isLess && !cpu.isMore && cell.rounds == 6)
        let interval = try #require(cpu.interval)
        #expect(abs(interval.lower - 0.78) < 1e-9 && abs(interval.upper - 0.83) < 1e-9)
        #expect(cell.calls?.base == 2 && cell.calls?.variant == 1)
    }

    @Test func fiveRoundsDecideNothing() throws {
        let worth = try worth(Self.rows([64: [0.5, 0.5, 0.5, 0.5, 0.5]]))
        #expect(worth.cells.first?.cpu?.isLess == false)
        #expect(worth.sentence == "Not decided: fewer than six rounds.")
    }

    @Test func sentencesSayWhereItPays() throws {
        #expect(try worth(Self.rows([64: Self.less])).sentence == "Use it with every load: server CPU −20 %.")
        let both = try worth(Self.rows([1: Self.more, 64: Self.less, 1000: Self.less]))
        #expect(
            both.sentence
                == "Use it with 64 connections and 1000 connections: server CPU −20 %; not with 1 connection: +30 %.")
        #expect(
            try worth(Self.rows([1: Self.same])).sentence.hasPrefix("Not here: it changes server CPU by less than 2 %"))
        #expect(
            try worth(Self.rows([1: [0.7, 1, 1, 1, 1, 1.1]])).sentence
                == "Not decided: no difference is shown, and 30 % either way is not ruled out.")
        #expect(try worth(Self.rows([1: Self.more])).sentence == "Not here: server CPU +30 % with every load.")
    }

    @Test func manyLoadsAreCounted() throws {
        let folders = [64, 100, 1000].map {
            Self.rows([1: Self.less, 64: $0 < 1000 ? Self.less : Self.same], bytes: $0)
        }
        let text = try worth(folders[0], folders[1], folders[2]).sentence
        #expect(text == "Use it with 5 of 6 loads: server CPU −20 %. Elsewhere no difference is shown.")
    }

    @Test func aLatencyThatGrowsIsSaidBesideTheGain() throws {
        let text = try worth(Self.rows([1: Self.less], latency: 3)).sentence
        #expect(text == "Cheaper but later with every load: server CPU −20 %, median latency +200 %.", "\(text)")
        let dearer = try worth(Self.rows([1: Self.same], latency: 3)).sentence
        #expect(dearer.hasSuffix("Median latency +200 % with every load."), "\(dearer)")
    }

    @Test func roundsOfDifferentFoldersAreNotPaired() throws {
        let first = Self.rows([64: Self.less])
        let halves = [first.filter { $0.mode == "with" }, first.filter { $0.mode == "without" }]
        #expect(FeatureWorth.measure([Self.bundle], in: halves).isEmpty)
        #expect(try worth(first, Self.rows([64: Self.less])).cells.first?.rounds == 12)
    }

    @Test func unusableRowsAreLeftOutAndTheirReasonIsSaid() {
        let rows = Self.rows([64: Self.less]).map { row in
            var row = row
            if row.mode == "with" { (row.status, row.reason) = (.unsupported, "this kernel has none") }
            return row
        }
        #expect(FeatureWorth.measure([Self.bundle], in: [rows]).isEmpty)
        #expect(FeatureWorth.absence(of: Self.bundle, in: [rows]) == "this kernel has none")
        #expect(FeatureWorth.absence(of: Self.bundle, in: [[]]) == "no run of it")
    }

    @Test func thePageHasARowForEachLoadInOrder() throws {
        let worth = try worth(Self.rows([64: Self.less, 1: Self.more]), Self.rows([64: Self.same], bytes: 4096))
        let page = featuresMarkdown(
            [worth], missing: [(Self.bundle, "no run of it")], machine: "Linux 6.18", folders: ["a", "b"])
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| read") }
        #expect(
            rows.map { $0.split(separator: "|")[1...2].map { $0.trimmingCharacters(in: .whitespaces) } }
                == [["1", "64 B"], ["64", "64 B"], ["64", "4096 B"]])
        #expect(rows[1].contains("**0.80** [0.78, 0.83]") && rows[1].contains("2.00 → 1.00"))
        #expect(page.contains("[a](a/runs.csv), [b](b/runs.csv)") && page.contains("Not measured here"))
    }

    /// What differs need not be the mode: listeners, signals and options are told apart within each mode.
    @Test(arguments: [Feature.Column.listener, .signal, .options]) func whatDiffersMayBeAnotherColumn(
        _ column: Feature.Column
    ) throws {
        let rows = ["epoll-lt", "uring-poll"].flatMap { mode in
            Self.rows([1: mode == "epoll-lt" ? Self.less : Self.more]).map { row in
                var row = row
                let value = row.mode == "with" ? "set=1;other" : ""
                row.mode = mode
                switch column {
                case .listener: row.listener = value
                case .signal: row.signal = value
                default: row.options = value
                }
                row.runId += mode
                return row
            }
        }
        let feature = Feature(name: "set=1;other", base: "", kernel: "", summary: "sets it", column: column)
        let worth = try #require(FeatureWorth.measure([feature], in: [rows]).first)
        #expect(
            worth.cells.map(\.load.mode) == ["epoll-lt", "uring-poll"] && worth.cells.allSatisfy { $0.rounds == 6 })
        #expect(worth.sentence == "Use it with epoll-lt: server CPU −20 %; not with uring-poll: +30 %.")
        let page = featuresMarkdown([worth], missing: [], machine: "Linux 6.18", folders: ["a"])
        #expect(page.contains("(#set1other) | the same without |") && page.contains("\n| epoll-lt | read | 1 | 64 B |"))
        #expect(Feature.options(in: [rows]).map(\.name) == (column == .options ? ["set=1;other"] : []))
    }

    @Test func disturbedRunsAndListenersOfOneWorkerAreLeftOut() throws {
        let rows = Self.rows([64: Self.less])
        func edited(_ edit: (inout RunRecord) -> Void) -> [RunRecord] {
            rows.map { row in
                var row = row
                if row.round == 1 { edit(&row) }
                return row
            }
        }
        #expect(try worth(edited { $0.foreignCpu = 0.3 }).cells.first?.rounds == 5)
        #expect(try worth(edited { $0.foreignCpu = 0.1 }).cells.first?.rounds == 6)
        let listeners = Feature(name: "with", base: "without", kernel: "", summary: "", column: .listener)
        let shared = edited { ($0.workers, $0.fairnessJain) = (2, 0.5) }.map { row in
            var row = row
            (row.listener, row.mode) = (row.mode, "epoll-lt")
            return row
        }
        #expect(FeatureWorth.measure([listeners], in: [shared]).first?.cells.first?.rounds == 5)
    }

    @Test func optionsAreNamedAsTheyAreGiven() throws {
        let feature = try #require(
            Feature.options(in: [[Samples.record("a", round: 1) { $0.options = "wait_for=8;defer-accept" }]]).first)
        #expect(feature.summary == "sets `--wait-for 8`, `--defer-accept`")
    }
}
