import ArgumentParser
import Foundation
import LinuxDescriptors
import LinuxSockets
import Loops
import Meters
import TestSupport
import Testing

@testable import bench

@Suite struct ServeTests {
    /// Starts a server, and returns it with the line that it prints when it listens.
    private func start(_ options: String, under command: [String] = []) async throws -> (BenchProcess, line: String) {
        let process = try BenchProcess(["serve"] + options.split(separator: " ").map(String.init), under: command)
        for _ in 0..<patienceMilliseconds where process.isRunning {
            let text = process.text("stdout")
            if text.hasSuffix("\n") { return (process, String(text.dropLast())) }
            try await Task.sleep(for: .milliseconds(1))
        }
        process.send(SIGKILL)
        let outcome = await process.wait()
        Issue.record("\(options): \(outcome.complaints)")
        throw PatienceIsOver()
    }

    private func port(_ line: String) throws -> Int {
        try #require(line.firstMatch(of: #/^listening on 127\.0\.0\.1:(\d+) /#).flatMap { Int($0.1) })
    }

    /// Asks a web server twice on one connection, with curl or with Python, and returns both bodies.
    private func askTwice(_ port: Int) async throws -> String? {
        let url = "http://127.0.0.1:\(port)/"
        let script = """
            import http.client, sys
            connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=60)
            for _ in range(2):
                connection.request('GET', '/')
                sys.stdout.write(connection.getresponse().read().decode())
            """
        let command: String
        if isInstalled("curl") {
            command = "exec curl -s -S --noproxy '*' --max-time 60 \(url) \(url)"
        } else if isInstalled("python3") {
            command = "exec python3 -c \"$1\" \(port)"
        } else {
            return nil
        }
        let (_, outcome) = try await BenchProcess.run([script], under: ["sh", "-c", command])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        return outcome.output
    }

    @Test(arguments: [SIGTERM, SIGINT]) func itServesUntilASignalThatIsNoFailure(_ signal: Int32) async throws {
        let (process, line) = try await start("--mode et --protocol http --message-size 5")
        #expect(line.hasSuffix(" (epoll-et, http)"))
        if let bodies = try await askTwice(try port(line)) { #expect(bodies == "abcdeabcde") }
        process.send(signal)
        let outcome = await process.wait()
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.output == line + "\n")
        #expect(outcome.complaintLines.isEmpty, "\(outcome.complaints)")
    }

    @Test func aPortInUseIsToldWithWhatToDo() async throws {
        let (process, line) = try await start("--mode lt")
        let port = try port(line)
        let (_, outcome) = try await BenchProcess.run(["serve", "--mode", "lt", "--port", "\(port)"])
        #expect(outcome.exit == 3 && outcome.output.isEmpty)
        #expect(outcome.complaintLines.count == 1 && outcome.complaints.contains("take another --port"))
        process.send(SIGTERM)
        #expect(await process.wait().exit == 0)
    }

    @Test func aUnixSocketIsServedAndGoesWithTheServer() async throws {
        let folder = try BenchFolder()
        let path = folder.path("socket")
        let (process, line) = try await start("--mode et --unix \(path)")
        #expect(line == "listening on unix:\(path) (epoll-et, echo)")
        let (_, other) = try await BenchProcess.run(["serve", "--mode", "lt", "--unix", path])
        #expect(other.exit == 3 && other.complaints.contains("another program listens on \(path)"))
        #expect(other.complaintLines.count == 1 && FileManager.default.fileExists(atPath: path))
        process.send(SIGTERM)
        #expect(await process.wait().exit == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func aServerThatCannotListenLeavesNoSocket() async throws {
        let fails = [
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=listen", "-e", "inject=listen:error=ENOBUFS",
        ]
        guard isInstalled("strace"), succeeds(fails + ["true"], need: "ptrace is not permitted here") else { return }
        let folder = try BenchFolder()
        let path = folder.path("socket")
        // A sanitizer cannot look for leaks where another program traces.
        let (_, outcome) = try await BenchProcess.run(
            ["serve", "--mode", "lt", "--unix", path], under: fails, environment: ["ASAN_OPTIONS": "detect_leaks=0"])
        #expect(outcome.exit == 3 && outcome.complaints.contains("listen on unix:"), "\(outcome.complaints)")
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    /// What permissions do not allow is said of the folder that lacks them.
    @Test(arguments: [
        (0o600, "closed", "/socket", "cannot be searched by"),
        (0o600, "closed", "/deeper/socket", "cannot be searched by"),
        (0o500, "unwritable", "/socket", "cannot be written by"),
    ]) func aFolderThatIsClosedIsNamed(_ mode: Int, _ name: String, _ rest: String, _ says: String) async throws {
        var user: [String] = []
        if geteuid() == 0 {
            user = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=0"]
            guard isInstalled("setpriv"), succeeds(user + ["true"], need: "privileges cannot be dropped here") else {
                return
            }
        }
        let folder = try BenchFolder()
        let closed = folder.path(name)
        try FileManager.default.createDirectory(
            atPath: closed, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
        defer { chmod(closed, 0o700) }
        let (_, outcome) = try await BenchProcess.run(
            ["serve", "--mode", "lt", "--unix", closed + rest], under: user)
        #expect(outcome.exit == 3 && outcome.complaintLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("the folder \(closed) \(says)"), "\(outcome.complaints)")
    }

    @Test func aPathThatCannotBeASocketIsToldInOneLine() async throws {
        let folder = try BenchFolder()
        try folder.write("file", "kept")
        let stale = try StreamSocket(for: .unix(path: folder.path("stale")), .blocking)
        try stale.bind(to: .unix(path: folder.path("stale")))
        _ = consume stale
        let long = "/tmp/" + String(repeating: "a", count: 103)
        let mistakes = [
            ("file", "exists and is no socket"), ("stale", "a server that has ended; remove it"),
        ].map { (folder.path($0.0), $0.1) }
        for (path, says) in mistakes + [(long, "has 108 bytes")] {
            let (_, outcome) = try await BenchProcess.run(["serve", "--mode", "lt", "--unix", path])
            #expect(outcome.exit == 3 && outcome.output.isEmpty, "\(outcome.complaints)")
            #expect(outcome.complaintLines.count == 1 && outcome.complaints.contains(says), "\(outcome.complaints)")
        }
        #expect(folder.text("file") == "kept")
    }

    @Test func aBlockingServerSaysHowManyItServes() async throws {
        let (process, line) = try await start("--mode blocking --protocol redis --workers 2")
        #expect(line.hasSuffix(" (blocking, redis)"))
        process.send(SIGTERM)
        let outcome = await process.wait()
        #expect(outcome.exit == 0)
        #expect(
            outcome.complaintLines == [
                "bench: blocking serves 2 connections at once, one for each worker; others wait until one ends"
            ])
    }

    @Test(arguments: [
        "--mode blocking --protocol http --close-after-reply", "--mode poll --workload accept",
        "--mode oneshot --workers 2 --protocol memcached --pin auto", "--mode lt --topology shared-set --workers 2",
        "--mode dispatcher --workers 2 --protocol bytes --request-size 3 --service-time fixed:1us",
        "--mode et --listener reuseport --workers 2 --address ::1 --workload crr", "--mode select --protocol redis",
    ])
    func whatCanBeAskedForIsServed(_ options: String) async throws {
        let (process, line) = try await start(options)
        #expect(line.hasPrefix("listening on "))
        process.send(SIGTERM)
        let outcome = await process.wait()
        #expect(outcome.exit == 0 && outcome.complaintLines.isEmpty, "\(outcome.complaints)")
    }

    @Test(arguments: [
        "--mode lt --spin 50us", "--mode multishot --wait-for 8 --wait-limit 1ms --spin 50us",
        "--mode uring-single --wait-for 8 --min-wait 50us",
        "--mode uring-sqpoll --poller-idle 2ms --poller-cpu \(Affinity.available()[0])",
    ])
    func aLoopWaitsAsItIsTold(_ options: String) async throws {
        let words = options.split(separator: " ").map(String.init)
        let named = try #require(Mode.named(words[1]))
        let mode = try WaitOptions.parse(Array(words.dropFirst(2))).applied(to: [named])[0]
        if let reason = mode.unsupportedReason(rings: RingSupport.probe(), for: .read) {
            return print("skipped: \(options): \(reason)")
        }
        let (process, line) = try await start(options)
        let client = try StreamSocket(for: .loopback(), .blocking)
            .connect(to: .loopback(port: UInt16(try port(line))))
        let message = [UInt8](repeating: 7, count: 64)
        for _ in 0..<3 {
            #expect(try client.send(message) == 64)
            var echo = [UInt8](repeating: 0, count: 64)
            #expect(receiveWhole(&echo, from: client.descriptor.rawValue) == 64 && echo == message)
        }
        process.send(SIGTERM)
        #expect(await process.wait().exit == 0)
    }

    /// With room for one connection the silent one has it, unless it is not accepted before it speaks.
    @Test(arguments: [false, true]) func whoIsSilentIsNotAcceptedIfThatIsDeferred(_ isDeferred: Bool) async throws {
        let (process, line) = try await start(
            "--mode lt --workload crr --connections 1" + (isDeferred ? " --defer-accept" : ""))
        let address = SocketAddress.loopback(port: UInt16(try port(line)))
        let silent = try StreamSocket(for: address, .blocking).connect(to: address)
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        _ = try client.send([UInt8](repeating: 7, count: 64))
        var echo = [UInt8](repeating: 0, count: 64)
        #expect(receiveWhole(&echo, from: client.descriptor.rawValue) == (isDeferred ? 64 : 0))
        try silent.close()
        process.send(SIGTERM)
        #expect(await process.wait().exit == 0)
    }

    @Test func fastOpenTakesTheSystemsLeave() async throws {
        let support = try FastOpenSupport.current()
        guard !support.contains(.server) else {
            let (process, _) = try await start("--mode lt --fast-open")
            process.send(SIGTERM)
            return #expect(await process.wait().exit == 0)
        }
        let (_, outcome) = try await BenchProcess.run(["serve", "--mode", "lt", "--fast-open"])
        #expect(outcome.exit == 6 && outcome.complaintLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("sysctl net.ipv4.tcp_fastopen=3"), "\(outcome.complaints)")
    }

    @Test(arguments: [
        ("", "--mode"), ("--mode eppoll-lt", "did you mean 'epoll-lt'?"), ("--mode all", "one mode"),
        ("--mode lt,et", "one mode"), ("--mode lt --protocol htpp", "did you mean 'http'?"),
        ("--mode lt --workload wake", "no network"), ("--mode lt --workload raed", "did you mean 'read'?"),
        ("--mode lt --workload read --close-after-reply", "--workload crr"),
        ("--mode lt --workload accept --protocol http", "leave --protocol out"),
        ("--mode lt --port 65536", "--port"), ("--mode lt --address localhost", "numeric address"),
        ("--mode lt --workers 0", "--workers"), ("--mode lt --connections -1", "--connections"),
        ("--mode lt --message-size 0", "--message-size"), ("--mode lt --request-size 5", "--protocol bytes"),
        ("--mode lt --protocol bytes --request-size 0", "--request-size"),
        ("--mode poll --topology shared-set", "set-per-worker"), ("--mode lt --topology shared", "did you mean"),
        ("--mode lt --topology shared-set --workers 2 --protocol http", "set-per-worker"),
        ("--mode lt --listener reuspot", "did you mean 'reuseport'?"), ("--mode lt --pin atuo", "did you mean 'auto'?"),
        ("--mode lt --pin 99999", "--pin"), ("--mode lt --service sleep", "--service-time"),
        ("--mode lt --service-time 5", "--service-time"),
        ("--mode blocking --connections 5 --workers 2", "--close-after-reply"), ("--mode lt extra", "extra"),
        ("--mode lt --unix s --port 5", "exclude each other"),
        ("--mode lt --unix s --address ::1", "exclude each other"),
        ("--mode lt --unix s --listener reuseport", "--listener reuseport"),
        ("--mode blocking --spin 1us", "has no --spin"), ("--mode lt --spin 2s", "a second at the most"),
        ("--mode lt --wait-for 8 --wait-limit 1ms", "has no --wait-for"),
        ("--mode multishot --wait-for 8", "give --wait-limit or --min-wait too"),
        ("--mode multishot --poller-idle 1ms", "uring-sqpoll only"),
        ("--mode uring-sqpoll --poller-cpu 99999", "one of the processors"),
        ("--mode lt --workload accept --defer-accept", "leave --defer-accept out"),
        ("--mode lt --unix s --defer-accept", "--defer-accept is an option of TCP"),
        ("--mode lt --unix s --fast-open", "--fast-open is an option of TCP"),
        ("--mode lt --prot http", "did you mean '--protocol'?"),
    ])
    func aMistakeIsToldInOneLine(_ options: String, _ told: String) async throws {
        let (_, outcome) = try await BenchProcess.run(["serve"] + options.split(separator: " ").map(String.init))
        #expect(outcome.exit == 64 && outcome.output.isEmpty, "\(outcome.complaints)")
        #expect(outcome.complaintLines.count == 1 && outcome.complaints.contains(told), "\(outcome.complaints)")
    }

    @Test func moreConnectionsThanDescriptorsAreRefused() async throws {
        let few = try await BenchProcess.run(
            ["serve", "--mode", "lt"], under: BenchProcess.limited(descriptors: 1000)
        ).outcome
        #expect(few.exit == 6 && few.complaints.contains("--connections"), "\(few.complaints)")
        let select = try await BenchProcess.run(["serve", "--mode", "select", "--connections", "1100"]).outcome
        #expect(select.exit == 6 && select.complaints.contains("FD_SETSIZE"), "\(select.complaints)")
        for outcome in [few, select] { #expect(outcome.complaintLines.count == 1 && outcome.output.isEmpty) }
    }

    @Test func whatThisKernelLacksIsUnsupported() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts/forbid_io_uring.py")
        let forbidden = ["python3", script.path()]
        guard isInstalled("python3"), succeeds(forbidden + ["true"], need: "no seccomp filter can be set here") else {
            return
        }
        let (_, outcome) = try await BenchProcess.run(["serve", "--mode", "multishot"], under: forbidden)
        #expect(outcome.exit == 6 && outcome.output.isEmpty)
        #expect(outcome.complaintLines.count == 1 && outcome.complaints.contains("EPERM"), "\(outcome.complaints)")
    }

    @Test func aPortOfTheSystemNeedsAPrivilege() async throws {
        let forbidden = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=0"]
        let first = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding: .utf8)
        guard isInstalled("setpriv"), succeeds(forbidden + ["true"], need: "privileges cannot be dropped here"),
            first == "1024\n"
        else { return print("skipped: any user may use any port here, or privileges cannot be dropped") }
        let (_, outcome) = try await BenchProcess.run(["serve", "--mode", "lt", "--port", "7"], under: forbidden)
        #expect(outcome.exit == 3 && outcome.output.isEmpty, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("CAP_NET_BIND_SERVICE"), "\(outcome.complaints)")
    }
}
