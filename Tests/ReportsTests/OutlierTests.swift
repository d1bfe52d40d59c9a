import RecordSamples
import Records
import Reports
import Testing

/// A mode that is far slower than its neighbours is named, and rows' own warnings are said.
@Suite struct OutlierTests {
    private let modes = ["epoll-lt", "epoll-et", "uring-multishot", "uring-direct"]

    private func rows(slow: String, _ edit: (inout RunRecord) -> Void) -> [RunRecord] {
        modes.map { mode in Samples.record(mode) { if mode == slow { edit(&$0) } } }
    }

    @Test func aModeAHundredTimesSlowerIsNamedWithItsFactorAndItsCause() throws {
        let found = warnings(
            for: rows(slow: "uring-direct") { row in
                row.throughputOpsPerS = 64
                row.latencyP50Ns = 1_050_000_000
                row.addWarning("before Linux 6.4 each close of an accepted slot waits about a second")
            })
        let text = try #require(found.first { $0.hasPrefix("uring-direct takes") }, "\(found)")
        #expect(text.contains("takes 1.05 s (p50), where the other modes take 12.3 µs: 85.4k times longer"), "\(text)")
        #expect(text.contains("Its rows say: before Linux 6.4 each close"))
        #expect(!found.joined().contains("epoll-lt takes"))
    }

    @Test func aTenthOfTheThroughputIsEnough() throws {
        let slow = warnings(for: rows(slow: "epoll-et") { $0.throughputOpsPerS = 11_800 })
        #expect(slow.count == 1)
        #expect(
            slow.first?.hasPrefix("epoll-et serves 11.8k/s, where the other modes serve 118k/s: 10 times less") == true)
        #expect(warnings(for: rows(slow: "epoll-et") { $0.throughputOpsPerS = 12_000 }).isEmpty)
        #expect(warnings(for: rows(slow: "epoll-et") { $0.latencyP50Ns = 122_000 }).isEmpty)
    }

    @Test func onlyWhatRanWithTheSameOptionsIsANeighbour() {
        let one = rows(slow: "") { _ in }
        let other = rows(slow: "") { _ in }.map { row in
            var row = row
            row.connections = 4096
            row.throughputOpsPerS = 1_000
            return row
        }
        #expect(warnings(for: one + other).isEmpty)
        #expect(warnings(for: [Samples.record("epoll-lt") { $0.throughputOpsPerS = 3 }]).isEmpty)
    }

    @Test func aTopologyOfItsOwnMakesNoStranger() {
        let oneShot = Samples.record("epoll-oneshot", topology: "shared-set") { $0.throughputOpsPerS = 100 }
        #expect(
            warnings(for: rows(slow: "") { _ in } + [oneShot]).contains { $0.hasPrefix("epoll-oneshot serves 100/s") })
    }

    @Test func warningsOfRowsAreSaidOnceForEachKind() {
        let rows = (1...3).flatMap { round in
            ["epoll-lt", "epoll-et", "poll"].map { mode in
                Samples.record(mode, round: round) { row in
                    row.addWarning("server and client share processor 0")
                    if mode != "poll" { row.addWarning("offered 70 000/s, served \(40_000 + round)/s: saturated") }
                }
            }
        }
        let found = warnings(for: rows)
        #expect(
            found == [
                "epoll-lt, epoll-et and poll: server and client share processor 0.",
                "epoll-lt and epoll-et: for example offered 70 000/s, served 40001/s: saturated.",
            ], "\(found)")
    }
}
