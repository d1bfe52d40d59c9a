import RecordSamples
import Foundation
import Statistics
import Testing

import Records
@testable import Reports

@Suite struct ComparisonTests {
    /// Blocks of one arm whose cost is noisy by `noise` and shifted by `factor`.
    private func runs(
        _ mode: String = "epoll-et", blocks: Int, factor: Double = 1, noise: Double = 0.01, seed: UInt64,
        edit: (inout RunRecord, Int) -> Void = { _, _ in }
    ) -> [RunRecord] {
        var generator = SplitMix64(seed: seed)
        return (1...blocks).map { block in
            Samples.record(mode, round: block) {
                $0.startedAt = "2026-01-31T12:\(block / 60 + 10):\(block % 60 + 10)Z"
                let uniform = Double(generator.next() >> 11) / 0x1p53
                $0.serverCpuNsPerOp = 5_000 * factor * (1 + noise * (2 * uniform - 1))
                edit(&$0, block)
            }
        }
    }

    private func cpu(_ comparison: Comparison) throws -> MetricComparison {
        try #require(comparison.rows.first { $0.metric == "server_cpu_ns_per_op" })
    }

    @Test(arguments: [
        (1.1, Verdict.regressed), (0.9, .improved), (1.0, .same), (1.02, .inconclusive),
    ])
    func verdictsOfBothDesigns(factor: Double, wanted: Verdict) throws {
        for design in [ComparisonOptions.Design.paired, .unpaired] {
            var options = ComparisonOptions(design: design)
            options.drift = 0
            let comparison = try Comparison(
                base: runs(blocks: 20, seed: 1), new: runs(blocks: 20, factor: factor, seed: 2), options: options)
            let row = try cpu(comparison)
            #expect(row.verdict == wanted && comparison.verdict == wanted)
            #expect(abs(row.ratio - factor) < 0.01)
            #expect(row.blocks == 20 && row.method == (design == .paired ? .pairedMedian : .hodgesLehmann))
            #expect((row.blocksNeeded != nil) == false || wanted == .inconclusive)
        }
    }

    @Test func higherThroughputIsAnImprovement() throws {
        var options = ComparisonOptions(design: .paired)
        options.gating = ["throughput_ops_per_s"]
        let new = runs(blocks: 10, seed: 2) { record, _ in record.throughputOpsPerS = 130_000 }
        let comparison = try Comparison(base: runs(blocks: 10, seed: 1), new: new, options: options)
        #expect(comparison.verdict == .improved)
    }

    @Test func fewerThanSixBlocksDecideNothing() throws {
        let comparison = try Comparison(
            base: runs(blocks: 5, seed: 1), new: runs(blocks: 5, factor: 2, seed: 2),
            options: ComparisonOptions(design: .paired))
        let row = try cpu(comparison)
        #expect(row.verdict == .inconclusive && row.interval == nil && row.blocksNeeded == 6)
        let table = comparison.table(width: 200, styled: false)
        #expect(table.contains("fewer than 6 cannot give 95 %") && table.contains("(same)"), "\(table)")
        #expect(MetricTest.fewest(.unpaired, alpha: 0.05) == 4)
    }

    @Test func gatingMetricsShareTheErrorRate() throws {
        // 6 blocks can give p = 0.031 at best, which is not enough for two metrics at 5 %.
        var options = ComparisonOptions(design: .paired)
        options.gating = ["server_cpu_ns_per_op", "latency_p50_ns"]
        func compare(_ blocks: Int) throws -> MetricComparison {
            let noisy: (inout RunRecord, Int) -> Void = { $0.latencyP50Ns = UInt64(10_000 + $1 % 3 * 5_000) }
            return try cpu(
                Comparison(
                    base: runs(blocks: blocks, seed: 1), new: runs(blocks: blocks, factor: 1.5, seed: 2, edit: noisy),
                    options: options))
        }
        #expect(try compare(6).verdict == .inconclusive)
        #expect(try compare(6).blocksNeeded == 7)
        #expect(try compare(7).verdict == .regressed)
    }

    @Test func identicalCodeIsRarelyCalledChanged() throws {
        var alarms = 0
        for seed in 0..<200 as Range<UInt64> {
            for design in [ComparisonOptions.Design.paired, .unpaired] {
                var options = ComparisonOptions(design: design)
                options.minEffect = 0
                options.drift = 0
                let comparison = try Comparison(
                    base: runs(blocks: 10, noise: 0.2, seed: 2 * seed),
                    new: runs(blocks: 10, noise: 0.2, seed: 2 * seed + 1),
                    options: options)
                if [.regressed, .improved].contains(comparison.verdict) { alarms += 1 }
            }
        }
        // 5 % of 400 are 20; four standard deviations more are 37.
        #expect(alarms <= 37)
    }

    @Test func steadyCountsGateWithoutStatistics() throws {
        let base = runs(blocks: 3, seed: 1)
        let more = runs(blocks: 3, seed: 2) { record, _ in record.syscallsPerOp = 4 }
        let comparison = try Comparison(base: base, new: more, options: ComparisonOptions(design: .unpaired))
        let row = try #require(comparison.rows.first { $0.metric == "syscalls_per_op" })
        #expect(row.method == .exactCount && row.verdict == .regressed && comparison.verdict == .regressed)
        let overlapping = (
            runs(blocks: 3, seed: 1) { record, block in record.syscallsPerOp = block == 1 ? 3.004 : 3 },
            runs(blocks: 3, seed: 2) { record, block in record.syscallsPerOp = block == 1 ? 3.004 : 3.005 }
        )
        let same = try Comparison(
            base: overlapping.0, new: overlapping.1, options: ComparisonOptions(design: .unpaired))
        let third = try #require(same.rows.first { $0.metric == "syscalls_per_op" })
        #expect(third.method == .exactCount && third.verdict == .same)
        let noisy = runs(blocks: 3, seed: 2) { record, block in record.syscallsPerOp = 3 + Double(block) / 5 }
        let unsure = try Comparison(base: base, new: noisy, options: ComparisonOptions(design: .unpaired))
        let second = try #require(unsure.rows.first { $0.metric == "syscalls_per_op" })
        #expect(second.method == .hodgesLehmann && second.verdict == .inconclusive)
    }

    @Test func aLargeMinimumEffectMakesNoCountSteady() throws {
        var options = ComparisonOptions(design: .paired)
        options.minEffect = 0.2
        let noisy = runs(blocks: 3, seed: 1) { record, block in record.syscallsPerOp = 3 + Double(block) / 5 }
        let steady = runs(blocks: 3, seed: 2)
        for (base, new) in [(noisy, steady), (steady, noisy)] {
            let comparison = try Comparison(base: base, new: new, options: options)
            let row = try #require(comparison.rows.first { $0.metric == "syscalls_per_op" })
            #expect(row.method == .pairedMedian && row.verdict == .inconclusive)
        }
    }

    @Test func countsAloneLeaveDoubtWhereTheNewSideScattersIntoTheBase() throws {
        var options = ComparisonOptions(design: .unpaired)
        options.comparesSteadyCountsOnly = true
        func verdict(_ values: [Double]) throws -> Verdict? {
            let new = runs(blocks: 3, seed: 2) { record, block in record.syscallsPerOp = values[block - 1] }
            return try Comparison(base: runs(blocks: 3, seed: 1), new: new, options: options).rows.first {
                $0.metric == "syscalls_per_op"
            }?.verdict
        }
        #expect(try verdict([3, 3.01, 3]) == .same)
        #expect(try verdict([3, 3.4, 3.5]) == .inconclusive)
        #expect(try verdict([3.3, 3.4, 3.6]) == .regressed)
    }

    @Test func fromNothingIsNoRatio() throws {
        let base = runs(blocks: 3, seed: 1) { record, _ in record.spuriousWakeupsPerOp = 0 }
        let new = runs(blocks: 3, seed: 2) { record, _ in record.spuriousWakeupsPerOp = 1 }
        let comparison = try Comparison(base: base, new: new, options: ComparisonOptions(design: .paired))
        let table = comparison.table(width: 120, styled: false)
        #expect(table.contains("0 to 1") && !table.contains("100.000"), "\(table)")
    }

    @Test func zeroAndMissingValues() throws {
        let base = runs(blocks: 8, seed: 1) { record, block in
            record.spuriousWakeupsPerOp = block % 2 == 0 ? 0 : 0.001
            record.latencyP99Ns = nil
            record.syscallsPerOp = 0
            if block == 8 { record.serverCpuNsPerOp = nil }
        }
        let new = runs(blocks: 8, seed: 2) { record, block in
            record.spuriousWakeupsPerOp = 0.004
            record.syscallsPerOp = 0
            if block == 1 { record.serverCpuNsPerOp = 0 }
        }
        let comparison = try Comparison(base: base, new: new, options: ComparisonOptions(design: .paired))
        #expect(try cpu(comparison).blocks == 7)
        #expect(!comparison.rows.contains { $0.metric == "latency_p99_ns" })
        for metric in ["spurious_wakeups_per_op", "syscalls_per_op"] {
            let row = try #require(comparison.rows.first { $0.metric == metric })
            #expect(row.verdict == .same && row.ratio == 1)
        }
        #expect(comparison.rows.allSatisfy { $0.ratio.isFinite })
    }

    @Test func aNoiseFloorWidensTheMargin() throws {
        let aa = (1...10).flatMap { round in
            [0.96, 1.05].enumerated().map { place, factor in
                Samples.record("epoll-et", round: round) {
                    $0.orderInRound = place + 1
                    $0.serverCpuNsPerOp = 5_000 * factor
                }
            }
        }
        let floor = NoiseFloor(runs: aa, kernel: "6.18", measuredAt: "2026-01-31T12:00:00Z", seed: 1)
        let cost = try #require(floor.entry(of: "server_cpu_ns_per_op", arm: Arm(aa[0]))?.floor)
        #expect(abs(cost - (1.05 / 0.96 - 1)) < 1e-9)
        #expect(floor.entry(of: "syscalls_per_op", arm: Arm(aa[0]))?.floor == 0)
        #expect(floor.entry(of: "server_cpu_ns_per_op", arm: Arm(Samples.record("poll"))) == nil)
        #expect(floor.refusal(machineId: "m1", kernel: "6.18") == nil)
        #expect(
            floor.refusal(machineId: "m2", kernel: "6.18") != nil
                && floor.refusal(machineId: "m1", kernel: "6.19") != nil)
        #expect(try JSONDecoder().decode(NoiseFloor.self, from: JSONEncoder().encode(floor)) == floor)

        var options = ComparisonOptions(design: .paired)
        options.noiseFloor = floor
        let sides = (runs(blocks: 20, seed: 1), runs(blocks: 20, factor: 1.06, seed: 2))
        #expect(try Comparison(base: sides.0, new: sides.1, options: options).verdict == .same)
        options.noiseFloor = nil
        #expect(try Comparison(base: sides.0, new: sides.1, options: options).verdict == .regressed)
    }

    @Test func theNoisierOfTwoModesGivesTheMargin() throws {
        let aa = (1...10).flatMap { round in
            [1, 1.1].enumerated().map { place, factor in
                Samples.record("poll", round: round) {
                    $0.orderInRound = place + 1
                    $0.serverCpuNsPerOp = 5_000 * factor
                }
            }
        }
        var options = ComparisonOptions(design: .paired)
        options.noiseFloor = NoiseFloor(runs: aa, kernel: "k", measuredAt: "t", seed: 1)
        options.ignoredColumns = ["mode"]
        let comparison = try Comparison(
            base: runs(blocks: 10, seed: 1), new: runs("poll", blocks: 10, seed: 2), options: options)
        #expect(try abs(cpu(comparison).margin - 0.1) < 1e-9)
    }

    @Test func tooFewBlocksGiveNoFloor() {
        let aa = (1...5).flatMap { round in (0..<2).map { _ in Samples.record(round: round) } }
        #expect(NoiseFloor(runs: aa, kernel: "k", measuredAt: "t", seed: 1).entries.isEmpty)
    }

    @Test func twoModesOfOneFolder() throws {
        let rows = runs("epoll-et", blocks: 10, seed: 1) + runs("uring-multishot", blocks: 10, factor: 0.7, seed: 2)
        var options = ComparisonOptions(design: .paired)
        options.ignoredColumns = ["mode", "topology"]
        let comparison = try Comparison(
            base: rows.filter { $0.mode == "epoll-et" }, new: rows.filter { $0.mode == "uring-multishot" },
            options: options)
        #expect(comparison.verdict == .improved)
    }

    @Test func whatCannotBeComparedIsRefused() throws {
        let base = runs(blocks: 6, seed: 1)
        let options = ComparisonOptions(design: .paired)
        let otherMachine = base.map { record in
            var record = record
            record.machineId = "m2"
            return record
        }
        #expect(throws: ComparisonError.differentMachines(base: "m1", new: "m2")) {
            try Comparison(base: base, new: otherMachine, options: options)
        }
        var forced = options
        forced.allowsDifferentMachines = true
        #expect(
            try Comparison(base: base, new: otherMachine, options: forced).warnings.contains { $0.contains("machines") }
        )
        #expect(throws: ComparisonError.noRuns(side: "the base")) {
            try Comparison(base: [], new: base, options: options)
        }
        #expect(throws: ComparisonError.noRuns(side: "the new side")) {
            try Comparison(base: base, new: [], options: options)
        }
        for name in ["speed", "run_id"] {
            var unknown = options
            unknown.gating = [name]
            let error = #expect(throws: ComparisonError.unknownMetric(name)) {
                try Comparison(base: base, new: base, options: unknown)
            }
            #expect(error?.description.contains("\n") == false)
        }
    }

    @Test func driftAndLackOfInterleavingAreSaid() throws {
        let drifting = runs(blocks: 20, seed: 1) { record, block in record.serverCpuNsPerOp = 5_000 + Double(block) * 50
        }
        let comparison = try Comparison(
            base: runs(blocks: 20, seed: 2), new: drifting, options: ComparisonOptions(design: .unpaired))
        #expect(comparison.warnings.contains { $0.contains("server_cpu_ns_per_op of epoll-et (new) drifted") })
        #expect(comparison.warnings.contains { $0.contains("not interleaved") })
        let paired = try Comparison(
            base: runs(blocks: 20, seed: 2), new: runs(blocks: 20, seed: 3), options: ComparisonOptions(design: .paired)
        )
        #expect(paired.warnings.isEmpty)
        let pinned = runs(blocks: 20, seed: 3) { record, _ in record.pinning = "workers 0, clients 1" }
        let other = try Comparison(
            base: runs(blocks: 20, seed: 2), new: pinned, options: ComparisonOptions(design: .paired))
        #expect(other.warnings.contains { $0.contains("bound to different processors") })
    }

    @Test func theTableFitsEightyColumns() throws {
        let modes = ["epoll-et", "epoll-et-exclusive"]
        let comparison = try Comparison(
            base: modes.flatMap { runs($0, blocks: 10, seed: 1) },
            new: modes.flatMap { runs($0, blocks: 10, factor: 1.1, seed: 2) },
            options: ComparisonOptions(design: .paired))
        let table = comparison.table(width: 80, styled: false)
        let lines = table.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.contains { $0.hasPrefix("server_cpu_ns_per_op*") && $0.contains("regressed") })
        #expect(lines.contains("epoll-et-exclusive") && lines.contains("Overall: regressed (server_cpu_ns_per_op)."))
    }

    @Test func largeSamplesAreComparedExactly() throws {
        // Counting pairs must find the same as listing all of them.
        let (base, new) = (runs(blocks: 120, noise: 0.3, seed: 1), runs(blocks: 120, factor: 1.05, noise: 0.3, seed: 2))
        let comparison = try Comparison(base: base, new: new, options: ComparisonOptions(design: .unpaired))
        let differences = base.flatMap { b in new.map { log($0.serverCpuNsPerOp ?? 0) - log(b.serverCpuNsPerOp ?? 0) } }
        #expect(try abs(cpu(comparison).ratio - exp(try #require(median(differences)))) < 1e-12)
    }
}
