import Foundation
import Records
import TestSupport
import Testing

/// Servers that are other programs, measured by the command as a user gives it.
@Suite struct ServerRunTests {
    private static let short = ["--rounds", "1", "--duration", "200ms", "--warmup", "20ms", "--output", "out"]

    /// A server of our loops as a command.
    private static func served(_ protocol: String, _ name: String = "own", more: String = "") -> String {
        "\(name)=exec '\(BenchProcess.path)' serve --mode lt --protocol \(`protocol`) --port {port} \(more)"
    }

    private func rows(_ options: [String]) async throws -> (rows: [RunRecord], outcome: BenchProcess.Outcome) {
        let (process, outcome) = try await BenchProcess.run(Self.short + options)
        return (try process.rows(), outcome)
    }

    @Test(arguments: ["echo", "http", "redis", "memcached"], ["read", "crr"])
    func aServerStandsBesideAMode(_ protocol: String, _ workload: String) async throws {
        let more = workload == "crr" ? "--close-after-reply" : ""
        let (rows, outcome) = try await rows([
            "--workload", workload, "--protocol", `protocol`, "--mode", "lt", "--connections", "4", "--server",
            Self.served(`protocol`, more: more),
        ])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(Set(rows.map(\.mode)) == ["epoll-lt", "own"] && rows.allSatisfy { $0.status == .ok })
        let server = try #require(rows.first { $0.mode == "own" })
        #expect(server.implementation == "external" && server.protocol == `protocol` && server.operations > 0)
        #expect(server.serverCpuNsPerOp ?? 0 > 0 && server.serverProcesses == 1 && server.errors == 0)
        // What only its loop knows is not told.
        #expect(server.wakeupsPerOp == nil && server.fairnessJain == nil && server.perWorkerOps.isEmpty)
    }

    @Test(arguments: ["echo", "http", "redis", "memcached", "bytes"], ["read", "crr"])
    func aServerMayListenOnAUnixSocket(_ protocol: String, _ workload: String) async throws {
        let folder = try BenchFolder()
        try folder.write("request", String(repeating: "a", count: 64))
        let more = workload == "crr" ? "--close-after-reply" : ""
        let outcome = try await folder.bench(
            Self.short + [
                "--workload", workload, "--protocol", `protocol`, "--connections", "4", "--server",
                "own=echo {socket}; exec '\(BenchProcess.path)' serve --mode lt --protocol \(`protocol`) --unix {socket} \(more)",
            ] + (`protocol` == "bytes" ? ["--request", folder.path("request"), "--reply-bytes", "64"] : []))
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let rows = try folder.rows("out")
        #expect(rows.count == 1 && rows[0].status == .ok && rows[0].operations > 0 && rows[0].errors == 0)
        let path = try #require(folder.text("out/servers/own.log").split(separator: "\n").first)
        let parent = URL(filePath: String(path)).deletingLastPathComponent().path()
        #expect(path.contains("/bench-") && !FileManager.default.fileExists(atPath: parent))
    }

    /// memcached changes its user before it makes its socket.
    @Test func aServerMayGiveUpItsUserBeforeItBinds() async throws {
        guard geteuid() == 0 else { return print("skipped: not root") }
        guard isInstalled("memcached") else { return }
        let (rows, outcome) = try await rows([
            "--workload", "read", "--protocol", "memcached", "--connections", "2", "--no-kernel-counts", "--server",
            "theirs=exec memcached -u nobody -s {socket} -m 16 -t 1",
        ])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(rows.count == 1 && rows[0].status == .ok && rows[0].operations > 0)
    }

    /// A server that fails costs its own row and no other.
    @Test(arguments: [
        ("gone=echo so it goes; exit 7 # {port}", "ended with exit code 7", "so it goes"),
        ("none=exec no-such-program {port}", "ended with exit code 127", "no-such-program"),
        ("deaf=exec sleep 600 # {port}", "nothing listened on", "within 0.5 s"),
    ]) func othersGoOnWhenOneFails(_ server: String, _ says: String, _ lastWords: String) async throws {
        let (rows, outcome) = try await rows([
            "--workload", "read", "--mode", "lt", "--server", server, "--server-timeout", "500ms",
        ])
        #expect(outcome.exit == 3, "\(outcome.complaints)")
        let failed = try #require(rows.first { $0.mode != "epoll-lt" })
        #expect(failed.status == .failed && failed.reason.contains(says) && failed.reason.contains(lastWords))
        #expect(rows.first { $0.mode == "epoll-lt" }?.status == .ok)
    }

    @Test func aServerOfAnotherProtocolFailsItsRow() async throws {
        let (rows, outcome) = try await rows([
            "--workload", "read", "--protocol", "redis", "--command", "GET a", "--connections", "2", "--server",
            Self.served("http"),
        ])
        #expect(outcome.exit == 3)
        #expect(rows.first?.status == .failed, "\(rows.first?.reason ?? "no row")")
    }

    private static let leaky: [(name: String, before: String, onConnection: String)] = [
        ("keeps", "kept = []", "kept.append(connection.dup())"),
        // What a server opens when it first needs it is no leak, nor are connections of its own.
        ("lazy", "held = []", "served == 2 and held.extend(os.dup(0) for _ in range(100))"),
        (
            "proxy",
            "held = []; behind = socket.create_server((\"127.0.0.1\", 0)); behind.listen(200)",
            "served == 2 and held.extend(socket.create_connection(behind.getsockname()) for _ in range(100))"
        ),
    ]

    /// A server that does not close what its clients have closed fails its row, and others go on.
    @Test(arguments: leaky.indices, ["read", "crr"])
    func aServerThatLeaksConnectionsFailsItsRow(_ index: Int, _ workload: String) async throws {
        let (name, before, onConnection) = Self.leaky[index]
        // One request a connection: the server shuts it down, and may keep it nevertheless.
        let ends = workload == "crr" ? "data and (key.fileobj.sendall(data), key.fileobj.shutdown(2))" : "pass"
        let drops = workload == "crr" ? "\(ends); data = b\"\"" : "pass"
        let server = PythonServer.echo(
            before: "print(\"here I am\", flush=True); " + before, onConnection: onConnection, onData: drops)
        let (rows, outcome) = try await rows([
            "--workload", workload, "--mode", "lt", "--connections", "32", "--rate", "500", "--no-kernel-counts",
            "--server", "\(name)=\(server)",
        ])
        let row = try #require(rows.first { $0.mode == name })
        #expect(rows.first { $0.mode == "epoll-lt" }?.status == .ok)
        if name == "keeps" {
            #expect(outcome.exit == 3 && row.status == .failed, "\(outcome.complaints)")
            #expect(row.reason.contains("connections were still open in the server"), "\(row.reason)")
            #expect(row.reason.hasSuffix("; its last words: here I am"), "\(row.reason)")
        } else {
            #expect(outcome.exit == 0 && row.status == .ok, "\(outcome.complaints)")
        }
    }

    /// A server that owes answers still has its connections, and is to blame for the answers alone.
    @Test func aSlowServerIsNotSaidToLeak() async throws {
        let slow = PythonServer.echo(onData: "data and time.sleep(600)")
        let (rows, outcome) = try await rows([
            "--workload", "read", "--connections", "4", "--no-kernel-counts", "--server", "slow=\(slow)",
        ])
        let row = try #require(rows.first)
        #expect(outcome.exit == 3 && row.status == .failed)
        #expect(row.reason.hasPrefix("no message was ever answered; 4 waited for 5 s"), "\(row.reason)")
    }

    @Test func wrongAnswersComeWithTheServersLastWords() async throws {
        let server = PythonServer.echo(
            before: "print(\"no idea\", flush=True)", onData: "data = data and b\"?\" * len(data)")
        let (rows, outcome) = try await rows([
            "--workload", "read", "--connections", "2", "--no-kernel-counts", "--server", "wrong=\(server)",
        ])
        #expect(outcome.exit == 3)
        let row = try #require(rows.first)
        #expect(row.status == .failed && row.reason.hasSuffix("; its last words: no idea"), "\(row.reason)")
    }

    @Test func whatItPrintsIsKeptForAllItsStarts() async throws {
        let process = try BenchProcess(
            Self.short + [
                "--workload", "read", "--rounds", "2", "--connections", "2", "--no-kernel-counts", "--server",
                Self.served("echo"),
            ])
        #expect(await process.wait().exit == 0)
        #expect(process.text("out/servers/own.log").split(separator: "\n").count { $0.hasPrefix("listening on ") } == 2)
    }

    @Test(arguments: [SIGKILL, SIGTERM]) func noServerOutlivesBench(_ signal: Int32) async throws {
        let folder = try BenchFolder()
        let process = try folder.start([
            "--workload", "read", "--rounds", "1", "--duration", "300s", "--output", "out", "--server",
            "own=echo $$ >pid; echo {socket} >socket; exec '\(BenchProcess.path)' serve --mode lt --unix {socket}",
        ])
        for _ in 0..<patienceMilliseconds where process.isRunning {
            if folder.text("out/servers/own.log").contains("listening") { break }
            try await Task.sleep(for: .milliseconds(1))
        }
        let server = try #require(Int32(folder.text("pid").split(separator: "\n").first ?? ""))
        let socket = try #require(folder.text("socket").split(separator: "\n").first.map(String.init))
        #expect(kill(server, 0) == 0 && FileManager.default.fileExists(atPath: socket))
        process.send(signal)
        _ = await process.wait()
        for _ in 0..<patienceMilliseconds where kill(server, 0) == 0 {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(kill(server, 0) != 0)
        let parent = URL(filePath: socket).deletingLastPathComponent().path()
        for _ in 0..<patienceMilliseconds where FileManager.default.fileExists(atPath: parent) {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(!FileManager.default.fileExists(atPath: parent))
    }

    @Test func twoServersAreComparedLikeTwoPrograms() async throws {
        let folder = try BenchFolder()
        let command = "exec '\(BenchProcess.path)' serve --port {port} --mode"
        let outcome = try await folder.bench([
            "compare", "--servers", "\(command) lt", "\(command) et", "--blocks", "2", "--max-blocks", "2", "--output",
            "pair", "--fail-on", "syscalls_per_op", "--", "--workload", "read", "--connections", "2", "--duration",
            "100ms", "--warmup", "20ms",
        ])
        #expect([0, 2].contains(outcome.exit), "\(outcome.complaints)")
        #expect(outcome.output.contains("Base: \(command) lt\nNew:  \(command) et"))
        for side in ["base", "new"] {
            let rows = try folder.rows("pair/\(side)")
            #expect(rows.map(\.mode) == ["server", "server"] && rows.allSatisfy { $0.status == .ok })
            #expect(folder.text("pair/\(side)/servers/server.log").contains("listening on "))
        }
    }

    /// The kernel counts what a loop would count of itself.
    @Test func systemCallsAreThoseOfTheSameLoopInside() async throws {
        let (rows, outcome) = try await rows([
            "--workload", "read", "--mode", "lt", "--connections", "1", "--server", Self.served("echo"),
        ])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let outside = try #require(rows.first { $0.mode == "own" })
        guard outside.syscallsSource == "bpf" else { return print("skipped: no BPF program can be loaded here") }
        let inside = try #require(rows.first { $0.mode == "epoll-lt" }?.syscallsPerOp)
        // A ping-pong of wait, receive and send.
        #expect(abs((outside.syscallsPerOp ?? 0) / inside - 1) < 0.05)
    }
}
