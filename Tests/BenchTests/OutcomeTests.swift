import Foundation
import Records
import TestSupport
import Testing

/// The last line and the exit code of `compare`, on stored rows.
@Suite struct OutcomeTests {
    private func folders(_ base: [RunRecord], _ new: [RunRecord]) throws -> BenchFolder {
        let folder = try BenchFolder()
        try folder.write("a", rows: base)
        try folder.write("b", rows: new)
        return folder
    }

    /// Slower in every time.
    private func slower(_ factor: Double) -> [RunRecord] {
        storedRows(cost: 5_000 * factor) {
            $0.throughputOpsPerS = 100_000 / factor
            ($0.latencyP50Ns, $0.latencyP99Ns) = (UInt64(10_000 * factor), UInt64(80_000 * factor))
        }
    }

    @Test func aFolderThatIsSlowerInEveryTimeEndsWith2() async throws {
        let folder = try folders(slower(1), slower(1.6))
        let outcome = try await folder.bench("compare a b")
        #expect(outcome.exit == 2 && outcome.output.contains("Overall: regressed ("), "\(outcome.output)")
        #expect(outcome.lastLine.hasPrefix("REGRESSED accept/epoll-et "), "\(outcome.lastLine)")
        let within = try await folders(slower(1), slower(1.2)).bench("compare a b")
        #expect(within.exit == 0 && within.lastLine.hasPrefix("INCONCLUSIVE accept/epoll-et "), "\(within.lastLine)")
        let strict = try await folders(slower(1), slower(1.2)).bench("compare a b --fail-on inconclusive")
        #expect(strict.exit == 2)
    }

    @Test func theDefaultNumberOfRoundsFindsWhatIsBeyondTheDrift() async throws {
        let (base, new) = (slower(1).prefix(3), slower(10).prefix(3))
        let outcome = try await folders(Array(base), Array(new)).bench("compare a b")
        #expect(outcome.exit == 2 && outcome.lastLine.hasPrefix("REGRESSED accept/epoll-et "), "\(outcome.output)")
    }

    @Test func theOutcomeIsTheLastLineWhereverItGoes() async throws {
        let folder = try folders(slower(1), slower(1.6))
        func lastLine(_ redirection: String, of file: String) throws -> Substring {
            let shell = Process()
            shell.executableURL = URL(filePath: "/bin/sh")
            shell.arguments = ["-c", "'\(BenchProcess.path)' compare a b \(redirection)"]
            shell.currentDirectoryURL = folder.url
            try shell.run()
            shell.waitUntilExit()
            return folder.text(file).split(separator: "\n").last ?? ""
        }
        for redirection in [">log 2>&1", ">log 2>/dev/null", ">/dev/null 2>log", "2>log >&2", "2>&1 | cat >log"] {
            #expect(try lastLine(redirection, of: "log").hasPrefix("REGRESSED accept/epoll-et "), "\(redirection)")
        }
        // Not twice in one place.
        _ = try lastLine(">log 2>&1", of: "log")
        #expect(folder.text("log").split(separator: "\n").count { $0.hasPrefix("REGRESSED") } == 1)
    }

    @Test func whatOneSideLacksEndsWith3UnlessItMay() async throws {
        let lacking = storedRows("uring-multishot") { ($0.status, $0.reason) = (.unsupported, "io_uring is disabled") }
        for (more, word) in [(lacking, "not supported on the new side"), ([], "only the base has it")] {
            let folder = try folders(storedRows() + storedRows("uring-multishot"), storedRows() + more)
            let outcome = try await folder.bench("compare a b --drift 0")
            #expect(outcome.exit == 3, "\(outcome.output)")
            #expect(outcome.lastLine.hasPrefix("NOT COMPARED accept/uring-multishot: \(word)"), "\(outcome.lastLine)")
            #expect(outcome.output.contains("Not compared: uring-multishot: \(word)"))
            let allowed = try await folder.bench("compare a b --drift 0 --allow-missing")
            #expect(allowed.exit == 0 && allowed.lastLine.hasPrefix("SAME "), "\(allowed.output)")
            #expect(allowed.lastLine.hasSuffix("(allowed: 1 not compared)"))
        }
        let nothing = try await folders(storedRows(), storedRows("poll")).bench("compare a b --allow-missing")
        #expect(nothing.exit == 3 && nothing.lastLine.hasPrefix("NOT COMPARED "))
    }

    @Test func anErrorKeepsItsLine() async throws {
        let empty = try await folders(storedRows(), []).bench("compare a b")
        #expect(empty.exit == 3 && empty.lastLine.hasPrefix("FAILED ") && empty.complaintLines.count == 1)
        let usage = try await folders(storedRows(), []).bench("compare a nowhere")
        #expect(usage.exit == 64 && usage.output.isEmpty && usage.complaintLines.count == 1)
    }

    @Test func countsOfOneProgramUnderDifferentLoadDoNotEndWith2() async throws {
        let busy = storedRows { ($0.syscallsPerOp, $0.wakeupsPerOp, $0.foreignCpu) = (2.43, 0.22, 0.62) }
        let alone = storedRows { ($0.syscallsPerOp, $0.wakeupsPerOp, $0.foreignCpu) = (2.98, 0.49, 0.01) }
        let outcome = try await folders(busy, alone).bench("compare a b")
        #expect(outcome.exit == 0, "\(outcome.output)")
        #expect(outcome.lastLine.hasPrefix("INCONCLUSIVE accept/epoll-et wakeups_per_op "))
        #expect(outcome.lastLine.contains("other programs took 62 % of the machine beside the base"))
    }
}
