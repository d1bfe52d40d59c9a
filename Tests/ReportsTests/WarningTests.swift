import RecordSamples
import Records
import Reports
import Testing

@Suite struct WarningTests {
    private func rounds(_ count: Int, edit: (inout RunRecord, Int) -> Void = { _, _ in }) -> [RunRecord] {
        (1...count).map { round in
            Samples.record("epoll-et", round: round) {
                $0.serverCpuNsPerOp = 5_000 + Double(round * 37 % 11)
                $0.throughputOpsPerS = 118_000 + Double(round * 53 % 13)
                edit(&$0, round)
            }
        }
    }

    @Test func aGoodRunHasNone() {
        #expect(warnings(for: rounds(20)).isEmpty)
        #expect(warnings(for: []).isEmpty)
        let openLoop = rounds(3) { run, _ in
            run.clientCpuNsPerOp = 8_300
            run.ratePerS = 118_000
        }
        #expect(!warnings(for: openLoop).joined().contains("bottleneck"))
        let wake = rounds(3) { run, _ in
            run.clientCpuNsPerOp = 8_300
            run.workload = "wake"
        }
        #expect(warnings(for: wake).isEmpty)
    }

    @Test func eachNamesTheArmAndTheRemedy() {
        let cases: [(rows: [RunRecord], text: String, remedy: String)] = [
            (
                rounds(20) { run, round in run.serverCpuNsPerOp = (run.serverCpuNsPerOp ?? 0) + Double(round % 2) * 900
                }, "two groups", "--pin"
            ),
            (rounds(3) { run, _ in run.latencySamples = 400 }, "Too few operations", "--duration"),
            (rounds(3) { run, _ in run.clientCpuNsPerOp = 8_300 }, "client was the bottleneck", "--rate"),
            (
                rounds(3) { run, round in
                    if round == 2 {
                        run.status = .void
                        run.listenOverflows = 65
                    }
                }, "overflowed", "somaxconn"
            ),
            (
                rounds(3) { run, _ in
                    run.lost = 3
                    run.status = .failed
                }, "got no answer", "reason"
            ),
            (
                rounds(3) { run, round in run.errors = round == 2 ? run.operations / 50 : 0 },
                "one in a hundred operations failed", "bench doctor"
            ),
            (rounds(3) { run, _ in run.foreignCpu = 0.3 }, "Other programs", "Stop them"),
        ]
        for (rows, text, remedy) in cases {
            let found = warnings(for: rows)
            #expect(found.count == 1, "\(text): \(found)")
            #expect(found.contains { $0.contains(text) && $0.contains(remedy) && $0.contains("epoll-et") }, "\(found)")
        }
    }

    @Test func twoKindsOfRoundsOfBoundThreadsAreNotToBeBound() throws {
        let rows = rounds(20) { run, round in
            run.pinning = "server=0 client=1"
            run.serverCpuNsPerOp = (run.serverCpuNsPerOp ?? 0) + Double(round % 2) * 900
        }
        let found = warnings(for: rows)
        #expect(found.count == 1)
        let text = try #require(found.first)
        #expect(text.contains("epoll-et") && text.contains("idle"))
        #expect(!text.contains("--pin") && !text.contains("two groups"))
        // One round that was not bound, and it may be the place again.
        var mixed = rows
        mixed[0].pinning = "none"
        #expect(warnings(for: mixed).contains { $0.contains("two groups") && $0.contains("--pin") })
    }

    @Test func armsAreNamedInTheOrderOfTheRowsAndAllOfThem() {
        let modes = ["blocking", "select", "poll", "epoll-lt", "epoll-et", "uring-single"]
        let rows = modes.enumerated().map { place, mode in
            Samples.record(mode) { $0.foreignCpu = place == 2 ? 0 : 0.5 }
        }
        let text = warnings(for: rows).joined()
        #expect(text.contains("blocking, select, epoll-lt, epoll-et and uring-single."))
        #expect(!text.contains("more,") && !text.contains("more."))
        let all = warnings(for: modes.map { mode in Samples.record(mode) { $0.foreignCpu = 0.5 } })
        #expect(all.joined().contains("all 6 modes"))
        let two = warnings(for: modes.prefix(2).map { mode in Samples.record(mode) { $0.foreignCpu = 0.5 } })
        #expect(two.joined().contains("blocking and select"))
    }

    @Test func twoGroupsAreSeenAmongManyArms() {
        let rows = (1...40).flatMap { workers in
            rounds(20) { run, round in
                run.workers = workers
                if workers == 7 { run.serverCpuNsPerOp = (run.serverCpuNsPerOp ?? 0) + Double(round % 2) * 900 }
            }
        }
        #expect(warnings(for: rows).filter { $0.contains("two groups") && $0.contains("7 workers") }.count == 1)
    }

    @Test func noiseIsHeldAgainstTheFloor() {
        let aa = (1...8).flatMap { round in
            [1, 2].map { place in
                Samples.record("epoll-et", round: round) {
                    $0.orderInRound = place
                    $0.serverCpuNsPerOp = 5_000 + Double(place)
                }
            }
        }
        let floor = NoiseFloor(runs: aa, kernel: "k", measuredAt: "t", seed: 1)
        let wild = rounds(8) { run, round in run.serverCpuNsPerOp = 4_000 + Double(round) * 300 }
        #expect(warnings(for: wild, noiseFloor: floor).contains { $0.contains("noise floor") })
        #expect(warnings(for: rounds(8), noiseFloor: floor).isEmpty)
    }
}
