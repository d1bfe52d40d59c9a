import Histogram
import Loops
import Records
import Statistics
import Testing

@testable import Pictures

@Suite struct PictureTests {
    private static func kinds(_ pictures: Pictures) -> [PictureKind] { pictures.pictures.map(\.kind) }

    @Test(arguments: Layout.allCases) func oneRowGivesPictures(_ layout: Layout) {
        let drawn = Samples.pictures([Samples.folder([Samples.record()])], layout: layout)
        #expect(Self.kinds(drawn) == [.latency, .throughput, .cost, .fairness])
        #expect(drawn.notes.isEmpty)
    }

    @Test func severalRoundsShowTime() {
        let drawn = Samples.pictures([Samples.folder(modes: ["epoll-lt", "epoll-et"], rounds: 3)])
        #expect(Self.kinds(drawn) == [.latency, .throughput, .cost, .fairness, .time])
    }

    @Test func everyPictureSaysWhatItIsOf() {
        for picture in Samples.pictures([Samples.folder(modes: ["epoll-lt", "blocking"], rounds: 3)]).pictures {
            #expect(picture.script.contains("n = 3 rounds of 1 s · 2 workers, 64 connections"))
            #expect(picture.script.contains("pinned server=0 client=1"))
            #expect(picture.script.contains("Linux 6.18.0"))
            #expect(picture.script.contains("commit 0123abc"))
            #expect(!picture.alternative.isEmpty)
        }
    }

    @Test func withoutSamplesASentenceStandsForTheLatency() {
        let folder = Samples.folder([Samples.record { $0.latencySamples = nil }], withLatencies: false)
        let drawn = Samples.pictures([folder])
        #expect(!Self.kinds(drawn).contains(.latency))
        #expect(drawn.notes == ["no latency picture of accept: there are no latency samples"])
    }

    @Test func withoutNumbersASentenceStandsForEachPicture() {
        let record = Samples.record {
            $0.throughputOpsPerS = nil
            ($0.serverCpuNsPerOp, $0.syscallsPerOp, $0.wakeupsPerOp) = (nil, nil, nil)
            ($0.perWorkerOps, $0.latencySamples) = ([], nil)
        }
        let drawn = Samples.pictures([Samples.folder([record])], kinds: PictureKind.allCases)
        #expect(drawn.pictures.isEmpty)
        #expect(drawn.notes.count == PictureKind.allCases.count)
    }

    @Test func zerosAreDrawn() {
        let record = Samples.record {
            ($0.throughputOpsPerS, $0.serverCpuNsPerOp, $0.syscallsPerOp, $0.wakeupsPerOp) = (0, 0, 0, 0)
            ($0.perWorkerOps, $0.latencySamples) = ([0, 0], 0)
        }
        let drawn = Samples.pictures([Samples.folder([record])])
        #expect(Self.kinds(drawn) == [.throughput, .cost, .fairness])
        for picture in drawn.pictures { #expect(!picture.script.contains("nan") && !picture.data.contains("inf")) }
    }

    @Test func failedRunsAreNotDrawn() {
        let failed = Samples.record { $0.status = .failed }
        let drawn = Samples.pictures([Samples.folder([failed])])
        #expect(drawn.pictures.isEmpty)
        #expect(drawn.notes.contains("no throughput picture of accept: no run has the status ok"))
    }

    @Test func anEmptyFileSaysSo() {
        let drawn = Samples.pictures([Samples.folder([])])
        #expect(drawn.pictures.isEmpty)
        #expect(drawn.notes == ["nothing to draw: runs.csv has no rows"])
    }

    @Test(arguments: Layout.allCases) func fiftyModesAreDrawn(_ layout: Layout) {
        let modes = (1...50).map { "mode-\($0)" }
        let drawn = Samples.pictures([Samples.folder(modes: modes, rounds: 2)], layout: layout)
        #expect(Self.kinds(drawn) == [.latency, .throughput, .cost, .fairness, .time])
        for picture in drawn.pictures where picture.kind != .time {
            for mode in modes { #expect(picture.script.contains("'\(mode)'")) }
        }
    }

    @Test func whatIsNotDrawnIsSaid() {
        let modes = (1...50).map { "mode-\($0)" }
        let time = Samples.pictures([Samples.folder(modes: modes, rounds: 2)], kinds: [.time])
        #expect(time.pictures.first?.script.contains("26 more panels are not drawn") == true)
    }

    @Test func aSearchForARateIsDrawnWithItsBound() throws {
        let record = Samples.record {
            ($0.slo, $0.capacityOpsPerS, $0.latencyKind) = ("p99=1ms", 50_000, .fromScheduledStart)
        }
        func step(_ number: Int, _ rate: Double, _ latency: UInt64?, _ outcome: CapacityStep.Outcome) -> CapacityStep {
            CapacityStep(
                runId: record.runId, step: number, kind: .probe, ratePerS: rate, durationS: 1, servedOpsPerS: rate,
                latencyNs: latency, outcome: outcome)
        }
        var folder = Samples.folder([record])
        folder.steps = [
            step(1, 1000, 200_000, .held), step(2, 2000, 777_777_777, .disturbed), step(3, 60_000, 9_000_000, .latency),
            step(4, 50_000, 300_000, .held), step(5, 60_000, nil, .failed),
        ]
        let picture = try #require(Samples.pictures([folder], kinds: [.capacity]).pictures.first)
        #expect(picture.data.contains("bound: rate, ns") && picture.data.contains(" 1000000\n"))
        #expect(picture.data.contains("50000 300000") && picture.data.contains("60000 9000000"))
        #expect(!picture.data.contains("777777777"))
        #expect(
            picture.data.contains("median capacity and its interval, ns") && picture.data.contains("\n50000 1000000"))
        #expect(picture.script.contains("│ median capacity") && !picture.script.contains("confidence"))
        #expect(Self.kinds(Samples.pictures([folder])).contains(.capacity))
        let none = Samples.pictures([Samples.folder([Samples.record()])], kinds: [.capacity])
        #expect(none.pictures.isEmpty && none.notes.count == 1)
    }

    /// Two bounds are two percentiles on one axis, and six rounds an interval.
    @Test func capacitiesHaveTheirIntervalAndEachItsBound() throws {
        var folder = Samples.folder([])
        for (slo, unit) in [("p99=1ms", 1000.0), ("p50=2ms", 3000)] {
            for round in 1...6 {
                let record = Samples.record(round: round) {
                    ($0.slo, $0.capacityOpsPerS) = (slo, Double(round) * unit)
                    ($0.runId, $0.latencyKind) = ("\(slo)-\(round)", .fromScheduledStart)
                }
                folder.records.append(record)
                folder.steps.append(
                    CapacityStep(
                        runId: record.runId, step: 1, kind: .confirmation, ratePerS: Double(round) * unit, durationS: 1,
                        servedOpsPerS: unit, latencyNs: 500_000, outcome: .held))
            }
        }
        let picture = try #require(Samples.pictures([folder], kinds: [.capacity]).pictures.first)
        #expect(
            picture.script.contains("p50 or p99 of the latency") || picture.script.contains("p99 or p50 of the latency")
        )
        #expect(picture.script.contains("with its interval: 96.9 % confidence"))
        #expect(picture.data.contains("3500 1000000\n\n1000 1000000\n6000 1000000\n"))
        #expect(picture.data.contains("10500 2000000\n\n3000 2000000\n18000 2000000\n"))
    }

    @Test func growthNeedsANumberThatWasVaried() {
        let records = [1, 16, 64].flatMap { connections in
            (1...2).map { Samples.record(round: $0, connections: connections) }
        }
        #expect(Self.kinds(Samples.pictures([Samples.folder(records)])).contains(.growth))
        let idle = [0, 1000].map { count in Samples.record { $0.idle = count } }
        let fromNone = Samples.pictures([Samples.folder(idle)], kinds: [.growth]).pictures.first?.script
        #expect(fromNone?.contains("xtics scale 0 ('' 250, '' 1000)") == true)
        #expect(fromNone?.contains("set label '0' at") == true && fromNone?.contains("set label '1k' at") == true)
        let none = Samples.pictures([Samples.folder([Samples.record()])], kinds: [.growth])
        #expect(none.notes.first?.contains("no number was varied") == true)
    }

    @Test func twoFoldersAreComparedAndThreeMakeAHistory() {
        let folders = (1...3).map { number in
            Samples.folder(
                (1...6).map { round in
                    Samples.record(round: round) {
                        $0.startedAt = "2026-0\(number)-01T00:00:00Z"
                        $0.gitCommit = "commit\(number)"
                        $0.serverCpuNsPerOp = 5_000 * (number == 1 ? 1 : 1.5) + Double(round)
                    }
                }, name: "run\(number)")
        }
        let two = Samples.pictures(Array(folders.prefix(2)))
        #expect(Self.kinds(two).last == .comparison)
        // Not interleaved, but dearer by more than a machine drifts.
        #expect(two.pictures.last?.title.hasSuffix("regressed") == true)
        #expect(two.pictures.last?.script.contains("'+50 %'") == true)
        let three = Samples.pictures(folders)
        #expect(Self.kinds(three).last == .history)
        #expect(Samples.pictures(folders, kinds: [.comparison]).pictures.isEmpty)
    }

    @Test func ofFoldersWithTheSameArmTheLastIsDrawn() {
        let old = Samples.folder([Samples.record { $0.throughputOpsPerS = 11_111 }], name: "old")
        let new = Samples.folder([Samples.record { $0.throughputOpsPerS = 22_222 }], name: "new")
        let data = Samples.pictures([old, new], kinds: [.throughput]).pictures.first?.data ?? ""
        #expect(data.contains("22222") && !data.contains("11111"))
    }

    @Test func severalWorkloadsGetFilesOfTheirOwn() {
        let records = ["accept", "read/../x", "read_.._x"].map { workload in
            Samples.record { $0.workload = workload }
        }
        let names = Samples.pictures([Samples.folder(records)], kinds: [.throughput]).pictures.map(\.name)
        #expect(
            names == [
                "throughput-accept", "throughput-read____x-2", "throughput-read_.._x".replacing(".", with: "_") + "-3",
            ])
    }

    @Test func aHistogramBelongsToItsRow() {
        // The second row has no samples and the third has the same mode as the first.
        let first = Samples.record("epoll-lt", round: 1)
        let second = Samples.record("epoll-et", round: 1) { $0.latencySamples = nil }
        let third = Samples.record("epoll-lt", round: 2) { $0.latencySamples = 500 }
        let input = PictureInput([Samples.folder([first, second, third])])
        #expect(input.latencies.count == 2)
        #expect(input.latencies["0:epoll-lt-64-2"]?.count == 500)
    }

    @Test func optionsThatVaryWithTheModeAloneNameTheUnusualOne() {
        let records = [
            Samples.record("epoll-lt"), Samples.record("epoll-et"),
            Samples.record("epoll-oneshot") { $0.topology = "shared-set" },
        ]
        let catalog = Catalog(PictureInput([Samples.folder(records)]), workload: "accept")
        #expect(catalog.conditions == [""])
        #expect(catalog.arms.map(\.label).sorted() == ["epoll-et", "epoll-lt", "epoll-oneshot (shared-set)"])
    }

    @Test func conditionsStandInTheOrderOfTheirNumbers() {
        let records = [64, 1, 16].map { Samples.record(connections: $0) }
        let catalog = Catalog(PictureInput([Samples.folder(records)]), workload: "accept")
        #expect(catalog.conditions == ["1 connection", "16 connections", "64 connections"])
    }
}

@Suite struct StyleTests {
    private static let known = [
        "blocking", "select", "poll", "epoll-lt", "epoll-et", "epoll-exclusive", "epoll-et-exclusive", "epoll-oneshot",
        "dispatcher", "uring-single", "uring-multishot", "uring-direct", "uring-poll",
        "interest-set", "descriptor-ring", "async-set", "async-ring",
    ]

    @Test func modesDiffer() {
        let styles = Self.known.map { ModeStyle.of(mode: $0) }
        for (index, style) in styles.enumerated() { #expect(!styles[(index + 1)...].contains(style)) }
    }

    /// Beside its mode, and beside the other variants of it.
    @Test func aVariantLooksLikeItsModeAndIsToldFromIt() throws {
        for variant in Mode.variants {
            let base = ModeStyle.of(mode: try #require(variant.base))
            let style = ModeStyle.of(mode: variant.name)
            #expect(style.hue == base.hue && style.dash != base.dash && style.mark != .dot, "\(variant.name)")
        }
        let names = Self.known + Mode.variants.map(\.name)
        #expect(Set(names.map { ModeStyle.of(mode: $0) }).count == names.count)
    }

    @Test func theMarksOfAVariantAreInItsPictures() {
        let drawn = Samples.pictures(
            [Samples.folder(modes: ["epoll-lt", "epoll-spin"], rounds: 3)], kinds: [.throughput, .latency])
        #expect(drawn.pictures.count == 2)
        for picture in drawn.pictures { #expect(picture.script.contains("pt 9 "), "\(picture.kind)") }
    }

    @Test func unknownModesKeepTheirStyle() {
        // Written down, since it must not change from one version to the next either.
        #expect(ModeStyle.of(mode: "kqueue") == ModeStyle.of(mode: "kqueue"))
        let styles = (1...200).map { ModeStyle.of(mode: "mode-\($0)") }
        #expect(Set(styles.map { "\($0)" }).count > 20)
    }

    @Test func aModeLooksTheSameInEveryPicture() {
        let few = Samples.pictures([Samples.folder(modes: ["epoll-et", "new-mode"], rounds: 3)])
        let many = Samples.pictures([Samples.folder(modes: ["a", "b", "epoll-et", "new-mode", "c"], rounds: 3)])
        for mode in ["epoll-et", "new-mode"] {
            let color = ModeStyle.of(mode: mode).hue.rawValue
            for picture in few.pictures + many.pictures where [.latency, .throughput, .cost].contains(picture.kind) {
                #expect(picture.script.contains(color))
            }
        }
    }

    @Test func themesMapEveryColourOnce() {
        let colors = ModeStyle.Hue.allCases.map(\.rawValue) + Theme.allCases.map(\.rawValue)
        #expect(Set(colors).count == colors.count)
    }
}

@Suite struct DistributionTests {
    @Test func agreesWithTheSummary() {
        let histogram = Samples.interval(Samples.record { $0.latencySamples = 100_000 }).histogram
        let distribution = Distribution(histogram)
        let summary = LatencySummary(histogram)
        #expect(distribution.latency(nines: 1) == summary.p90.map { Double($0) })
        #expect(distribution.latency(nines: 2) == summary.p99.map { Double($0) })
        #expect(distribution.latency(nines: 3) == summary.p999.map { Double($0) })
        #expect(distribution.nines == 4)
    }

    @Test func addsHistogramsOfDifferentLayout() {
        var coarse = Histogram<UInt64>(highestTrackableValue: 1_000, numberOfSignificantValueDigits: .one)
        var fine = Histogram<UInt64>(highestTrackableValue: 3_600_000_000_000)
        coarse.record(5)
        fine.record(2_000_000_000)
        let both = Distribution(adding: [Distribution(coarse), Distribution(fine)])
        #expect(both.count == 2)
        #expect(both.latency(nines: 0) == 5)
        #expect(both.latency(nines: 3) > 1_900_000_000)
    }

    @Test func percentilesAreWrittenInNines() {
        #expect(
            [0.30103, 1, 2, 3, 4, 5].map(percentileText) == ["50 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"])
    }
}
