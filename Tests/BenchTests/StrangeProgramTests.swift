import Foundation
import TestSupport
import Testing

/// `compare --binaries` with programs that are no bench, or a bench that does not end.
@Suite(.timeLimit(.minutes(10))) struct StrangeProgramTests {
    private static let fast = ["true", "false", "cat", "yes", "ls"]

    private func compare(_ program: String, in folder: BenchFolder) async throws -> BenchProcess.Outcome {
        try await folder.bench(
            ["compare", "--binaries", BenchProcess.path, program, "--output", "out", "--", "--mode", "lt"])
    }

    /// One line that names the program, and nothing begun.
    private func checkRefused(_ outcome: BenchProcess.Outcome, _ program: String, in folder: BenchFolder) {
        #expect(outcome.exit == 64, "\(program): \(outcome.complaints)")
        #expect(outcome.complaintLines.count == 1, "\(program): \(outcome.complaints)")
        #expect(outcome.complaints.contains(program), "\(outcome.complaints)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
    }

    @Test(arguments: fast) func aProgramThatIsNoBenchIsRefused(_ name: String) async throws {
        let folders = ["/usr/bin/", "/bin/"].map { $0 + name }
        guard let program = folders.first(where: { access($0, X_OK) == 0 }) else { return }
        let folder = try BenchFolder()
        checkRefused(try await compare(program, in: folder), program, in: folder)
    }

    @Test func aFileThatIsNoProgramIsRefused() async throws {
        let folder = try BenchFolder()
        // The header of a program of a machine that does not exist.
        var header = [UInt8](repeating: 0, count: 64)
        header.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
        header.replaceSubrange(16..<20, with: [2, 0, 0xfe, 0xfe])
        try Data(header).write(to: folder.url.appending(path: "other"))
        try folder.write("text", "no program\n")
        try folder.write("plain", "no program\n")
        try folder.write("flood", "#!/bin/sh\nexec yes\n")
        for name in ["other", "text", "flood"] { chmod(folder.path(name), 0o755) }
        for name in ["other", "text", "plain", "flood"] {
            checkRefused(try await compare(folder.path(name), in: folder), folder.path(name), in: folder)
        }
        checkRefused(try await compare("/tmp", in: folder), "/tmp", in: folder)
    }

    /// A bench that answers what it is asked first, then ignores signals, has a child of its own, and stays.
    private func endless(in folder: BenchFolder, answers: Bool = true) throws -> String {
        let answer = answers ? "case $2 in --help) exec '\(BenchProcess.path)' \"$@\";; esac" : ""
        try folder.write(
            "endless",
            """
            #!/bin/sh
            \(answer)
            trap '' TERM INT HUP
            sleep 1000 &
            echo $! >'\(folder.path("pids"))'
            echo $$ >>'\(folder.path("pids"))'
            while :; do sleep 1000; done

            """)
        chmod(folder.path("endless"), 0o755)
        return folder.path("endless")
    }

    private func pids(_ folder: BenchFolder) -> [pid_t] {
        folder.text("pids").split(separator: "\n").compactMap { pid_t($0) }
    }

    /// Waits until none of them exists any more, not as a zombie either.
    private func checkGone(_ pids: [pid_t]) async throws {
        #expect(pids.count == 2)
        for pid in pids {
            for _ in 0..<3000 where kill(pid, 0) == 0 { try await Task.sleep(for: .milliseconds(20)) }
            #expect(kill(pid, 0) != 0, "\(pid) outlived its parent")
        }
    }

    @Test func aProgramThatSaysNothingIsEndedWithItsChildren() async throws {
        let folder = try BenchFolder()
        let program = try endless(in: folder, answers: false)
        let outcome = try await compare(program, in: folder)
        checkRefused(outcome, program, in: folder)
        #expect(outcome.complaints.contains("did not end within"))
        try await checkGone(pids(folder))
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGKILL]) func childrenEndWithTheirParent(_ signal: Int32) async throws {
        let folder = try BenchFolder()
        let program = try endless(in: folder)
        let process = try folder.start([
            "compare", "--binaries", program, program, "--output", "out", "--", "--mode", "lt",
        ])
        while process.isRunning, pids(folder).count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        process.send(signal)
        let end = await process.wait()
        #expect(end.exit == (signal == SIGKILL ? -SIGKILL : 130), "\(end.complaints)")
        if signal != SIGKILL {
            #expect(end.output.contains("No run was completed."))
            #expect(end.complaints.contains("compare --resume out"))
        }
        try await checkGone(pids(folder))
    }

    @Test func aProgramThatLeftItsGroupEndsWithItsParent() async throws {
        guard isInstalled("python3") else { return }
        let folder = try BenchFolder()
        try folder.write(
            "away",
            """
            #!/bin/sh
            case $2 in --help) exec '\(BenchProcess.path)' "$@";; esac
            exec python3 -c "import os, signal, time
            os.setpgid(0, os.getpgid(os.getppid()))
            for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)
            open('\(folder.path("pids"))', 'w').write(f'{os.getpid()}\\n{os.getppid()}\\n')
            time.sleep(1000)"

            """)
        chmod(folder.path("away"), 0o755)
        let program = folder.path("away")
        let process = try folder.start([
            "compare", "--binaries", program, program, "--output", "out", "--", "--mode", "lt",
        ])
        while process.isRunning, pids(folder).count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        process.send(SIGKILL)
        _ = await process.wait()
        try await checkGone(pids(folder))
    }

    @Test func theSecondSignalEndsAtOnce() async throws {
        let folder = try BenchFolder()
        let program = try endless(in: folder)
        let process = try folder.start([
            "compare", "--binaries", program, program, "--output", "out", "--", "--mode", "lt",
        ])
        while process.isRunning, pids(folder).count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        while process.isRunning {
            process.send(SIGINT)
            try await Task.sleep(for: .milliseconds(50))
        }
        let end = await process.wait()
        #expect(end.exit == 130 && end.complaints.contains("ended at once"), "\(end.complaints)")
        try await checkGone(pids(folder))
    }
}
