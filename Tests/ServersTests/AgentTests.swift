import Foundation
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Loops
import SystemPackage
import TestSupport
import Testing

@testable import Meters
@testable import Servers

/// An agent in this process, with threads of its own.
final class RunningAgent {
    let address: SocketAddress
    let lines = Locked<[String]>([])
    private let secret: AgentSecret
    private let stop: EventFD
    private let thread: TestThread<Void>

    init(commands: [AgentSettings.Command] = []) throws {
        let facts = AgentFacts(
            machine: .read(), commit: "abc", build: "debug", address: "", processors: Affinity.available(), servers: [])
        secret = try AgentSecret(Array("0123456789abcdef".utf8), from: "test")
        var settings = AgentSettings(secret, AgentVersion(schema: 1), facts)
        settings.commands = commands
        settings.log = { [lines] line in lines.withLock { $0.append(line) } }
        // The thread alone runs it; here its address is read.
        nonisolated(unsafe) let running = try Agent(.loopback(), settings)
        address = running.address
        stop = try EventFD()
        let end = stop.descriptor
        thread = TestThread { try running.run(until: end) }
    }

    func client(
        _ other: AgentSecret? = nil, schema: Int = 1
    ) throws(RunError) -> AgentClient {
        try AgentClient("test", [address], other ?? secret, AgentVersion(schema: schema))
    }

    /// Ends it, and returns what it has said.
    func end() throws -> [String] {
        _ = try? stop.add()
        try thread.join()
        return lines.withLock { $0 }
    }

    /// Waits until it has said something.
    func waitFor(_ text: String) throws {
        for _ in 0..<patienceMilliseconds {
            if lines.withLock({ $0.contains { $0.contains(text) } }) { return }
            usleep(1000)
        }
        throw PatienceIsOver()
    }

    deinit { _ = try? stop.add() }
}

@Suite(
    .serialized, .enabled(if: MessageAuthentication.installed != nil, "there is no libcrypto of OpenSSL here"))
struct AgentTests {
    private func order(_ name: String = "epoll-lt", _ workload: Workload = .read, connections: Int = 2) throws
        -> ServerOrder
    {
        let mode = try #require(Mode.named(name))
        let plan = ServerPlan(workload, mode: mode)
        return ServerOrder(.mode(ModeOrder(plan, Traffic(workload, connections: connections))))
    }

    private func start(_ client: AgentClient, _ order: ServerOrder) throws(RunError) -> RemoteServer {
        try RemoteServer(client, order, prepareSeconds: 60, unless: [])
    }

    /// A window that has not begun, so that each reading is made when it is asked for.
    private static var later: RunWindow {
        .soon(warmupNanoseconds: 3_600_000_000_000, durationNanoseconds: 1_000_000_000)
    }

    /// One line.
    private func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "none"
        } catch {
            #expect(!"\(error)".contains("\n"))
            return "\(error)"
        }
    }

    private func connected(to address: SocketAddress, count: Int) throws -> [CInt] {
        try (0..<count).map { _ in
            try StreamSocket(for: address, .blocking).connect(to: address).release().release().rawValue
        }
    }

    /// Sends so many echoes of 64 bytes, and takes them back.
    private func echo(_ socket: CInt, _ count: Int) {
        let bytes = [UInt8](repeating: 7, count: 64)
        for _ in 0..<count {
            #expect(send(socket, bytes, 64, 0) == 64)
            var back = [UInt8](repeating: 0, count: 64)
            #expect(receiveWhole(&back, from: socket) == 64)
        }
    }

    @Test(arguments: ["epoll-lt", "blocking", "uring-multishot"]) func loopsRunForACoordinator(_ name: String) throws {
        guard Mode.named(name)?.unsupportedReason(rings: .probe(), for: .read) == nil else {
            return print("skipped: no \(name) here")
        }
        let agent = try RunningAgent()
        let client = try agent.client()
        #expect(client.facts.machine == .read() && client.facts.address == "127.0.0.1" && client.link.hasPrefix("lo;"))
        for round in 1...2 {
            let server = try start(client, try order(name))
            #expect(server.readingBefore?.memory.residentBytes ?? 0 > 0)
            let sockets = try connected(to: server.address, count: 2)
            defer { for socket in sockets { close(socket) } }
            #expect(try server.prepare(unless: []))
            server.begin(Self.later)
            let before = server.snapshot()
            echo(sockets[0], 10)
            while server.operations < 10 { usleep(1000) }
            let after = server.snapshot()
            #expect(after.operations.reduce(0, +) - before.operations.reduce(0, +) == 10, "round \(round)")
            #expect(after.time > before.time && after.tellsOperations && after.totals[.systemCalls] ?? 0 > 0)
            #expect(server.kernelCounters.busyNanoseconds != nil && !isReadable(server.failure, milliseconds: 0))
            for socket in sockets { shutdown(socket, CInt(SHUT_RDWR)) }
            let report = server.end(windowEnd: after.time)
            #expect(report.error == nil && report.peakMemoryBytes ?? 0 > 0)
        }
        _ = consume client
        #expect(try agent.end().first?.contains("serving it") == true)
    }

    /// The readings are the agent's own, at the times of the window, however late they are asked for.
    @Test func readingsAreMadeAtTheWindowsEnds() throws {
        let agent = try RunningAgent()
        let server = try start(try agent.client(), try order("epoll-lt", .accept))
        #expect(try server.prepare(unless: []))
        let window = RunWindow.soon(
            warmupNanoseconds: 20_000_000, durationNanoseconds: 50_000_000, lead: server.leadNanoseconds)
        server.begin(window)
        sleepUntil(nanoseconds: window.end + 100_000_000)
        let (before, after) = (server.snapshot(), server.snapshot())
        // A busy machine makes them late; asked for now, they would be later than both.
        #expect(before.time >= window.start && before.time < after.time)
        #expect(after.time >= window.end)
        #expect(server.end(windowEnd: window.end).error == nil)
        _ = try agent.end()
    }

    @Test func datagramsHaveAServerToo() throws {
        let agent = try RunningAgent()
        let server = try start(try agent.client(), try order("epoll-lt", .datagram))
        #expect(try server.prepare(unless: []) && server.address.port != 0)
        #expect(server.end(windowEnd: 0).error == nil)
        _ = try agent.end()
    }

    @Test func aCommandRunsOnlyIfTheAgentAllowsIt() throws {
        let agent = try RunningAgent(commands: [.init("theirs", PythonServer.echo())])
        let client = try agent.client()
        #expect(client.facts.servers == [AllowedServer(name: "theirs", takesWorkers: false)])
        for name in ["other", "theirs; touch /tmp/x", ""] {
            let order = ServerOrder(.command(name, timeoutNanoseconds: 1_000_000_000))
            #expect(refusal { _ = try start(client, order) }.contains("no server is allowed by this name"))
        }
        let server = try start(client, ServerOrder(.command("theirs", timeoutNanoseconds: 60_000_000_000)))
        #expect(try server.prepare(unless: []))
        let sockets = try connected(to: server.address, count: 1)
        echo(sockets[0], 3)
        let seen = server.snapshot()
        #expect(seen.processes?.processes == 1 && !seen.tellsOperations && server.operations == .max)
        close(sockets[0])
        #expect(server.leak() == nil)
        #expect(server.end(windowEnd: 1).error == nil)
        _ = try agent.end()
    }

    @Test func aServerThatDiesIsSeenAndSaid() throws {
        let dies = PythonServer.echo(onData: "if data: print(\"bye\", flush=True); os._exit(3)")
        let agent = try RunningAgent(commands: [.init("theirs", dies)])
        let server = try start(
            try agent.client(), ServerOrder(.command("theirs", timeoutNanoseconds: 60_000_000_000)))
        #expect(try server.prepare(unless: []))
        let sockets = try connected(to: server.address, count: 1)
        #expect(send(sockets[0], "x", 1, 0) == 1)
        try waitUntilReadable(server.failure)
        let report = server.end(windowEnd: 0)
        #expect(report.error?.description.contains("ended with exit code 3") == true, "\(report)")
        #expect(report.error?.description.contains("bye") == true)
        close(sockets[0])
        _ = try agent.end()
    }

    @Test func waitingForConnectionsEndsWhenAskedTo() throws {
        let agent = try RunningAgent()
        let server = try start(try agent.client(), try order(connections: 5))
        let end = try EventFD(count: 1)
        #expect(try !server.prepare(unless: [end.descriptor]))
        #expect(server.end(windowEnd: 0).error == nil)
        _ = try agent.end()
    }

    @Test func whatTheKernelCountsIsCountedThere() throws {
        guard let counter = try? CallCounter(threads: 1) else {
            return print("skipped: the kernel counts nothing here")
        }
        let agent = try RunningAgent()
        var order = try order("epoll-lt", .read, connections: 1)
        (order.counters, order.counted) = ([counter.source], 1)
        let server = try start(try agent.client(), order)
        #expect(server.counter?.source == counter.source)
        let sockets = try connected(to: server.address, count: 1)
        #expect(try server.prepare(unless: []))
        server.begin(Self.later)
        echo(sockets[0], 1)
        let before = server.snapshot()
        echo(sockets[0], 50)
        let after = server.snapshot()
        let calls = try #require(after.calls?.total) - (before.calls?.total ?? 0)
        // An epoll_wait, a read and a write each, and a little at either end.
        #expect((140...160).contains(calls), "\(calls)")
        close(sockets[0])
        _ = server.end(windowEnd: 0)
        _ = try agent.end()
    }

    // MARK: Bad days

    @Test func strangersAreSentAwayAndLogged() throws {
        let agent = try RunningAgent()
        let other = try AgentSecret(Array("another secret of tests".utf8), from: "test")
        #expect(refusal { _ = try agent.client(other) } == "agent test: it refuses: the secret is not the agent's")
        let refused = refusal { _ = try agent.client(schema: 9) }
        #expect(refused.contains("schema 9") && refused.contains("schema 1"))
        let scanner = try connected(to: agent.address, count: 1)[0]
        #expect(send(scanner, "GET / HTTP/1.0\r\n\r\n", 18, 0) == 18)
        var nothing: [UInt8] = [0]
        #expect(recv(scanner, &nothing, 1, 0) <= 0)
        close(scanner)
        #expect(try agent.client().facts.commit == "abc")
        let lines = try agent.end()
        #expect(lines.contains { $0.contains("another secret") } && !lines.contains { $0.contains("0123456789") })
    }

    /// A thousand that connect and say nothing do not keep out who says something.
    @Test func silentPeersKeepNobodyOut() throws {
        let agent = try RunningAgent()
        var silent: [CInt] = []
        for _ in 0..<10 {
            silent += try connected(to: agent.address, count: 100)
            #expect(try agent.client().facts.build == "debug")
        }
        for socket in silent { close(socket) }
        let lines = try agent.end()
        // One a second at the most, beside two for each coordinator.
        #expect(lines.filter { $0.contains("sent away") }.count < 100)
    }

    @Test func aSecondCoordinatorIsToldWhoIsServed() throws {
        let agent = try RunningAgent()
        let first = try agent.client()
        #expect(refusal { _ = try agent.client() }.contains("busy: another coordinator (127.0.0.1:"))
        let server = try start(first, try order("epoll-lt", .accept))
        #expect(server.end(windowEnd: 0).error == nil)
        _ = try agent.end()
    }

    /// The server ends with its coordinator, and the next one finds the agent free.
    @Test func aCoordinatorThatIsGoneLeavesNothingBehind() throws {
        let agent = try RunningAgent(commands: [
            .init("theirs", PythonServer.echo(before: "print(\"pid\", os.getpid(), flush=True)"))
        ])
        let address: SocketAddress
        do {
            let client = try agent.client()
            let server = try start(client, ServerOrder(.command("theirs", timeoutNanoseconds: 60_000_000_000)))
            address = server.address
            #expect(try server.prepare(unless: []))
        }
        try agent.waitFor("the connection was")
        #expect(refusal { _ = try connected(to: address, count: 1) }.contains("refused"))
        #expect(try agent.client().facts.commit == "abc")
        _ = try agent.end()
    }

    @Test func anAgentThatEndsEndsTheRunInOneLine() throws {
        let agent = try RunningAgent()
        let client = try agent.client()
        let server = try start(client, try order("epoll-lt", .accept))
        #expect(try server.prepare(unless: []))
        let address = server.address
        _ = try agent.end()
        try waitUntilReadable(server.failure)
        _ = server.snapshot()
        let report = server.end(windowEnd: 0)
        #expect(report.error?.description == "agent test: the connection was closed", "\(report)")
        #expect(refusal { _ = try connected(to: address, count: 1) }.contains("refused"))
        #expect(refusal { _ = try start(client, try order()) }.contains("is bench agent running there?"))
    }

    /// Over a socket, from somebody who knows nothing.
    @Test func noiseOverASocketDoesNoHarm() throws {
        let agent = try RunningAgent()
        var generator = SystemRandomNumberGenerator()
        for length in 0..<200 {
            let socket = try connected(to: agent.address, count: 1)[0]
            let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = send(socket, noise, noise.count, CInt(MSG_NOSIGNAL))
            close(socket)
        }
        #expect(try agent.client().facts.commit == "abc")
        _ = try agent.end()
    }
}
