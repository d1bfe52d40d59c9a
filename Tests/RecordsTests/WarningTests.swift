import Records
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
            (rounds(3) { run, _ in run.lost = 3 }, "lost", "--rate"),
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
