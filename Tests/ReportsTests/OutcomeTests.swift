import RecordSamples
import Foundation
import Statistics
import Testing

import Records
@testable import Reports

/// What a whole comparison amounts to, decided on rows that nobody had to measure.
@Suite struct OutcomeTests {
    /// Rows of one arm whose every time is `factor` times as long, each a little scattered.
    func runs(
        _ mode: String = "epoll-et", rounds: Int = 10, factor: Double = 1, seed: Int = 0,
        edit: (inout RunRecord) -> Void = { _ in }
    ) -> [RunRecord] {
        (1...rounds).map { round in
            Samples.record(mode, round: round) {
                let noise = 1 + Double((round * 37 + seed * 5) % 11 - 5) / 1_000
                $0.throughputOpsPerS = 100_000 / factor * noise
                $0.latencyP50Ns = UInt64(12_000 * factor * noise)
                $0.latencyP99Ns = UInt64(90_000 * factor * noise)
                $0.serverCpuNsPerOp = 5_000 * factor * noise
                $0.foreignCpu = 0.01
                edit(&$0)
            }
        }
    }

    func compare(
        _ base: [RunRecord], _ new: [RunRecord], _ design: ComparisonOptions.Design = .unpaired,
        edit: (inout ComparisonOptions) -> Void = { _ in }
    ) throws -> Comparison {
        var options = ComparisonOptions(design: design)
        options.modeOrder = ["poll", "epoll-lt", "epoll-et", "uring-multishot"]
        edit(&options)
        return try Comparison(base: base, new: new, options: options)
    }

    func row(_ comparison: Comparison, _ metric: String) throws -> MetricComparison {
        try #require(comparison.rows.first { $0.metric == metric })
    }

    @Test func slowerInEveryTimeBeyondTheDriftIsARegression() throws {
        let comparison = try compare(runs(), runs(factor: 1.6))
        #expect(comparison.outcome == .regressed && comparison.verdict == .regressed)
        #expect(try row(comparison, "server_cpu_ns_per_op").verdict == .regressed)
        let headline = Headline([comparison])
        #expect(headline.text.hasPrefix("REGRESSED accept/epoll-et latency_p"), "\(headline.text)")
        #expect(headline.text.contains("_ns +60.0 % ["), "\(headline.text)")
        #expect(headline.text.hasSuffix("] and 3 more"), "\(headline.text)")
        let better = try compare(runs(factor: 1.6), runs())
        #expect(better.outcome == .improved && Headline([better]).text.hasPrefix("IMPROVED accept/epoll-et "))
    }

    @Test(arguments: [1.0, 1.2, 0.85])
    func timesWithinTheDriftAreNeverTheSame(factor: Double) throws {
        let comparison = try compare(runs(), runs(factor: factor, seed: 1))
        #expect(comparison.outcome == .inconclusive)
        let text = Headline([comparison]).text
        #expect(text.hasPrefix("INCONCLUSIVE accept/epoll-et server_cpu_ns_per_op "), "\(text)")
        #expect(text.hasSuffix(": within 40 %, which the machine may drift by between two invocations"), "\(text)")
        #expect(try compare(runs(), runs(seed: 1)) { $0.drift = 0 }.outcome == .same)
        // More than the drift that was calibrated or named.
        #expect(try compare(runs(), runs(factor: 1.2)) { $0.drift = 0.1 }.outcome == .regressed)
    }

    @Test func countsAloneAreNotTheWhole() throws {
        let timeless: (inout RunRecord) -> Void = {
            ($0.throughputOpsPerS, $0.serverCpuNsPerOp, $0.voluntarySwitchesPerOp) = (nil, nil, nil)
            ($0.latencyP50Ns, $0.latencyP99Ns) = (nil, nil)
        }
        for design in [ComparisonOptions.Design.paired, .unpaired] {
            let comparison = try compare(runs(edit: timeless), runs(edit: timeless), design)
            #expect(comparison.outcome == .inconclusive)
            #expect(Headline([comparison]).text == "INCONCLUSIVE accept/epoll-et: no time was measured on both sides")
        }
        // Without CPU time the other times decide.
        let costless = try compare(runs { $0.serverCpuNsPerOp = nil }, runs(seed: 1) { $0.serverCpuNsPerOp = nil })
        #expect(costless.outcome == .inconclusive)
        #expect(try row(costless, "throughput_ops_per_s").isGating)
    }

    @Test func aClearChangeOfWhatDoesNotGateCounts() throws {
        let slower: (inout RunRecord) -> Void = { $0.latencyP50Ns = $0.latencyP50Ns.map { $0 * 8 / 5 } }
        let comparison = try compare(runs(), runs(edit: slower), .paired)
        #expect(comparison.outcome == .regressed)
        #expect(Headline([comparison]).text.hasPrefix("REGRESSED accept/epoll-et latency_p50_ns +60.0 % "))
        let named = try compare(runs(), runs(edit: slower), .paired) {
            $0.gating = ["server_cpu_ns_per_op"]
            $0.othersCount = false
        }
        #expect(named.outcome == .same)
        #expect(named.table(width: 200, styled: false).contains("not named in --fail-on: latency_p50_ns."))
    }

    @Test func oneNoisyMetricOfManyIsNoRegression() throws {
        // Of one arm, 4 runs each side can show a change; among the metrics of twelve arms that is to be expected where
        // the machine is said not to drift.
        func side(_ factor: Double) -> [RunRecord] {
            (0..<12).flatMap { arm in
                runs("mode-\(arm)", rounds: 4, factor: arm == 5 ? factor : 1, seed: arm) { $0.connections = 64 }
            }
        }
        let alone = side(1.6).filter { $0.mode == "mode-5" }
        #expect(try compare(side(1).filter { $0.mode == "mode-5" }, alone) { $0.drift = 0 }.outcome == .regressed)
        let comparison = try compare(side(1), side(1.6)) { $0.drift = 0 }
        #expect(comparison.outcome == .inconclusive && !comparison.rows.contains { $0.verdict == .regressed })
    }

    @Test func aCountThatLoadChangesIsNotExact() throws {
        let busy = runs { $0.syscallsPerOp = 2.43 }
        let alone = runs { $0.syscallsPerOp = 2.98 }
        for (base, new) in [(busy, alone), (alone, busy)] {
            let count = try row(compare(base, new), "syscalls_per_op")
            #expect(count.method == .hodgesLehmann && count.verdict == .inconclusive && count.doubt != nil)
        }
        // One call more for every operation, whatever the load.
        let more = try compare(runs(), runs { $0.syscallsPerOp = 4 })
        #expect(try row(more, "syscalls_per_op").method == .exactCount && more.outcome == .regressed)
        #expect(Headline([more]).text == "REGRESSED accept/epoll-et syscalls_per_op +33.3 % (3.00 to 4.00)")
    }

    /// Twice each round, as a calibration runs them; `busy` beside busy processors.
    private func floor(calls: Double, busy: Double?) -> NoiseFloor {
        let quiet = (1...12).flatMap { round in
            (1...2).map { place in
                Samples.record("epoll-et", round: round) {
                    ($0.orderInRound, $0.syscallsPerOp) = (place, calls)
                    $0.serverCpuNsPerOp = 5_000 * (round > 6 ? 1.1 : 1)
                }
            }
        }
        let loaded = busy.map { calls in
            (1...3).map { round in Samples.record("epoll-et", round: round) { $0.syscallsPerOp = calls } }
        }
        return NoiseFloor(runs: quiet, loaded: loaded ?? [], kernel: "k", measuredAt: "t", seed: 1)
    }

    @Test func calibrationTellsWhichCountsAreExactAndHowFarTimesDrift() throws {
        let base = runs { $0.syscallsPerOp = 2.43 }
        let more = runs { $0.syscallsPerOp = 3.43 }
        func count(_ floor: NoiseFloor?) throws -> MetricComparison {
            try row(compare(base, more) { $0.noiseFloor = floor }, "syscalls_per_op")
        }
        #expect(try count(floor(calls: 2.43, busy: 2.43)).verdict == .regressed)
        #expect(try count(floor(calls: 2.43, busy: 2.98)).verdict == .regressed)
        #expect(try count(floor(calls: 2.43, busy: 2.98)).method == .hodgesLehmann)
        #expect(try count(floor(calls: 2.43, busy: nil)).verdict == .inconclusive)
        #expect(try count(floor(calls: 2.4, busy: 4)).verdict == .inconclusive)
        // A whole number that a busy machine changed is none.
        let whole = try compare(runs(), runs { $0.syscallsPerOp = 4 }) { $0.noiseFloor = floor(calls: 3, busy: 5) }
        #expect(try row(whole, "syscalls_per_op").verdict == .inconclusive)
        // Medians lay a tenth apart; twice that is allowed for.
        let drift = try #require(
            floor(calls: 3, busy: 3).entries.first { $0.metric == "server_cpu_ns_per_op" }?.drift)
        #expect(abs(drift - 0.21) < 1e-9)
        let cost = { (factor: Double) in
            try row(
                compare(runs(), runs(factor: factor)) { $0.noiseFloor = floor(calls: 3, busy: 3) },
                "server_cpu_ns_per_op"
            ).verdict
        }
        #expect(try cost(1.15) == .inconclusive && cost(1.3) == .regressed)
        #expect(
            try JSONDecoder().decode(NoiseFloor.self, from: JSONEncoder().encode(floor(calls: 3, busy: 3))).entries
                .count > 0)
    }

    @Test func foreignLoadLeavesTimesAndLooseCountsOpen() throws {
        let loaded: (inout RunRecord) -> Void = { ($0.foreignCpu, $0.syscallsPerOp) = (0.6, 2.43) }
        for (base, new) in [(runs(edit: loaded), runs(factor: 4)), (runs(), runs(factor: 4, edit: loaded))] {
            let comparison = try compare(base, new)
            #expect(comparison.outcome == .inconclusive)
            let text = Headline([comparison]).text
            #expect(["of the machine beside", "60 % ", "1 % "].allSatisfy(text.contains), "\(text)")
        }
        // What does not depend on the load is decided nevertheless, and interleaved sides share the load.
        let exact = try compare(runs { $0.foreignCpu = 0.6 }, runs { $0.syscallsPerOp = 4 })
        #expect(exact.outcome == .regressed)
        let paired = try compare(runs { $0.foreignCpu = 0.6 }, runs(factor: 1.1) { $0.foreignCpu = 0.5 }, .paired)
        #expect(paired.outcome == .regressed)
    }

    @Test func latencyOfASaturatedSideIsNotCompared() throws {
        let saturated: (inout RunRecord) -> Void = { $0.saturated = "yes" }
        for (base, new, who) in [
            (runs(), runs(factor: 1.01, edit: saturated), "the new side"), (runs(edit: saturated), runs(), "the base"),
        ] {
            let comparison = try compare(base, new, .paired)
            #expect(!comparison.rows.contains { $0.metric.hasPrefix("latency_") })
            #expect(comparison.rows.contains { $0.metric == "throughput_ops_per_s" })
            #expect(comparison.outcome == .notCompared)
            let text = Headline([comparison]).text
            #expect(
                text.hasPrefix(
                    "NOT COMPARED accept/epoll-et latency_p50_ns, latency_p99_ns: \(who) did not keep the rate"),
                "\(text)")
        }
        let both = try compare(runs(edit: saturated), runs(edit: saturated), .paired)
        #expect(both.outcome == .same && !both.rows.contains { $0.metric.hasPrefix("latency_") })
        #expect(both.warnings.contains { $0.contains("Neither side kept the rate of epoll-et") })
        // One run of ten that fell behind is left out.
        var once = runs()
        once[3].saturated = "yes"
        let some = try compare(runs(), once, .paired)
        #expect(try row(some, "latency_p50_ns").blocks == 9 && some.outcome == .same)
        // Served so much less that capacity itself is worse.
        let less = try compare(runs { $0.saturated = "no" }, runs(factor: 1.8, edit: saturated), .paired)
        #expect(less.outcome == .regressed)
    }

    @Test func whatOneSideLacksIsAnOutcome() throws {
        func failing(_ mode: String, _ count: Int) -> [RunRecord] {
            var rows = runs(mode)
            for index in 0..<count { (rows[index].status, rows[index].reason) = (.failed, "connect: ENETUNREACH") }
            return rows
        }
        let unsupported = runs("uring-multishot") { ($0.status, $0.reason) = (.unsupported, "io_uring is disabled") }
        let cases: [([RunRecord], [RunRecord], String)] = [
            (runs() + runs("poll"), runs(), "NOT COMPARED accept/poll: only the base has it"),
            (runs(), runs() + runs("poll"), "NOT COMPARED accept/poll: only the new side has it"),
            (
                runs(), runs { $0.connections = 1 },
                "NOT COMPARED accept/epoll-et (64 connections) and 1 more: only the base has it"
            ),
            (
                failing("epoll-et", 1), runs(),
                "FAILED accept/epoll-et: 1 of 10 runs failed on the base: connect: ENETUNREACH"
            ),
            (
                runs() + runs("poll"), runs() + failing("poll", 10),
                "FAILED accept/poll: 10 of 10 runs failed on the new side: connect: ENETUNREACH"
            ),
            (
                runs() + runs("uring-multishot"), runs() + unsupported,
                "NOT COMPARED accept/uring-multishot: not supported on the new side: io_uring is disabled"
            ),
            (
                runs() + unsupported, runs() + unsupported,
                "NOT COMPARED accept/uring-multishot: not supported: io_uring is disabled"
            ),
            (
                runs(), runs { $0.serverCpuNsPerOp = nil },
                "NOT COMPARED accept/epoll-et server_cpu_ns_per_op: only the base has it"
            ),
        ]
        for (base, new, text) in cases {
            let comparison = try compare(base, new, .paired)
            #expect(Headline([comparison]).text == text)
            #expect(comparison.verdict == .inconclusive)
            #expect(comparison.table(width: 200, styled: false).contains("Not compared: "))
            let allowed = try compare(base, new, .paired) { $0.allowsMissing = true }
            let wanted: Outcome = allowed.rows.isEmpty ? .notCompared : .same
            #expect(allowed.outcome == wanted && !allowed.absences.isEmpty)
        }
        // A regression outweighs a lack, and a later try makes up for a run that was void.
        #expect(try compare(runs() + runs("poll"), runs(factor: 1.2), .paired).outcome == .regressed)
        var again = runs()
        again[2].status = .void
        again.append(runs()[2])
        #expect(try compare(runs(), again, .paired).outcome == .same)
    }

    @Test func listsAreInTheOrderOfTheModes() throws {
        let others = ["uring-multishot", "epoll-lt", "poll"].flatMap { runs($0) }
        let comparison = try compare(runs() + others, runs(), .paired)
        #expect(comparison.absences.map { $0.arm["mode"] } == ["poll", "epoll-lt", "uring-multishot"])
        let all = try compare(runs() + others, others + runs(), .paired)
        #expect(
            all.rows.filter { $0.metric == "syscalls_per_op" }.map { $0.arm["mode"] }
                == ["poll", "epoll-lt", "epoll-et", "uring-multishot"])
    }

    @Test func theGravestOfSeveralComparisonsIsTold() throws {
        let same = try compare(runs(), runs(), .paired)
        let lacking = try compare(runs() + runs("poll"), runs(), .paired)
        let worse = try compare(
            runs { $0.workload = "read" }, runs(factor: 1.3) { $0.workload = "read" }, .paired)
        #expect(Headline([same]).text.hasPrefix("SAME accept/epoll-et server_cpu_ns_per_op +0.0 % "))
        #expect(Headline([same, lacking]).outcome == .notCompared)
        #expect(Headline([lacking, worse, same]).text.hasPrefix("REGRESSED read/epoll-et "))
        #expect(Headline([]).outcome == .notCompared)
    }

    @Test func countsOfDifferentOriginAreRemarkedUpon() throws {
        let kernel = runs { $0.syscallsSource = "bpf" }
        let remark = { (comparison: Comparison) in comparison.warnings.contains { $0.contains("(syscalls_source)") } }
        #expect(try remark(compare(runs(), kernel)))
        #expect(try !remark(compare(kernel, kernel)) && !remark(compare(runs(), runs { $0.syscallsSource = "loop" })))
    }
}
