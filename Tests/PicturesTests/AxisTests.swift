import Foundation
import Records
import Reports
import Testing

@testable import Pictures

/// A picture's panels, read back from its script and its data.
private struct DrawnPanels {
    struct Panel {
        var x: ClosedRange<Double>
        var y: ClosedRange<Double>
        var xTicks: [Double]
        var yTicks: [Double]
        /// Clauses with what they draw, and the rows of their data.
        var clauses: [(text: String, rows: [[Double]])] = []

        var lines: [(text: String, rows: [[Double]])] {
            // Marks of a changed level are dashed so, and none of the modes is.
            clauses.filter { $0.text.contains("with lines") && !$0.text.contains("dt (2,3)") }
        }
    }

    var panels: [Panel] = []

    init(_ picture: Picture) throws {
        let blocks = picture.data.components(separatedBy: "\n\n\n").map { block in
            block.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.isEmpty }.map { line in
                line.split(separator: " ").compactMap { Double($0) }
            }
        }
        var panel = Panel(x: 0...0, y: 0...0, xTicks: [], yTicks: [])
        for line in picture.script.split(separator: "\n") {
            if line.hasPrefix("set xrange") { panel.x = try Self.range(line) }
            if line.hasPrefix("set yrange") { panel.y = try Self.range(line) }
            if line.hasPrefix("set xtics") { panel.xTicks = Self.ticks(line) }
            if line.hasPrefix("set ytics") { panel.yTicks = Self.ticks(line) }
            if line.hasPrefix("plot ") {
                panels.append(panel)
                panel = Panel(x: 0...0, y: 0...0, xTicks: [], yTicks: [])
            }
            guard let place = line.range(of: "data index ") else { continue }
            let number = try #require(Int(line[place.upperBound...].prefix { $0.isNumber }))
            panels[panels.count - 1].clauses.append((String(line), blocks[number]))
        }
    }

    private static func range(_ line: Substring) throws -> ClosedRange<Double> {
        let inner = line.drop { $0 != "[" }.dropFirst().prefix { $0 != "]" }
        let ends = inner.split(separator: ":").compactMap { Double($0) }.sorted()
        try #require(ends.count == 2)
        return ends[0]...ends[1]
    }

    private static func ticks(_ line: Substring) -> [Double] {
        line.split(separator: "''").dropFirst().compactMap { part in
            Double(part.drop { $0 == " " }.prefix { $0.isNumber || $0 == "." || $0 == "-" })
        }
    }
}

@Suite struct AxisTests {
    static let modes = [
        "blocking", "select", "poll", "epoll-lt", "epoll-et", "epoll-exclusive", "epoll-et-exclusive", "epoll-oneshot",
        "dispatcher", "uring-single", "uring-multishot", "uring-direct", "uring-poll",
    ]

    /// 13 modes over 5 rates, the larger ones not kept by half of them.
    static let rates = Samples.folder(
        [1_000, 5_000, 10_000, 40_000, 70_000].flatMap { rate in
            modes.enumerated().map { number, mode in
                Samples.record(mode) {
                    $0.runId = "\(mode)-\(rate)"
                    $0.ratePerS = rate
                    $0.offeredOpsPerS = rate
                    $0.throughputOpsPerS = rate > 20_000 && number < 6 ? rate / 2 : rate
                    $0.saturated = rate > 20_000 && number < 6 ? "yes" : "no"
                    $0.latencyKind = .fromScheduledStart
                }
            }
        })

    /// One mode a hundred times slower, one that makes no system call, one whose rounds run from 10 k to 120 k.
    static let extreme = Samples.folder(
        (1...7).flatMap { round in
            modes.map { mode in
                Samples.record(mode, round: round) {
                    switch mode {
                    case "uring-direct":
                        ($0.throughputOpsPerS, $0.serverCpuNsPerOp) = (64, 1_150_000)
                    case "uring-single": $0.syscallsPerOp = 0
                    case "poll": $0.throughputOpsPerS = 10_000 + 110_000 / 7 * Double(round)
                    default: break
                    }
                }
            }
        })

    static let zero = Samples.folder(
        [0, 64].flatMap { idle in
            modes.map { mode in
                Samples.record(mode) {
                    $0.runId = "\(mode)-\(idle)"
                    $0.idle = idle
                    ($0.throughputOpsPerS, $0.serverCpuNsPerOp, $0.syscallsPerOp, $0.wakeupsPerOp) = (0, 0, 0, 0)
                }
            }
        })

    static let history = (1...6).map { number in
        Samples.folder(
            modes.flatMap { mode in
                (1...3).map { round in
                    Samples.record(mode, round: round) {
                        $0.startedAt = "2026-0\(number)-01T00:00:00Z"
                        $0.gitCommit = "commit\(number)"
                        $0.serverCpuNsPerOp = 5_000 * (number < 4 ? 1 : 1.5) + Double(round)
                        if mode == "uring-single" { $0.syscallsPerOp = 0 }
                    }
                }
            }, name: "run\(number)")
    }

    static let changed = Samples.folder(
        modes.enumerated().flatMap { number, mode in
            (1...7).map { round in
                Samples.record(mode, round: round) {
                    $0.serverCpuNsPerOp = 5_000 * [0.003, 0.9, 1, 1.2, 40][number % 5]
                }
            }
        }, name: "new")

    static let scenes: [[PicturedFolder]] = [
        [rates], [extreme], [zero], history, [Samples.folder(modes: modes, rounds: 7), changed],
        [Samples.folder([Samples.record()])], [Samples.folder(modes: (1...50).map { "mode-\($0)" }, rounds: 2)],
    ]

    @Test(arguments: Layout.allCases) func noMarkLiesBeyondTheAxis(_ layout: Layout) throws {
        for picture in Self.scenes.flatMap({ Samples.pictures($0, layout: layout).pictures }) {
            for panel in try DrawnPanels(picture).panels {
                for (text, rows) in panel.clauses where !text.contains("filledcurves") && !text.contains("boxxy") {
                    for row in rows where row.count >= 2 {
                        // Numbers are written with seven digits.
                        #expect(panel.x.lowerBound * 0.999_999 - 1e-6 <= row[0], "\(picture.name) \(text)")
                        #expect(row[0] <= panel.x.upperBound * 1.000_001, "\(picture.name) \(text)")
                        #expect(panel.y.lowerBound * 0.999_999 - 1e-6 <= row[1], "\(picture.name) \(text)")
                        #expect(row[1] <= panel.y.upperBound * 1.000_001, "\(picture.name) \(text)")
                    }
                }
            }
        }
    }

    /// Where a dot lies beyond the last tick its value cannot be read.
    @Test func everyDotLiesBetweenTwoTicks() throws {
        let kinds: Set<PictureKind> = [.throughput, .cost, .fairness, .comparison]
        for picture in Self.scenes.flatMap({ Samples.pictures($0).pictures }) {
            for panel in try DrawnPanels(picture).panels {
                for (text, rows) in panel.clauses where text.contains("with points") {
                    // Rows of names and stored runs have no scale.
                    let axes =
                        kinds.contains(picture.kind)
                        ? [(0, panel.xTicks)]
                        : picture.kind == .history || picture.kind == .latency
                            ? [(1, panel.yTicks)] : [(0, panel.xTicks), (1, panel.yTicks)]
                    for (place, ticks) in axes {
                        let (first, last) = (try #require(ticks.first), try #require(ticks.last))
                        for row in rows where row.count >= 2 {
                            #expect(
                                row[place] >= first * 0.999_999 && row[place] <= last * 1.000_001, "\(picture.name)")
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: Layout.allCases) func aPanelHasSevenLinesAtMost(_ layout: Layout) throws {
        let kinds: Set<PictureKind> = [.latency, .growth, .history]
        for picture in Self.scenes.flatMap({ Samples.pictures($0, layout: layout).pictures })
        where kinds.contains(picture.kind) {
            let panels = try DrawnPanels(picture).panels
            #expect(panels.allSatisfy { $0.lines.count <= 7 }, "\(picture.name): \(panels.map(\.lines.count))")
            #expect(panels.contains { !$0.lines.isEmpty })
        }
    }

    @Test func familiesHaveTheSameScaleAndTheirNamesBesideThem() throws {
        let picture = try #require(
            Samples.pictures([Samples.folder(modes: Self.modes, rounds: 1)], kinds: [.latency]).pictures.first)
        let panels = try DrawnPanels(picture).panels
        #expect(panels.map(\.lines.count) == [3, 6, 4])
        #expect(Set(panels.map(\.y)).count == 1 && Set(panels.map(\.x)).count == 1)
        for mode in Self.modes { #expect(picture.script.contains("'\(mode)'")) }
        #expect(LineFamilies.groups(Array(Self.modes.prefix(7))) { $0 }.map(\.name) == [""])
        let unknown = ["a", "b", "c", "d", "e-1", "f", "g", "h"]
        #expect(LineFamilies.groups(unknown) { $0 }.map(\.lines.count) == [4, 4])
    }

    @Test func ringsHaveAKeyAndOnlyTheySo() {
        for (folder, hasRings) in [(Self.rates, true), (Self.extreme, false)] {
            for picture in Samples.pictures([folder]).pictures
            where [.latency, .throughput, .cost, .growth].contains(picture.kind) {
                let ring = "pt 7 ps 0.375 lc rgb '\(Theme.ground.rawValue)'"
                let isRinged = picture.script.contains(ring) || picture.script.contains("pt 7 ps 0.25 lc rgb '#ffffff'")
                #expect(isRinged == hasRings, "\(picture.name)")
                #expect(picture.script.contains("○ did not") == hasRings, "\(picture.name)")
            }
        }
    }

    @Test func aLatencyThatGrewIsNotRanked() throws {
        let picture = try #require(Samples.pictures([Self.rates], kinds: [.latency]).pictures.first)
        for mode in Self.modes.prefix(6) { #expect(!picture.alternative.contains("\(mode), 70000/s")) }
    }

    @Test func aScaleThatOneModeWouldFillIsLogarithmic() throws {
        let cost = try #require(Samples.pictures([Self.extreme], kinds: [.cost]).pictures.first)
        #expect(cost.script.contains("server CPU time per connection, logarithmic"))
        // One of them makes none, which has no place there.
        #expect(!cost.script.contains("system calls per connection, logarithmic"))
        let usual = Samples.pictures([Samples.folder(modes: Self.modes, rounds: 3)], kinds: [.cost]).pictures
        #expect(usual.first?.script.contains("logarithmic") == false)
    }

    @Test func scalesEndAtATick() {
        let values: [[Double]] = [
            [1], [0.001, 1e12], [4.9, 5.1], [11.4, 19.2], [180, 6_000], [1, 10], [9.99, 10.01], [100, 100], [3, 4.4],
        ]
        for sample in values {
            for most in [4, 5, 7] {
                let axis = Axis.logarithmic(sample, .plain, mostTicks: most)
                let ticks = axis.ticks.map(\.value)
                #expect(ticks.count >= 2 && ticks.count <= most + 1, "\(sample) \(ticks)")
                #expect(ticks[0] <= sample.min()! * 1.000_001 && ticks[ticks.count - 1] >= sample.max()! * 0.999_999)
            }
            let linear = Axis.fromZero(to: sample.max()!, .plain, ticks: 4)
            #expect(linear.ticks.last!.value >= sample.max()! * 0.999_999 && linear.ticks.count <= 8)
        }
    }
}

@Suite struct MachineTests {
    private static func folder(_ number: Int, machine: String) -> PicturedFolder {
        Samples.folder(
            (1...3).map { round in
                Samples.record(round: round) {
                    $0.machineId = machine
                    $0.startedAt = "2026-0\(number)-01T00:00:00Z"
                }
            }, name: "run\(number)")
    }

    @Test func eachMachineHasAHistoryOfItsOwn() {
        let folders = (1...6).map { Self.folder($0, machine: $0 % 2 == 0 ? "even" : "odd") }
        let drawn = Samples.pictures(folders, kinds: [.history])
        #expect(drawn.pictures.map(\.name) == ["history-machine-1", "history-machine-2"])
        #expect(drawn.pictures.map { $0.script.contains("machine odd") } == [true, false])
        #expect(drawn.pictures.allSatisfy { $0.title == "History (accept), 3 stored runs" })
        #expect(drawn.notes.contains { $0.contains("2 machines (odd, even)") })
    }

    @Test func aMachineWithTooFewRunsIsNamed() {
        let folders = (1...4).map { Self.folder($0, machine: $0 == 4 ? "new" : "old") }
        let drawn = Samples.pictures(folders, kinds: [.history])
        #expect(drawn.pictures.count == 1 && drawn.pictures[0].script.contains("machine old"))
        #expect(drawn.notes.contains { $0.hasPrefix("no history picture of accept on machine new: a history is of 3") })
    }

    @Test func modesOfDifferentMachinesStandApart() {
        let records = [
            Samples.record("poll"), Samples.record("select") { $0.machineId = "m2" },
        ]
        let catalog = Catalog(PictureInput([Samples.folder(records)]), workload: "accept")
        #expect(catalog.conditions == ["machine m1", "machine m2"])
    }
}
