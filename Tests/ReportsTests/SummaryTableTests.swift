import RecordSamples
import Records
import Reports
import Testing

@Suite struct SummaryTableTests {
    static let modes = [
        "blocking", "epoll-lt", "epoll-et", "epoll-exclusive", "epoll-et-exclusive", "epoll-oneshot", "uring-multishot",
    ]

    @Test func everyModeFitsEightyColumns() {
        let rows = Self.modes.flatMap { mode in (1...3).map { Samples.record(mode, round: $0) } }
        let table = summaryTable(for: rows, width: 80, styled: false)
        let lines = table.split(separator: "\n")
        #expect(lines.count == 2 + 2 * Self.modes.count + 3)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines[0].contains("conn/s"))
        #expect(lines[10].hasPrefix("epoll-et-exclusive "))
        for text in ["118k", "12.3 µs", "1.20 ms", "5.12 µs", "3.00", "1.00"] { #expect(lines[4].contains(text)) }
        #expect(lines[16] == "Median of 3 rounds; ± is how far the farthest of them lies from it.")
        #expect(lines[17].hasPrefix("Least server CPU first; those with the same # overlap with the first of them; 3"))
        #expect(!table.contains("\u{1b}"))
        #expect(!table.contains("topology") && !table.contains("set-per-worker"))
    }

    private static let rounds = [10_000.0, 94_600, 120_000].enumerated().map { index, value in
        Samples.record("poll", round: index + 1) { $0.throughputOpsPerS = value }
    }

    @Test func theSpreadOfTheRoundsStandsUnderEachFigure() {
        let lines = summaryTable(for: Self.rounds, width: 60, styled: false).split(separator: "\n")
        #expect(lines[2].hasPrefix("poll 5.12 µs  94.6k"))
        let spreads = lines[3].split(separator: " ")
        #expect(spreads == ["±0%", "±89%", "±0%", "±0%", "±0%", "±0%", "±0%"])
        // Under its figure, to the last digit.
        #expect(lines[3].prefix(while: { $0 != "%" }).count + 1 == "poll 5.12 µs".count)
    }

    @Test func whereThereIsRoomTheSpreadStandsBesideEachFigure() {
        let lines = summaryTable(for: Self.rounds, width: 200, styled: false).split(separator: "\n")
        #expect(lines[2].hasPrefix("poll  5.12 µs ±0%  94.6k ±89%  12.3 µs ±0%"))
        #expect(lines.count == 4)
        let one = summaryTable(for: [Self.rounds[0]], width: 80, styled: false)
        #expect(!one.contains("±"))
    }

    @Test func roundsThatAreNothingButForOneShowTheLargest() {
        let rows = [0.0, 0, 0.3].enumerated().map { index, value in
            Samples.record("poll", round: index + 1) { $0.spuriousWakeupsPerOp = value }
        }
        #expect(summaryTable(for: rows, width: 80, styled: false).contains("≤0.30"))
    }

    @Test(arguments: [20, 40, 60, 80, 120, 200]) func noLineIsWiderThanTheTerminal(_ width: Int) {
        let rows = Self.modes.flatMap { mode in
            [1, 64].flatMap { connections in
                (1...3).map { round in
                    Samples.record(mode, round: round) {
                        ($0.connections, $0.ratePerS, $0.spacing) = (connections, 200_000, "uniform")
                        $0.throughputOpsPerS = Double(round) * 30_000
                    }
                }
            }
        }
        let table = summaryTable(for: rows, width: width, styled: false)
        let wide = table.split(separator: "\n").filter { $0.count > width }
        #expect(wide.isEmpty, "\(wide)")
        #expect(table.contains("60.0k"))
    }

    @Test func sixRoundsSayWhereTheMedianCapacityLies() {
        func note(rounds: Int) -> String? {
            let rows = ["epoll-lt", "poll"].flatMap { mode in
                (1...rounds).map { round in
                    Samples.record(mode, round: round) {
                        ($0.slo, $0.capacityOpsPerS) = ("p99=1ms", Double(round) * (mode == "poll" ? 1000 : 2000))
                    }
                }
            }
            let table = summaryTable(for: rows, width: 400, styled: false)
            return table.split(separator: "\n").map(String.init).first { $0.contains("confidence") }
        }
        #expect(note(rounds: 5) == nil)
        let six = "The median capacity lies, with 96.9 % confidence each: epoll-lt 2.00k to 12.0k; poll 1.00k to 6.00k."
        #expect(note(rounds: 6) == six)
        #expect(note(rounds: 10)?.contains("97.9 % confidence each: epoll-lt 4.00k to 18.0k; poll 2.00k to") == true)
    }

    @Test func columnsWithoutRoomGoByTheirRankAndAreNamed() {
        let rows = Self.modes.map { Samples.record($0) }
        let table = summaryTable(for: rows, width: 40, styled: false)
        #expect(table.contains("conn/s") && table.contains("CPU"))
        let words = table.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("No room for: fair, wakeups, p50, p99."), "\(table)")
    }

    @Test func offeredAndServedStandSideBySideAndSaturationIsMarked() {
        let rows = [
            Samples.record("poll") {
                ($0.ratePerS, $0.offeredOpsPerS, $0.throughputOpsPerS, $0.saturated) = (70_000, 70_010, 40_600, "yes")
            },
            Samples.record("epoll-et") {
                ($0.ratePerS, $0.offeredOpsPerS, $0.throughputOpsPerS, $0.saturated) = (70_000, 69_990, 69_900, "no")
            },
        ]
        let lines = summaryTable(for: rows, width: 100, styled: false).split(separator: "\n")
        #expect(lines[0].split(whereSeparator: \.isWhitespace).dropFirst(2).prefix(2) == ["offered", "served"])
        #expect(
            lines[2].split(whereSeparator: \.isWhitespace).prefix(5) == ["epoll-et", "5.12", "µs", "70.0k", "69.9k"])
        #expect(lines[3].split(whereSeparator: \.isWhitespace).prefix(5) == ["poll", "5.12", "µs", "70.0k", "40.6k*"])
        #expect(lines.contains { $0.hasPrefix("* served clearly less than was offered") })
    }

    @Test func aFileWithoutOfferedRatesShowsTheRateAskedFor() {
        let row = Samples.record("poll") { ($0.ratePerS, $0.throughputOpsPerS) = (70_000, 40_600) }
        let table = summaryTable(for: [row], width: 100, styled: false)
        #expect(table.contains("70.0k") && table.contains("40.6k*"))
    }

    @Test func columnsLineUp() {
        let rows = [Samples.record("poll"), Samples.record("epoll-et-exclusive") { $0.throughputOpsPerS = 9_870 }]
        let lines = summaryTable(for: rows, width: 80, styled: false).split(separator: "\n")
        #expect(Set(lines.prefix(4).map(\.count)).count == 1)
    }

    @Test func whatVariesGetsAColumn() {
        let rows = [1, 2].map { Samples.record("poll", workers: $0) }
        let lines = summaryTable(for: rows, width: 80, styled: false).split(separator: "\n")
        #expect(lines[0].contains("workers") && lines[2].hasPrefix("poll  1"))
    }

    @Test func whatVariesBecomesHeadingsWhereItIsTooWide() {
        let rows = ["shared-set", "set-per-worker"].flatMap { topology in
            ["shared", "reuseport-cbpf"].map {
                Samples.record("epoll-et-exclusive", topology: topology, listener: $0)
            }
        }
        let table = summaryTable(for: rows, width: 80, styled: false)
        #expect(table.contains("\nset-per-worker, listener reuseport-cbpf\nepoll-et-exclusive"))
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func anArmWithoutNumbersShowsItsReason() {
        let reason = "io_uring_setup: operation not permitted; set kernel.io_uring_disabled to 0 or run as root"
        let rows = [
            Samples.record("poll"),
            Samples.record("uring-single") {
                $0.status = .unsupported
                $0.reason = reason
            },
        ]
        let table = summaryTable(for: rows, width: 80, styled: false)
        #expect(table.contains("uring-single  unsupported: io_uring_setup: operation not permitted"))
        let words = table.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains(reason))
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func aLostRoundIsNamedUnderTheTable() {
        let rows = [
            Samples.record("poll"), Samples.record("poll", round: 2) { $0.throughputOpsPerS = 120_000 },
            Samples.record("poll", round: 3) {
                $0.status = .void
                $0.reason = "65 listen overflows"
                $0.throughputOpsPerS = 1
            },
        ]
        let table = summaryTable(for: rows, width: 80, styled: false)
        #expect(table.contains("119k"))
        #expect(table.contains("Left out: poll, round 3, void: 65 listen overflows\n"))
    }

    @Test func ofTwoTopologiesThatAreEquallyCommonTheSameIsAlwaysNamedFirst() {
        let rows =
            ["epoll-lt", "epoll-et"].map { Samples.record($0) }
            + ["epoll-oneshot", "dispatcher"].map { Samples.record($0, topology: "shared-set") }
        let note = "Topology: set-per-worker; epoll-oneshot, dispatcher: shared-set."
        #expect(summaryTable(for: rows, width: 80, styled: false).contains(note))
    }

    @Test func stylesOnlyWhenAsked() {
        #expect(summaryTable(for: [Samples.record()], width: 80, styled: true).contains("\u{1b}[1m"))
        #expect(summaryTable(for: [], width: 80, styled: true).isEmpty)
    }
}
