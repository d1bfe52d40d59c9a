import RecordSamples
import Testing

import Records
@testable import Reports

@Suite struct FindingsTests {
    /// Three rounds whose cost is `cost`, `cost` + 1 % and `cost` − 1 %.
    private func rounds(_ mode: String, cost: Double = 5_000, edit: (inout RunRecord) -> Void = { _ in }) -> [RunRecord]
    {
        [0, 0.01, -0.01].enumerated().map { round, change in
            Samples.record(mode, round: round + 1) {
                $0.serverCpuNsPerOp = cost * (1 + change)
                edit(&$0)
            }
        }
    }

    @Test func spuriousWakeupsAreNamedWithTheModeThatHasMost() throws {
        let rows = rounds("epoll-lt") { $0.spuriousWakeupsPerOp = 0.85 } + rounds("epoll-exclusive", cost: 4_000)
        let odd = try #require(workloadFindings(for: rows).first?.oddities.first)
        #expect(odd.hasPrefix("epoll-lt woke workers for nothing: 0.85 wakeups per connection"))
    }

    @Test func wakeupsThatTheKernelTakesBackShowInTheSwitches() throws {
        let rows = rounds("blocking") { $0.voluntarySwitchesPerOp = 2.4 } + rounds("epoll-et", cost: 4_000)
        let odd = try #require(workloadFindings(for: rows).first?.oddities.first)
        #expect(odd.contains("blocking: workers went to sleep 2.40 times per connection but saw only 1.00"))
    }

    @Test func noHerdIsClaimedWhereThereIsNone() {
        let all = findings(for: rounds("epoll-et") + rounds("poll", cost: 6_000)).joined()
        #expect(!all.contains("woke") && !all.contains("sleep"))
        let sleeping = rounds("poll") {
            $0.service = "sleep"
            $0.voluntarySwitchesPerOp = 3
        }
        #expect(!findings(for: sleeping).joined().contains("sleep "))
    }

    @Test func theIdleWorkerIsNamed() {
        let rows =
            rounds("epoll-exclusive") { $0.perWorkerOps = [118_000, 0, 0, 4_000] } + rounds("epoll-et", cost: 4_000)
        #expect(
            findings(for: rows).contains { $0.hasPrefix("epoll-exclusive left workers without work: up to 2 of 4") })
        let uneven = rounds("epoll-exclusive") { $0.perWorkerOps = [100_000, 10_000, 100_000, 90_000] }
        #expect(findings(for: uneven).contains { $0.contains("13 % of an equal share") })
    }

    @Test func aFewOperationsDoNotMakeAStarvedWorker() {
        let rows = rounds("epoll-exclusive") { $0.perWorkerOps = [5, 0, 3, 1] }
        #expect(!findings(for: rows).joined().contains("worker"))
    }

    @Test func aLongWaitIsReported() {
        let rows = rounds("epoll-et") { $0.starvationMaxNs = 600_000_000 }
        #expect(findings(for: rows).contains { $0.contains("600 ms of a 1.00 s window without a connection") })
    }

    @Test func theFirstSentenceIsWhatCostsLeast() {
        let rows =
            rounds("poll", cost: 6_000) { $0.spuriousWakeupsPerOp = 0.9 } + rounds("epoll-et")
            + rounds("uring-multishot", cost: 4_000) { $0.syscallsPerOp = 0.95 }
        #expect(
            findings(for: rows).first
                == "Accept: uring-multishot costs the server least, 4.00 µs of CPU time and 0.95 system calls per "
                + "connection; epoll-et follows with 5.00 µs; 3 rounds cannot rank them for certain.")
    }

    @Test func modesWhoseRoundsOverlapCannotBeToldApart() {
        let overlapping = rounds("epoll-et") + rounds("epoll-lt", cost: 5_050) + rounds("poll", cost: 6_000)
        #expect(
            findings(for: overlapping + rounds("select", cost: 6_010)).first
                == "Accept: epoll-et and epoll-lt cost the server least, 5.00 µs to 5.05 µs of CPU time and 3.00 system "
                + "calls per connection, and cannot be told apart; poll follows with 6.00 µs, which cannot be told apart "
                + "from select; 3 rounds cannot rank them for certain.")
        #expect(
            findings(for: rounds("epoll-et") + rounds("epoll-lt", cost: 5_050)).first
                == "Accept: epoll-et and epoll-lt cost the server 5.00 µs to 5.05 µs of CPU time and 3.00 system calls "
                + "per connection, and cannot be told apart.")
        let many = (1...13).flatMap { rounds("mode-\($0)", cost: 5_000 + Double($0)) }
        #expect(
            findings(for: many).first?.contains("mode-1, mode-2, mode-3 and 10 more cost the server 5.00 µs") == true)
    }

    @Test func oneModeIsPricedAndNotRanked() {
        #expect(
            findings(for: rounds("epoll-lt"))
                == ["Accept: epoll-lt costs the server 5.00 µs of CPU time and 3.00 system calls per connection."])
    }

    @Test func everyWorkloadHasItsAnswerBeforeAnythingElse() {
        let accept = rounds("epoll-lt") { $0.spuriousWakeupsPerOp = 0.9 } + rounds("epoll-et", cost: 4_000)
        let read = rounds("poll") { $0.workload = "read" } + rounds("select", cost: 9_000) { $0.workload = "read" }
        let found = workloadFindings(for: accept + read)
        #expect(found.map(\.workload) == ["accept", "read"])
        #expect(found[0].answers.first?.hasPrefix("Accept: epoll-et costs the server least") == true)
        #expect(found[1].answers.first?.hasPrefix("Read: poll costs the server least") == true)
        #expect(findings(for: accept + read).first == found[0].answers.first)
    }

    @Test func conditionsAreRankedOneByOne() {
        let rows = [64, 8].flatMap { connections in
            rounds("epoll-et", cost: 5_000) { $0.connections = connections }
                + rounds("poll", cost: connections == 8 ? 4_000 : 9_000) { $0.connections = connections }
        }
        let answers = workloadFindings(for: rows).first?.answers ?? []
        #expect(
            answers.map { String($0.prefix(42)) } == [
                "Accept, 8 connections: poll costs the serv", "Accept, 64 connections: epoll-et costs the",
            ])
    }

    @Test func fewestCallsMayBeAnotherModes() {
        let rows = rounds("epoll-et") + rounds("uring-multishot", cost: 6_000) { $0.syscallsPerOp = 0.4 }
        #expect(
            findings(for: rows).first
                == "Accept: epoll-et costs the server least, 5.00 µs of CPU time and 3.00 system calls per connection; "
                + "uring-multishot follows with 6.00 µs; 3 rounds cannot rank them for certain. uring-multishot makes the "
                + "fewest system calls, 0.40 per connection.")
    }

    @Test func aSingleRoundIsSaidToBeOne() {
        let rows = [Samples.record("epoll-et"), Samples.record("poll") { $0.serverCpuNsPerOp = 9_000 }]
        #expect(findings(for: rows).first?.contains("a single round cannot rank them for certain") == true)
    }

    @Test func machinesAreRankedOneByOne() {
        let rows = rounds("epoll-et") + rounds("poll", cost: 1_000) { $0.machineId = "other" }
        let answers = workloadFindings(for: rows).first?.answers ?? []
        #expect(answers.count == 2 && answers.allSatisfy { $0.contains(", machine ") && !$0.contains("least") })
    }

    // MARK: What weakens the answer

    /// An open loop that served `served` of the 70 000 operations per second that were due.
    private func offered(_ mode: String, served: Double, cost: Double = 5_000) -> [RunRecord] {
        rounds(mode, cost: cost) {
            $0.ratePerS = 70_000
            $0.throughputOpsPerS = served
        }
    }

    @Test func aModeThatDidNotKeepItsRateIsNotRanked() throws {
        let rows = offered("poll", served: 40_600, cost: 1_000) + offered("epoll-et", served: 69_900)
        let found = try #require(workloadFindings(for: rows).first)
        #expect(
            found.answers == [
                "Accept: epoll-et costs the server 5.00 µs of CPU time and 3.00 system calls per connection."
            ])
        #expect(
            found.cautions.contains {
                $0.hasPrefix("Not ranked, for they did not keep the rate that was offered: poll served 40.6k of 70.0k")
            })
        let none = try #require(workloadFindings(for: offered("poll", served: 40_600)).first)
        #expect(none.answers.count == 1)
        #expect(none.cautions.contains { $0.hasPrefix("No mode kept the rate that it was offered: poll served 40.6k") })
    }

    @Test func theRowsOwnWordOnSaturationCounts() {
        var row = offered("poll", served: 40_600)[0]
        #expect(!row.keptItsRate && row.offeredPerS == 70_000)
        row.saturated = "no"
        #expect(row.keptItsRate)
        row.saturated = "yes"
        row.offeredOpsPerS = 68_000
        row.throughputOpsPerS = 68_000
        #expect(!row.keptItsRate && row.offeredPerS == 68_000)
        // A search offers more than can be served to find what can.
        row.slo = "p99=1ms"
        #expect(row.keptItsRate)
        #expect(Samples.record("poll").keptItsRate)
    }

    @Test func unusedAndWarnedRowsAreSaidBesideTheAnswer() {
        var rows = rounds("epoll-et") + rounds("poll", cost: 6_000) { $0.warnings = "stalled for 2.00 s of 3.00 s" }
        rows += [Samples.record("blocking") { $0.status = .failed }, Samples.record("select") { $0.status = .void }]
        let cautions = workloadFindings(for: rows).first?.cautions ?? []
        #expect(cautions.first == "2 of 8 runs are not used: 1 void (select), 1 failed (blocking).")
        #expect(cautions.last == "Rows carry warnings: poll in 3 of 3 rounds (stalled for 2.00 s of 3.00 s).")
    }

    @Test func aModeFarSlowerThanItsNeighboursIsNamed() {
        let rows =
            rounds("epoll-et") + rounds("poll", cost: 6_000)
            + rounds("uring-direct", cost: 1_000) { $0.throughputOpsPerS = 64 }
        let found = workloadFindings(for: rows).first
        #expect(
            found?.cautions.contains { $0.contains("uring-direct served 64 connections per second where") } == true)
        #expect(found?.answers.first?.hasPrefix("Accept: epoll-et costs the server least") == true)
    }

    @Test func unusableRowsSayNothing() {
        let rows = rounds("epoll-lt") {
            $0.status = .void
            $0.spuriousWakeupsPerOp = 3
        }
        #expect(workloadFindings(for: rows).first?.answers.isEmpty == true)
        #expect(findings(for: rows) == ["3 of 3 runs are not used: 3 void (epoll-lt)."])
        #expect(findings(for: []).isEmpty)
    }
}
