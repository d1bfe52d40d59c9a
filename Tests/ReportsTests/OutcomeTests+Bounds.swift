import RecordSamples
import Testing

import Records
@testable import Reports

/// Bounds beside the statistics: the drift, counts that lie clearly apart, and what a side must have.
extension OutcomeTests {
    @Test(arguments: [3, 5]) func fewRunsBeyondTheDriftAreARegression(rounds: Int) throws {
        let modes = (0..<13).map { "mode-\($0)" }
        func side(_ factor: Double) -> [RunRecord] { modes.flatMap { runs($0, rounds: rounds, factor: factor) } }
        let worse = try compare(side(1), side(10))
        #expect(worse.outcome == .regressed && Headline([worse]).text.hasPrefix("REGRESSED accept/mode-"))
        #expect(try compare(side(10), side(1)).outcome == .improved)
        #expect(try compare(side(1), side(1.3)).outcome == .inconclusive)
        // One run that is no slower leaves doubt, and so do two runs, other programs and a machine that does not drift.
        let mixed = runs(rounds: 2, factor: 10) + [runs(rounds: 3)[2]]
        #expect(try compare(runs(rounds: 3), mixed).outcome == .inconclusive)
        #expect(try compare(runs(rounds: 2), runs(rounds: 2, factor: 10)).outcome == .inconclusive)
        #expect(
            try compare(runs(rounds: 3), runs(rounds: 3, factor: 10) { $0.foreignCpu = 0.5 }).outcome == .inconclusive)
        #expect(try compare(runs(rounds: 3), runs(rounds: 3, factor: 1.2)) { $0.drift = 0 }.outcome == .inconclusive)
    }

    @Test func theDriftIsNamedWhereItExplainsAChange() throws {
        let small = try compare(runs(), runs(factor: 1.015)) { $0.drift = 0.01 }
        #expect(!small.rows.contains { $0.doubt?.contains("drift") == true })
        let large = try compare(runs(), runs(factor: 1.015)) { $0.drift = 0.03 }
        #expect(try row(large, "server_cpu_ns_per_op").doubt?.hasPrefix("within 3 %, which the machine may") == true)
    }

    private func counts(
        _ base: [Double], _ new: [Double], foreign: Double = 0.01, _ edit: (inout ComparisonOptions) -> Void = { _ in }
    ) throws -> Comparison {
        func side(_ values: [Double]) -> [RunRecord] {
            values.indices.map { index in
                Samples.record("epoll-et", round: index + 1) {
                    ($0.syscallsPerOp, $0.wakeupsPerOp, $0.foreignCpu) = (values[index], 1, foreign)
                }
            }
        }
        return try compare(side(base), side(new)) {
            $0.gating = ["syscalls_per_op", "wakeups_per_op"]
            $0.metrics = $0.gating
            $0.comparesSteadyCountsOnly = true
            edit(&$0)
        }
    }

    @Test func countsThatAreNotExactGateWhereTheyLieClearlyApart() throws {
        let worse = try counts([2, 2, 2.05], [3, 3, 3])
        #expect(worse.outcome == .regressed && worse.omissions.isEmpty)
        #expect(Headline([worse]).text == "REGRESSED accept/epoll-et syscalls_per_op +50.0 % (2.00 to 3.00)")
        #expect(try counts([2.4, 2.4, 2.4], [3, 3, 3]).outcome == .regressed)
        #expect(try counts([3, 3, 3.2], [2, 2, 2.4]).outcome == .improved)
        for new in [[2.1, 2.1, 2.1], [2.04, 3, 3]] {
            let close = try counts([2, 2, 2.05], new)
            #expect(close.outcome == .same && close.omissions.count == 1)
            #expect(Headline([close]).text.hasSuffix(" (1 count not compared)"))
        }
        #expect(try counts([2, 2, 2.05], [2.4, 2.4, 2.4]) { $0.minEffect = 0.3 }.outcome == .same)
        // Load changes such counts.
        let busy = try counts([2.43, 2.43, 2.43], [2.98, 2.98, 2.98], foreign: 0.6)
        #expect(busy.outcome == .inconclusive)
        #expect(Headline([busy]).text.contains("other programs took 60 %"))
    }

    @Test func anOmissionHasItsReason() throws {
        for (base, reason) in [
            ([2, 2, 2.5], Omission.Reason.scatter), ([2.4, 2.4, 2.4], .fraction), ([2, 2], .tooFewRuns),
        ] {
            let comparison = try counts(base, base)
            #expect(comparison.omissions.first { $0.metric == "syscalls_per_op" }?.reason == reason)
        }
        let time = try counts([2, 2, 2], [2, 2, 2]) { $0.gating.append("server_cpu_ns_per_op") }
        #expect(time.omissions.map(\.reason) == [.noCount])
        #expect(
            try Omission.phrases(counts([2.4, 2.4, 2.4], [2.4, 2.4, 2.4]).omissions)
                == ["\(Omission.Reason.fraction.rawValue): syscalls_per_op of epoll-et"])
    }

    @Test func manyCallsAreNoWholeNumberByTheirSize() throws {
        func exact(_ calls: Double) throws -> MetricComparison.Method {
            try row(compare(runs { $0.syscallsPerOp = calls }, runs { $0.syscallsPerOp = calls }), "syscalls_per_op")
                .method
        }
        #expect(try exact(100) == .exactCount && exact(100.004) == .exactCount)
        #expect(try exact(100.4) == .hodgesLehmann && exact(3.01) == .hodgesLehmann)
    }

    @Test func whatTheUserNamedIsNotPassedOver() throws {
        func named(_ metric: String, _ edit: (inout RunRecord) -> Void = { _ in }) throws -> Comparison {
            try compare(runs(edit: edit), runs(edit: edit), .paired) {
                $0.gating = ["server_cpu_ns_per_op", metric]
                $0.othersCount = false
            }
        }
        let neither = try named("one_way_p50_ns")
        #expect(neither.outcome == .notCompared)
        #expect(Headline([neither]).text == "NOT COMPARED accept/epoll-et one_way_p50_ns: neither side has it")
        let saturated = try named("latency_p50_ns") { $0.saturated = "yes" }
        #expect(
            Headline([saturated]).text
                == "NOT COMPARED accept/epoll-et latency_p50_ns: neither side kept the rate that was offered")
        let client = ComparisonError.noBetterSide("client_cpu_ns_per_op")
        #expect(throws: client) { try named("client_cpu_ns_per_op") }
        #expect(
            client.description.hasPrefix("client_cpu_ns_per_op is a column of which neither more nor less is better"))
    }

    @Test func roundsThatOneSideLacksAreAnOutcome() throws {
        func lone(_ base: Int, _ new: Int, _ design: ComparisonOptions.Design) throws -> Comparison {
            try compare(
                runs(rounds: 7) + runs("poll", rounds: base), runs(rounds: 7) + runs("poll", rounds: new), design
            ) {
                $0.drift = 0
            }
        }
        let paired = try lone(7, 1, .paired)
        #expect(Headline([paired]).text == "NOT COMPARED accept/poll: 6 of 7 rounds are on one side only")
        let few = try lone(10, 9, .paired)
        #expect(few.absences.isEmpty && few.warnings.contains { $0.contains("1 of 10 rounds of poll are on one side") })
        let unpaired = try lone(7, 1, .unpaired)
        #expect(unpaired.absences.map(\.reason) == ["7 runs on the base, 1 on the new side"])
        for (base, new) in [(3, 10), (10, 3), (1, 2), (2, 4)] {
            #expect(try lone(base, new, .unpaired).absences.isEmpty)
        }
    }

    @Test func aRunThatIsNotComparedIsNoTrend() throws {
        // Rising, were it not that the runs of the upper half are void.
        let rising = runs(rounds: 20, edit: { $0.serverCpuNsPerOp = 5_000 + Double($0.round) * 50 }).map { run in
            var run = run
            run.startedAt = "2026-01-31T12:\(10 + run.round):00Z"
            if run.round > 3 { run.status = .void }
            return run
        }
        let comparison = try compare(rising, runs(rounds: 20))
        #expect(!comparison.warnings.contains { $0.contains("drifted") }, "\(comparison.warnings)")
    }

    @Test func ofTwoModesBothAreNamed() throws {
        let comparison = try compare(runs("epoll-lt"), runs("uring-multishot", factor: 1.3), .paired) {
            $0.ignoredColumns = ["mode", "topology"]
        }
        #expect(Headline([comparison]).text.hasPrefix("REGRESSED accept/uring-multishot against epoll-lt "))
    }
}
