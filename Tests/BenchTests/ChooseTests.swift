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
        // The report begins with what was printed first.
        let report = try BenchProcess(["report", "out"], in: process.folder)
        #expect(await report.wait().exit == 0)
        let answer = outcome.output.prefix { $0 != "\n" }
        #expect(process.text("out/report.html").contains(answer))
    }

    /// With time for it, what is recommended is tried on this kernel, and what was seen is kept.
    @Test func claimsOfWhatIsRecommendedAreTried() async throws {
        let (process, outcome) = try await BenchProcess.run(
            [
                "choose", "--scenario", "mostly-idle", "--mode", "poll", "--idle", "10", "--workers", "1", "--rate",
                "500",
            ]
                + ["--budget", "20s", "--output", "out"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.output.contains("On this kernel, poll: "))
        #expect(process.text("out/claims.csv").contains("\nscale-wait-cost,"))
    }

    @Test func aBudgetOfNothingIsEnoughForAFirstLook() async throws {
        let (_, outcome) = try await BenchProcess.run(
            [
                "choose", "--scenario", "wake-ups", "--mode", "blocking,lt", "--budget", "1ms", "--quiet", "--output",
                "out",
            ]
        )
        #expect(outcome.exit == 4)
        #expect(outcome.output.hasPrefix("For waking another thread: undecided"))
        #expect(!outcome.output.contains("standing") && !outcome.output.contains("Results:"))
    }

    @Test func aBoundDecidesByCapacity() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["choose", "--scenario", "keep-alive", "--mode", "lt", "--workers", "1", "--slo", "p50=1s"]
                + ["--output", "out"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.output.hasPrefix("For connections that stay on 1 worker: epoll-lt."))
        let rows = try process.rows()
        #expect(!rows.isEmpty && rows.allSatisfy { $0.slo == "p50=1s" && $0.capacityOpsPerS ?? 0 > 0 })
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

    /// The runs that were whole are the answer's, and `run` does not go on with another command's folder.
    @Test func anInterruptedChoiceSaysWhatItSaw() async throws {
        let folder = try BenchFolder()
        let process = try folder.start(
            ["choose", "--scenario", "wake-ups", "--mode", "blocking,lt"]
                + ["--budget", "600s", "--min-effect", "0.1", "--output", "out"])
        while process.isRunning, folder.text("out/runs.csv").count(where: { $0 == "\n" }) < 20 {
            try await Task.sleep(for: .milliseconds(5))
        }
        process.send(SIGINT)
        let outcome = await process.wait()
        #expect(outcome.exit == 130)
        #expect(outcome.output.hasPrefix("For waking another thread: "))
        #expect(outcome.complaints.contains("interrupted; the answer is of the blocks so far"))
        let again = try folder.start(["run", "--resume", "out"])
        let refused = await again.wait()
        #expect(refused.exit == 64)
        #expect(refused.complaints.contains("bench choose cannot go on where it was interrupted; run it again"))
    }

    @Test func aCombinationThatWasNamedAndCannotBeIsSaid() async throws {
        let (_, outcome) = try await BenchProcess.run(
            ["choose", "--scenario", "wake-ups", "--mode", "blocking,multishot", "--budget", "1ms", "--quiet"]
                + ["--output", "out"])
        #expect(outcome.output.contains("uring-multishot accepts or receives, and a signal is neither"))
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
        Mistake(arguments: "--scenario keep-alive --workers 1,4", says: "--workers takes one number here"),
        Mistake(arguments: "--scenario slow-requests --server a=b{port}", says: "spent by our own loops alone"),
        Mistake(arguments: "--scenario keep-alive --mode nonsense", says: "unknown mode 'nonsense'"),
    ]) func aMistakeGetsOneLine(_ mistake: Mistake) async throws {
        let arguments = ["choose"] + mistake.arguments.split(separator: " ").map(String.init)
        let (_, outcome) = try await BenchProcess.run(arguments)
        #expect(outcome.exit == 64)
        #expect(outcome.complaintLines.count == 1)
        #expect(outcome.complaints.contains(mistake.says), "\(outcome.complaints)")
    }
}
