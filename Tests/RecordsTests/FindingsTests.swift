import Records
import Testing

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
        let first = try #require(findings(for: rows).first)
        #expect(first.hasPrefix("epoll-lt woke workers for nothing: 0.85 wakeups per connection"))
    }

    @Test func wakeupsThatTheKernelTakesBackShowInTheSwitches() throws {
        let rows = rounds("blocking") { $0.voluntarySwitchesPerOp = 2.4 } + rounds("epoll-et", cost: 4_000)
        let first = try #require(findings(for: rows).first)
        #expect(first.contains("blocking: workers went to sleep 2.40 times per connection but saw only 1.00"))
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

    @Test func theCheapestIsNamedOnlyIfItsRoundsLieApart() {
        let clear = findings(for: rounds("epoll-et") + rounds("poll", cost: 6_000))
        #expect(clear.contains { $0.hasPrefix("epoll-et cost the least server CPU, 5.00 µs per connection") })
        let overlapping = findings(
            for: rounds("epoll-et") + rounds("epoll-lt", cost: 5_050) + rounds("poll", cost: 6_000))
        #expect(overlapping.contains { $0.hasPrefix("epoll-et and epoll-lt cost the least server CPU") })
        #expect(overlapping.contains { $0.contains("do not rank among themselves") })
        #expect(findings(for: rounds("epoll-et") + rounds("epoll-lt", cost: 5_050)).isEmpty)
    }

    @Test func fewestCallsMayBeAnotherModes() {
        let rows = rounds("epoll-et") + rounds("uring-multishot", cost: 6_000) { $0.syscallsPerOp = 0.4 }
        let text = findings(for: rows).joined()
        #expect(
            text.contains("epoll-et cost the least server CPU, 5.00 µs per connection; uring-multishot made the fewest")
        )
    }

    @Test func aSingleRoundIsSaidToBeOne() {
        let rows = [Samples.record("epoll-et"), Samples.record("poll") { $0.serverCpuNsPerOp = 9_000 }]
        #expect(findings(for: rows).contains { $0.contains("in a single round") })
    }

    @Test func unusableRowsSayNothing() {
        let rows = rounds("epoll-lt") {
            $0.status = .void
            $0.spuriousWakeupsPerOp = 3
        }
        #expect(findings(for: rows).isEmpty)
        #expect(findings(for: []).isEmpty)
    }
}
