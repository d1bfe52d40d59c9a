import RecordSamples
import Records
import Statistics
import Testing

@testable import Reports

@Suite struct ChoiceTests {
    private let column = Column.named("server_cpu_ns_per_op")!

    /// A race of modes with these costs in each block, in nanoseconds, and the rows that it would come from.
    private func choice(
        _ costs: [(mode: String, cost: Double)], blocks: Int = 40, edit: @escaping (inout RunRecord) -> Void = { _ in }
    ) -> Choice {
        var race = Race(arms: costs.count)
        var rows: [Int: [RunRecord]] = [:]
        for block in 0..<blocks where !race.isOver {
            // No two blocks are alike, and no arm strays by more than a hundredth.
            let costs = race.running.map {
                ($0, costs[$0].cost * (1 + 0.01 * Double((block * 7 + $0 * 3) % 5 - 2) / 2))
            }
            race.add(Dictionary(uniqueKeysWithValues: costs))
            for (arm, cost) in costs {
                rows[arm, default: []].append(row(arm, block, cost))
            }
        }
        race.finish()
        func row(_ arm: Int, _ block: Int, _ cost: Double) -> RunRecord {
            Samples.record(costs[arm].mode, round: block + 1) {
                $0.serverCpuNsPerOp = cost
                edit(&$0)
            }
        }
        return Choice(
            subject: "tests", score: column, phrase: "of server CPU per connection", minEffect: 0.05, race: race,
            arms: costs.indices.map { ArmRuns(arm: Arm(row($0, 0, 1)), records: rows[$0] ?? []) })
    }

    @Test func theCheapestIsRecommendedWithItsPriceAndTheNext() {
        let choice = choice([("epoll-lt", 6000), ("uring-multishot", 5000), ("poll", 50_000)])
        #expect(choice.race.isDecided)
        #expect(choice.sentences[0] == "For tests: uring-multishot.")
        #expect(choice.sentences[1].hasPrefix("5.00 µs of server CPU per connection; next is epoll-lt, +20 % ["))
        #expect(choice.sentences[2].hasPrefix("Avoid poll: ") && choice.sentences[2].hasSuffix(" times as much."))
        #expect(choice.sentences.count == 3)
    }

    /// The order of two that are equal is chance.
    private let either = ["epoll-et or epoll-lt", "epoll-lt or epoll-et"]

    @Test func equalOnesAreRecommendedTogether() {
        let choice = choice([("epoll-lt", 5010), ("epoll-et", 5000), ("select", 7000)])
        #expect(either.map { "For tests: \($0) (equal within 5 %)." }.contains(choice.sentences[0]))
        #expect(choice.sentences[1].contains("next is select, +40 %"))
    }

    @Test func tooFewBlocksDecideNothing() {
        let screened = choice([("epoll-lt", 5200), ("epoll-et", 5000)], blocks: 2)
        #expect(!screened.race.isDecided)
        #expect(
            screened.sentences[0].hasPrefix("For tests: undecided after a first look, in which epoll-et cost least."))
        let raced = choice([("epoll-lt", 5200), ("epoll-et", 5000)], blocks: 10)
        #expect(raced.sentences[0].hasPrefix("For tests: undecided after 4 blocks among epoll-et and epoll-lt"))
    }

    /// A choice among arms that did not run, for four workers.
    private func choice(_ arms: [ArmRuns], race: Race) -> Choice {
        Choice(
            subject: "tests", score: column, phrase: "of CPU", minEffect: 0.05, race: race, arms: arms, workers: 4)
    }

    @Test func whereMoreIsBetterTheRaceIsOfInverses() {
        let capacities = [("epoll-lt", 40_000.0), ("uring-multishot", 50_000), ("poll", 4000)]
        var choice = choice(capacities.map { ($0.0, 1 / $0.1) })
        choice.score = Column.named("capacity_ops_per_s")!
        choice.phrase = "messages per second within p99=1ms"
        #expect(choice.sentences[0] == "For tests: uring-multishot.")
        #expect(
            choice.sentences[1].hasPrefix("50.0k messages per second within p99=1ms; next is epoll-lt, -20 % [-"),
            "\(choice.sentences[1])")
        #expect(choice.sentences[2].hasPrefix("Avoid poll: 0.0"), "\(choice.sentences[2])")
        let row = Samples.record { ($0.slo, $0.capacityOpsPerS) = ("p99=1ms", 40_000) }
        #expect(choice.score(row) == 1 / 40_000.0)
        #expect(choice.score(Samples.record { ($0.slo, $0.capacityOpsPerS) = ("p99=1ms", 0) }) == nil)
    }

    @Test func whatMayNotBeRankedHasNoScore() {
        let choice = choice([], race: Race(arms: 0))
        func score(_ edit: (inout RunRecord) -> Void) -> Double? { choice.score(Samples.record(edit: edit)) }
        #expect(score { _ in } == 5120)
        #expect(score { $0.saturated = "yes" } == nil)
        #expect(score { $0.status = .failed } == nil)
        #expect(score { $0.fairnessJain = 0.3 } == nil)
        #expect(score { $0.fairnessJain = 0.5 } == nil)
        #expect(score { $0.fairnessJain = 0.6 } == 5120)
        // A thread for each connection, of which some never speak.
        let threads = score {
            ($0.workload, $0.mode, $0.fairnessJain, $0.workers, $0.idle) = ("read", "blocking", 0.01, 5064, 5000)
        }
        #expect(threads == 5120)
    }

    @Test func whatIsLeftOutIsNamedWithItsReason() {
        var race = Race(arms: 4)
        for _ in 0..<3 { race.add([0: 10]) }
        race.finish()
        func rows(_ mode: String, _ edit: @escaping (inout RunRecord) -> Void) -> ArmRuns {
            let records = (1...2).map { Samples.record(mode, round: $0, edit: edit) }
            return ArmRuns(arm: Arm(records[0]), records: records)
        }
        let choice = choice(
            [
                rows("epoll-lt") { $0.serverCpuNsPerOp = 10 },
                rows("select") { ($0.status, $0.reason) = (.unsupported, "too many descriptors") },
                rows("poll") { $0.saturated = "yes" },
                rows("uring-multishot") { ($0.fairnessJain, $0.perWorkerOps) = (0.25, [400, 0, 0, 0]) },
            ], race: race)
        #expect(choice.sentences[0] == "For tests: epoll-lt.")
        #expect(
            choice.sentences.last
                == "Not ranked: select (unsupported: too many descriptors); poll (did not keep the rate); "
                + "uring-multishot (gave nearly all to 1 of 4 workers).")
    }

    /// Each by what explains most: a call that finds nothing is not told again as a system call.
    @Test func whatCostsIsNamedByItsCounts() {
        let choice = choice([("epoll-lt", 5000), ("epoll-et", 7000), ("epoll-oneshot", 6000), ("poll", 6500)]) {
            ($0.syscallsPerOp, $0.emptyCallsPerOp, $0.spuriousWakeupsPerOp, $0.voluntarySwitchesPerOp) = (3, 0, 0, 0.5)
            switch $0.mode {
            case "epoll-et": ($0.syscallsPerOp, $0.emptyCallsPerOp) = (4, 1)
            case "epoll-oneshot": $0.syscallsPerOp = 4
            case "poll": $0.voluntarySwitchesPerOp = 1
            default: break
            }
        }
        #expect(
            choice.sentences[2]
                == "What costs: 1.00 calls a connection that find nothing (epoll-et), where epoll-lt has 0; "
                + "4.00 system calls a connection (epoll-oneshot), where epoll-lt has 3.00; "
                + "asleep 1.00 times a connection (poll), where epoll-lt has 0.50.")
    }

    /// Where the score is no cost the counts explain nothing.
    @Test func countsAreNoReasonsForATail() {
        var choice = choice([("epoll-lt", 5000), ("poll", 9000)]) { $0.syscallsPerOp = $0.mode == "poll" ? 9 : 3 }
        #expect(choice.reasons != nil)
        choice.score = Column.named("latency_p999_ns")!
        #expect(choice.reasons == nil)
    }

    @Test func memoryOfWhatIsRecommendedIsNamedWhereOthersTakeHalf() {
        let choice = choice([("blocking", 5000), ("epoll-lt", 9000)]) {
            $0.bytesPerConnection = $0.mode == "blocking" ? 20_000 : 4000
        }
        #expect(
            choice.sentences.contains("Memory: blocking up to 20.0k bytes a connection, where epoll-lt takes 4.00k."),
            "\(choice.sentences)")
    }

    @Test func whatClaimsTellStandsBehindThePrice() {
        var choice = choice([("epoll-lt", 5000), ("poll", 50_000)])
        #expect(choice.notable == [0, 1])
        let claim = ClaimRecord(
            claim: "accept-herd", statement: "all wake", source: "", verdict: "holds", observed: "woken=4", detail: "",
            durationMs: 1, finding: "4 of 4 threads woke for one connection.")
        choice.observed = [Choice.Observation(arms: [0, 1], claim: claim)]
        #expect(
            choice.sentences.last
                == "On this kernel, epoll-lt and poll: 4 of 4 threads woke for one connection (claim accept-herd).")
    }

    @Test func otherThreadsThanAskedForAreNamed() {
        var race = Race(arms: 1)
        race.finish()
        let row = Samples.record("blocking") { $0.workers = 64 }
        let choice = choice([ArmRuns(arm: Arm(row), records: [row])], race: race)
        #expect(choice.sentences == ["For tests: blocking (64 threads)."])
    }

    @Test func aDisturbedMachineIsNamedAsTheReason() {
        var disturbed = choice([("epoll-lt", 5200), ("epoll-et", 5000)], blocks: 0)
        disturbed.disturbedBlocks = 9
        #expect(disturbed.sentences == ["For tests: undecided; other programs had too much of the machine."])
    }

    @Test func aMarginBelowOnePercentIsShown() {
        var choice = choice([("epoll-lt", 5010), ("epoll-et", 5000)])
        choice.minEffect = 0.004
        #expect(either.map { "For tests: \($0) (equal within 0.4 %)." }.contains(choice.sentences[0]))
        choice.minEffect = 0.025
        #expect(choice.sentences[0].hasSuffix("(equal within 2.5 %)."))
    }

    @Test func theTableHasEveryArmThatWasRanked() {
        let choice = choice([("epoll-lt", 6000), ("uring-multishot", 5000), ("poll", 50_000)])
        let lines = choice.table(width: 120, styled: false).split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("uring-multishot") && $0.contains("best") })
        #expect(lines.contains { $0.hasPrefix("epoll-lt") && $0.contains("behind uring-multishot") })
        #expect(lines.contains { $0.hasPrefix("poll") && $0.contains("dropped early") })
        for width in [40, 80] {
            #expect(choice.table(width: width, styled: false).split(separator: "\n").allSatisfy { $0.count <= width })
        }
    }
}
