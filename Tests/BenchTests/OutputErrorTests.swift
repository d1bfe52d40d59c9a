import Foundation
import TestSupport
import Testing

/// Results that cannot be written: the path, the error's name, and what to do.
@Suite struct OutputErrorTests {
    /// Runs `bench` after a shell has made the scene, in a folder of its own.
    private func run(_ scene: String, _ arguments: String, under prefix: [String] = []) async throws
        -> BenchProcess.Outcome
    {
        let script = "\(scene); exec \"$0\" \(arguments)"
        return try await BenchProcess.run([], under: prefix + ["sh", "-c", script]).outcome
    }

    @Test(arguments: [
        ("true", "--output /dev/null/x", "/dev/null/x cannot be created: Not a directory (ENOTDIR)"),
        ("ln -s loop loop", "--output loop/x", "loop/x cannot be created: Too many levels of symbolic links (ELOOP)"),
        (
            "true", "--output \(String(repeating: "x", count: 300))",
            "cannot be created: File name too long (ENAMETOOLONG)"
        ),
        ("touch results", "", "cannot be created: Not a directory (ENOTDIR)"),
        (
            "true", "compare --binaries \"$0\" \"$0\" --output /dev/null/x",
            "/dev/null/x cannot be created: Not a directory (ENOTDIR)"
        ),
        ("true", "history --csv /dev/null/x .", "no stored runs"),
    ])
    func theErrorIsNamed(_ scene: String, _ arguments: String, _ says: String) async throws {
        let outcome = try await run(scene, arguments)
        #expect(outcome.complaintLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains(says), "\(outcome.complaints)")
    }

    @Test func theDefaultFolderIsNamedAndNoOptionThatWasNotGiven() async throws {
        let outcome = try await run("touch results", "--mode lt")
        #expect(outcome.exit == 64)
        let line = try #require(outcome.complaintLines.first)
        #expect(
            line.wholeMatch(
                of:
                    #/bench: results/\S+ cannot be created: Not a directory \(ENOTDIR\); name a folder that you may write with --output/#
            )
                != nil, "\(line)")
    }

    @Test func aFolderOfAnotherUserSaysEACCES() async throws {
        guard getuid() == 0 else { return print("skipped: only root can become another user") }
        guard isInstalled("setpriv") else { return }
        // The test's own folder may lie where others cannot look.
        let outcome = try await run(
            "cd /", "--mode lt --drain 5 --rounds 1",
            under: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
        guard outcome.exit != 126, outcome.exit != 127 else {
            return print("skipped: another user may not run the program under test")
        }
        #expect(
            outcome.exit == 64 && outcome.complaints.contains("Permission denied (EACCES)"), "\(outcome.complaints)")
    }

    @Test(arguments: [
        ("ro", "Read-only file system (EROFS)", 64), ("nr_inodes=1", "No space left on device (ENOSPC)", 3),
    ])
    func aFileSystemThatCannotTakeItIsNamed(_ option: String, _ says: String, _ exit: Int) async throws {
        guard succeeds(["unshare", "-m", "true"], need: "mounting needs root") else { return }
        let outcome = try await run(
            "mkdir fs && mount -t tmpfs -o \(option) none fs", "--mode lt --output fs/x", under: ["unshare", "-m"])
        guard !outcome.complaints.contains("mount:") else { return print("skipped: \(outcome.complaints)") }
        #expect(outcome.exit == exit && outcome.complaints.contains(says), "\(outcome.complaints)")
        #expect(outcome.complaintLines.count == 1)
    }

    @Test(arguments: ["list", "--help", "--version", "doctor", "list --columns"])
    func standardOutputThatCannotBeWrittenIsAFailure(_ command: String) async throws {
        let full = try await run("exec >/dev/full", command)
        #expect(full.exit == 3 && full.complaints.contains("standard output: No space left on device (ENOSPC)"))
        let closed = try await run("exec >&-", command)
        #expect(
            closed.exit == 3 && closed.complaints.contains("standard output: Bad file descriptor (EBADF)"),
            "\(closed.complaints)")
        #expect(full.complaintLines.count == 1 && closed.complaintLines.count == 1)
    }

    @Test func aReaderThatGoesAwayIsNoFailure() async throws {
        guard isInstalled("bash") else { return }
        let (_, outcome) = try await BenchProcess.run(
            [], under: ["bash", "-c", "\"$0\" list --columns | head -1; exit ${PIPESTATUS[0]}"])
        #expect(outcome.complaints.isEmpty && [0, 141].contains(outcome.exit), "\(outcome.exit) \(outcome.complaints)")
        #expect(outcome.output.hasPrefix("| column"))
    }

    @Test func baselinesOfAMachineAreIgnoredAndCountsAreKept() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        guard isInstalled("git") else { return }
        guard succeeds(["git", "-C", root.path(), "rev-parse"], need: "this is no checkout") else { return }
        let (_, outcome) = try await BenchProcess.run(
            [],
            under: [
                "sh", "-c",
                "git -C \"$1\" check-ignore results/baseline/m/accept/runs.csv results/baseline/m/bench "
                    + "results/baseline/counts/accept/runs.csv", "sh", root.path(),
            ])
        #expect(outcome.output == "results/baseline/m/accept/runs.csv\nresults/baseline/m/bench\n", "\(outcome.output)")
    }
}
