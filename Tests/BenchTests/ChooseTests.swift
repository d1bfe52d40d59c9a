import Foundation
import Records
import TestSupport
import Testing

@Suite(.serialized) struct ChooseTests {
    /// Which of two modes wins, and whether the time suffices, is the machine's affair.
    @Test func aScenarioEndsWithARecommendationAndItsRuns() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["choose", "--scenario", "short-connections", "--mode", "lt,poll", "--workers", "1", "--rate", "500"]
                + ["--budget", "3s", "--output", "out"])
        #expect([0, 4].contains(outcome.exit), "\(outcome.complaints)")
        #expect(outcome.output.hasPrefix("For short connections on 1 worker: "))
        let rows = try process.rows()
        #expect(rows.count >= 4 && Set(rows.map(\.mode)) == ["epoll-lt", "poll"])
        #expect(Set(rows.map(\.listener)) == ["shared", "reuseport"])
        #expect(rows.allSatisfy { $0.ratePerS == 500 && $0.workload == "crr" })
    }

    @Test func aSecondIsEnoughForAFirstLookAtTheMost() async throws {
        let (_, outcome) = try await BenchProcess.run(
            [
                "choose", "--scenario", "wake-ups", "--mode", "blocking,lt", "--budget", "1ms", "--quiet", "--output",
                "out",
            ]
        )
        #expect(outcome.exit == 4)
        #expect(outcome.output.hasPrefix("For waking another thread: undecided; there was time for a first look only"))
        #expect(outcome.output.split(separator: "\n").count <= 2)
    }

    @Test func oneCandidateIsRecommended() async throws {
        let (_, outcome) = try await BenchProcess.run(
            [
                "choose", "--scenario", "keep-alive", "--mode", "lt", "--rate", "500", "--workers", "1", "--output",
                "out",
            ])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.output.hasPrefix("For connections that stay on 1 worker: epoll-lt."))
    }

    @Test func aModeThatCannotRunIsNamedWithItsReason() async throws {
        let (_, outcome) = try await BenchProcess.run(
            ["choose", "--scenario", "mostly-idle", "--mode", "lt,select", "--idle", "1100", "--workers", "1"]
                + ["--rate", "500", "--budget", "3s", "--output", "out"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.output.hasPrefix("For mostly idle connections on 1 worker: epoll-lt."))
        #expect(outcome.output.contains("Not ranked: select (unsupported: select takes descriptors below 1024"))
    }

    struct Mistake: Sendable {
        let arguments: String
        let says: String
    }

    @Test(arguments: [
        Mistake(arguments: "--scenario short", says: "--scenario takes short-connections, keep-alive"),
        Mistake(arguments: "--workers 2", says: "--workers adjusts one scenario; name it with --scenario"),
        Mistake(arguments: "--scenario keep-alive --min-effect 0", says: "--min-effect takes a percentage"),
        Mistake(arguments: "--scenario keep-alive --min-effect x", says: "--min-effect takes a percentage"),
        Mistake(arguments: "--scenario keep-alive --budget never", says: "--budget takes a time such as 1s"),
        Mistake(arguments: "--scenario short-connections --idle 5", says: "--idle belongs to --workload read"),
        Mistake(arguments: "--scenario keep-alive --mode nonsense", says: "unknown mode 'nonsense'"),
    ]) func aMistakeGetsOneLine(_ mistake: Mistake) async throws {
        let arguments = ["choose"] + mistake.arguments.split(separator: " ").map(String.init)
        let (_, outcome) = try await BenchProcess.run(arguments)
        #expect(outcome.exit == 64)
        #expect(outcome.complaintLines.count == 1)
        #expect(outcome.complaints.contains(mistake.says), "\(outcome.complaints)")
    }
}
