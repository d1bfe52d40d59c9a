import Foundation
import Meters
import Records
import Reports
import SystemPackage
import TestSupport
import Testing
import Claims
import Load
import Loops
import Runs

@Suite(.serialized) struct TroubleTests {
    private static let many = ["--mode", "lt,et", "--rounds", "10000", "--output", "out", "--drain", "20"]
    private static let manyLoops = Array(many.dropLast(2)) + ["--duration", "20ms", "--warmup", "0"]

    @Test(arguments: [SIGINT, SIGTERM], [many, manyLoops])
    func anInterruptedInvocationLeavesValidFilesThatSayPartial(_ signal: Int32, _ arguments: [String]) async throws {
        let process = try BenchProcess(arguments)
        try await process.waitForRows(1)
        process.send(signal)
        let outcome = await process.wait()
        #expect(outcome.exit == 130 && !outcome.endedBySignal)
        let rows = try process.rows()
        #expect(!rows.isEmpty)
        #expect(rows.allSatisfy { $0.status != .ok && !$0.reason.isEmpty })
        #expect(process.describesItself)
        #expect(process.text("out/run.json").contains("\"interrupted\" : true"))
    }

    @Test(arguments: [SIGINT, SIGTERM]) func anInterruptionShowsTheWholeRunsAndHowToGoOn(_ signal: Int32) async throws {
        let process = try BenchProcess(Self.many)
        try await process.waitForRows(4)
        process.send(signal)
        let outcome = await process.wait()
        #expect(outcome.exit == 130)
        let line = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("epoll-") })
        #expect(!line.contains("partial") && line.contains(where: \.isNumber), "\(outcome.output)")
        let command = try #require(outcome.complaintLines.last { $0.contains("to go on: ") })
        #expect(command.hasSuffix("\(BenchProcess.path) run --resume out"), "\(command)")
    }

    @Test func aRunThatDoesNotEndIsEnded() async throws {
        // What the limit of a run does when it is over.
        let process = try BenchProcess(
            ["--mode", "lt", "--drain", "2000", "--service-time", "fixed:5ms", "--service", "sleep", "--rounds", "100"]
                + ["--output", "out"])
        try await process.waitForRows(1)
        for _ in 0..<500 where process.isRunning {
            process.send(SIGALRM)
            try await Task.sleep(for: .milliseconds(20))
        }
        if process.isRunning { process.send(SIGKILL) }
        let outcome = await process.wait()
        #expect(outcome.exit == 3 && !outcome.endedBySignal, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("did not end within"), "\(outcome.complaints)")
        #expect(outcome.complaints.contains("run --resume out"))
        #expect(try process.rows().count >= 1)
    }

    @Test func aDrainCanBeInterrupted() async throws {
        let process = try BenchProcess(
            ["--mode", "lt", "--drain", "2000", "--service-time", "fixed:5ms", "--service", "sleep", "--rounds", "100"]
                + ["--output", "out"])
        while process.isRunning && process.text("out/run.json").isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        process.send(SIGINT)
        let outcome = await process.wait()
        #expect(outcome.exit == 130 && outcome.output == "No run was completed.\n", "\(outcome.output)")
        #expect(try process.rows().map(\.status) == [.partial])
    }

    @Test func aKilledInvocationLeavesValidFilesThatSayPartial() async throws {
        let process = try BenchProcess(Self.many)
        try await process.waitForRows(2)
        process.send(SIGKILL)
        #expect(await process.wait().endedBySignal)
        let text = process.text("out/runs.csv")
        // A kill in the middle of write(2) may leave part of a row; nothing before it is touched.
        let whole = text[...(try #require(text.lastIndex(of: "\n")))]
        let rows = try RunRecord.read(Array(whole.utf8), file: "runs.csv")
        #expect(rows.count >= 2)
        #expect(rows.allSatisfy { $0.status != .ok && !$0.reason.isEmpty })
        #expect(process.describesItself)
    }

    /// A run that waited for threads which do not exist would never end.
    @Test(arguments: [
        "--mode blocking --workload read --connections 40", "--mode lt --workers 20", "--mode lt --clients 20",
        "--mode lt --clients 20 --drain 20", "--workload wake --shape pool --consumers 20",
    ]) func aLimitOfThreadsFailsTheRunInOneLine(_ arguments: String) async throws {
        // The limit does not count for root, and other threads of the user count too.
        let isRoot = geteuid() == 0
        let other = isRoot ? ["setpriv", "--reuid=54321", "--clear-groups"] : []
        guard isInstalled("prlimit"), !isRoot || isInstalled("setpriv") else { return }
        guard !isRoot || succeeds(other + ["test", "-x", BenchProcess.path], need: "a user without rights needs bench")
        else { return }
        let limit = ["prlimit", "--nproc=\(isRoot ? 6 : 1)"]
        let folder = FileManager.default.temporaryDirectory.appending(path: "threads-\(UUID().uuidString)").path()
        mkdir(folder, 0o777)
        chmod(folder, 0o777)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let mode = arguments.contains("--mode") ? [] : ["--mode", "lt"]
        let (_, outcome) = try await BenchProcess.run(
            arguments.split(separator: " ").map(String.init) + mode
                + ["--pin", "none", "--duration", "50ms", "--rounds", "1", "--output", folder],
            under: other + limit)
        #expect(outcome.exit == 3 && !outcome.endedBySignal)
        #expect(outcome.complaints.contains("\(Errno.resourceTemporarilyUnavailable)"), "\(outcome.complaints)")
        let rows = try RunRecord.read(
            Array(try Data(contentsOf: URL(filePath: folder + "/runs.csv"))), file: "runs.csv")
        #expect(!rows.isEmpty && rows.allSatisfy { $0.status == .failed })
    }

    /// Checks what a run leaves that could not write on.
    private func checkFull(_ outcome: BenchProcess.Outcome, rows: String, percentiles: String, says: String) throws {
        #expect(outcome.exit == 3 && !outcome.endedBySignal)
        #expect(outcome.complaintLines.count == 1)
        #expect(outcome.complaints.contains(says), "\(outcome.complaints)")
        let records = try RunRecord.read(Array(rows.utf8), file: "runs.csv")
        #expect(records.allSatisfy { $0.status != .ok })
        let lines = percentiles.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.last == "")
        #expect(lines.dropLast().allSatisfy { $0.split(separator: ",").count == 6 })
    }

    @Test(.enabled(if: AllocationCount.isCounted, "a sanitizer writes a file of its own when it starts"))
    func aFileSizeLimitIsToldAndTruncatesNoRow() async throws {
        let (process, outcome) = try await BenchProcess.run(
            Self.many, under: ["sh", "-c", "ulimit -f 24; exec \"$0\" \"$@\""])
        try checkFull(
            outcome, rows: process.text("out/runs.csv"), percentiles: process.text("out/percentiles.csv"),
            says: "File too large")
        #expect(process.describesItself)
    }

    @Test func aFullDiskIsToldAndTruncatesNoRow() async throws {
        guard isInstalled("unshare"),
            succeeds(
                ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/mnt"],
                need: "mounting a small file system takes root")
        else { return }
        // The mount belongs to a namespace of its own, so the kernel takes it away whatever happens.
        let script = """
            mkdir small && mount -t tmpfs -o size=64k none small && mkdir out && cd small
            "$0" "$@" 2>../complaints; code=$?
            cp out/* ../out; exit $code
            """
        let (process, outcome) = try await BenchProcess.run(
            Self.many, under: ["unshare", "--mount", "sh", "-c", script])
        let told = BenchProcess.Outcome(
            exit: outcome.exit, output: outcome.output,
            complaints: process.text("complaints"))
        try checkFull(
            told, rows: process.text("out/runs.csv"), percentiles: process.text("out/percentiles.csv"),
            says: "No space left on device")
        #expect(process.describesItself)
    }

    @Test func standardErrorThatIsFullDoesNotEndTheRun() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "lt"] + BenchProcess.short, under: ["sh", "-c", "exec \"$0\" \"$@\" 2>/dev/full"])
        #expect(outcome.exit == 0)
        #expect(try process.rows().map(\.status) == [.ok])
    }

    @Test func standardOutputThatIsFullIsTold() async throws {
        for arguments in [["--mode", "lt"] + BenchProcess.short, ["list"]] {
            let (_, outcome) = try await BenchProcess.run(
                arguments, under: ["sh", "-c", "exec \"$0\" \"$@\" >/dev/full"])
            #expect(outcome.exit == 3)
            #expect(outcome.complaintLines.contains("bench: standard output: No space left on device (ENOSPC)"))
        }
    }

    @Test func theUserNeedNotWaitForAnswers() async throws {
        // Interrupted in the window or in the time for answers, after either of which the service would go on.
        let process = try BenchProcess([
            "--mode", "lt", "--service-time", "fixed:3600s", "--service", "sleep", "--duration", "50ms", "--warmup",
            "0",
            "--rounds", "1", "--output", "out",
        ])
        while process.isRunning && !process.text("out/run.json").contains("machine") {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await Task.sleep(for: .milliseconds(300))
        process.send(SIGINT)
        #expect(await process.wait().exit == 130)
        #expect(try process.rows().map(\.status) == [.partial])
    }

    @Test func aReaderThatGoesAwaySpoilsNoFile() async throws {
        let (process, _) = try await BenchProcess.run(
            ["--mode", "lt,et"] + BenchProcess.short, under: ["sh", "-c", "\"$0\" \"$@\" | true"])
        #expect(try process.rows().map(\.status) == [.ok, .ok])
        #expect(process.describesItself)
    }

    private static let forbidden = [
        "python3",
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts/forbid_io_uring.py").path(),
    ]

    private func canForbid() -> Bool {
        isInstalled("python3") && succeeds(Self.forbidden + ["true"], need: "no seccomp filter can be set here")
    }

    @Test func forbiddenRingsAreUnsupportedAndTheOthersRun() async throws {
        guard canForbid() else { return }
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "all", "--drain", "20", "--rounds", "1", "--output", "out"], under: Self.forbidden)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let rows = try process.rows()
        #expect(rows.count == Mode.all.count)
        for row in rows {
            let usesRing = try #require(Mode.named(row.mode)).capabilities.usesRing
            #expect(row.status == (usesRing ? .unsupported : .ok))
            if usesRing { #expect(row.reason.contains("EPERM") && row.reason.contains("forbidden")) }
        }
        let (_, list) = try await BenchProcess.run(["list"], under: Self.forbidden)
        #expect(list.exit == 0 && list.output.contains("not here: "))
        let (_, doctor) = try await BenchProcess.run(["doctor"], under: Self.forbidden)
        #expect(doctor.exit == 0 && doctor.output.contains("reported as unsupported: io_uring is forbidden: EPERM"))
    }

    @Test func onlyForbiddenModesAreNothingToRun() async throws {
        guard canForbid() else { return }
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "uring-single,uring-multishot"] + BenchProcess.short, under: Self.forbidden)
        #expect(outcome.exit == 6)
        #expect(outcome.complaintLines.count == 1 && outcome.complaints.contains("EPERM"))
        #expect(try process.rows().map(\.status) == [.unsupported, .unsupported])
    }
}
