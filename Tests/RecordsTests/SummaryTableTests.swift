import Records
import Testing

@Suite struct SummaryTableTests {
    static let modes = [
        "blocking", "epoll-lt", "epoll-et", "epoll-exclusive", "epoll-et-exclusive", "epoll-oneshot", "uring-multishot",
    ]

    @Test func everyModeFitsEightyColumns() {
        let rows = Self.modes.flatMap { mode in (1...3).map { Samples.record(mode, round: $0) } }
        let table = summaryTable(for: rows, width: 80, styled: false)
        let lines = table.split(separator: "\n")
        #expect(lines.count == 2 + Self.modes.count + 1)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines[0].contains("conn/s"))
        #expect(lines[6].hasPrefix("epoll-et-exclusive "))
        for text in ["118k", "12.3 µs", "1.20 ms", "5.12 µs", "3.00", "1.00"] { #expect(lines[3].contains(text)) }
        #expect(lines.last == "Median of 3 rounds.")
        #expect(!table.contains("\u{1b}"))
        #expect(!table.contains("topology") && !table.contains("set-per-worker"))
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

    @Test func stylesOnlyWhenAsked() {
        #expect(summaryTable(for: [Samples.record()], width: 80, styled: true).contains("\u{1b}[1m"))
        #expect(summaryTable(for: [], width: 80, styled: true).isEmpty)
    }
}
