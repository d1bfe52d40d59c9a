import Foundation
import LinuxSockets
import Loops
import SystemPackage
import Testing

@testable import Meters
@testable import Servers

/// What agent and coordinator say to each other, without sockets.
@Suite(.enabled(if: MessageAuthentication.installed != nil, "there is no libcrypto of OpenSSL here"))
struct AgentProtocolTests {
    private let authentication = MessageAuthentication.installed!

    private func secret(_ text: String = "a secret of tests") throws -> AgentSecret {
        try AgentSecret(Array(text.utf8), from: "test")
    }

    private func agent(_ text: String = "a secret of tests", schema: Int = 1) throws -> AgentHandshake {
        AgentHandshake(
            authentication, try secret(text), AgentVersion(schema: schema),
            nonce: MessageAuthentication.randomBytes(HandshakeMessage.nonceBytes))
    }

    private func coordinator(schema: Int = 1) throws -> CoordinatorHandshake {
        CoordinatorHandshake(
            authentication, try secret(), AgentVersion(schema: schema),
            nonce: MessageAuthentication.randomBytes(HandshakeMessage.nonceBytes))
    }

    /// RFC 4231, test case 2.
    @Test func tagsAreThoseOfTheStandard() throws {
        let tag = try #require(
            authentication.tag(of: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
        let text = tag.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(text == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(MessageAuthentication.areEqual(tag, tag) && !MessageAuthentication.areEqual(tag, tag.reversed()))
        #expect(!MessageAuthentication.areEqual(tag, []) && MessageAuthentication(anyOf: ["no-such-library.so"]) == nil)
    }

    /// Lets both talk, a byte at a time, and returns the seals of either side.
    private func talk(
        _ agent: inout AgentHandshake, _ coordinator: inout CoordinatorHandshake
    ) throws -> (agent: HandshakeKeys?, coordinator: HandshakeKeys?, refusal: String?) {
        var toAgent = coordinator.greeting
        var keys: (HandshakeKeys?, HandshakeKeys?) = (nil, nil)
        while true {
            var toCoordinator: [UInt8] = []
            for byte in toAgent {
                switch agent.receive([byte]) {
                case .wait: break
                case .send(let bytes): toCoordinator += bytes
                case .refuse(let bytes, let reason):
                    #expect(!reason.contains("\n"))
                    toCoordinator += bytes
                case .done(let bytes, let found, let rest):
                    #expect(rest.isEmpty)
                    toCoordinator += bytes
                    keys.0 = found
                }
            }
            toAgent = []
            guard !toCoordinator.isEmpty else { return (keys.0, keys.1, nil) }
            do {
                for byte in toCoordinator {
                    switch try coordinator.receive([byte]) {
                    case .wait: break
                    case .send(let bytes): toAgent += bytes
                    case .done(let found, _): keys.1 = found
                    }
                }
            } catch {
                return (keys.0, keys.1, "\(error)")
            }
        }
    }

    @Test func whoKnowsTheSecretIsLetInAndCanSeal() throws {
        var (agent, coordinator) = (try agent(), try coordinator())
        let (one, other, refusal) = try talk(&agent, &coordinator)
        #expect(refusal == nil)
        let keys = (try #require(one), try #require(other))
        var (seals, opens) = (try keys.1.requests(), try keys.0.requests())
        let message = Array("message".utf8)
        let sealed = try (seals.sealed(message), seals.sealed(message))
        #expect(sealed.0 != sealed.1)
        #expect(try opens.opened(sealed.0) == message && opens.opened(sealed.1) == message)
        // Neither again, nor in the other direction, nor before its turn.
        #expect(throws: ProtocolError.self) { try opens.opened(sealed.1) }
        var replies = try keys.0.replies()
        #expect(throws: ProtocolError.self) { try replies.opened(sealed.0) }
        var late = try keys.0.requests()
        #expect(throws: ProtocolError.self) { try late.opened(sealed.1) }
    }

    @Test func anotherSecretIsOneLineThatHelpsNobody() throws {
        var (agent, coordinator) = (try agent("another secret of tests"), try coordinator())
        let (one, other, refusal) = try talk(&agent, &coordinator)
        #expect(one == nil && other == nil && refusal == "it refuses: the secret is not the agent's")
    }

    @Test func anotherVersionIsToldBeforeAnyProof() throws {
        var (agent, coordinator) = (try agent(schema: 2), try coordinator())
        let (one, other, refusal) = try talk(&agent, &coordinator)
        #expect(one == nil && other == nil)
        let text = try #require(refusal)
        #expect(text.contains("protocol 1, schema 2") && text.contains("protocol 1, schema 1") && !text.contains("\n"))
    }

    @Test func anAgentThatDoesNotKnowTheSecretIsNotBelieved() throws {
        var coordinator = try coordinator()
        let hello = HandshakeMessage.Hello(
            magic: HandshakeMessage.magic, version: AgentVersion(schema: 1), nonce: [UInt8](repeating: 1, count: 32))
        guard case .send(let proof) = try coordinator.receive(HandshakeMessage.hello(hello).framed()) else {
            Issue.record("no proof")
            return
        }
        // The coordinator's own proof sent back is none.
        #expect(throws: ProtocolError.self) { try coordinator.receive(proof) }
    }

    @Test func whatIsTooLongIsRefusedBeforeItHasCome() throws {
        var frames = Frames(limit: 100)
        frames.append([0, 0, 0, 101])
        #expect(throws: ProtocolError.self) { try frames.next() }
        var agent = try agent()
        guard case .refuse(let answer, _) = agent.receive(Array("GET / HTTP/1.1\r\n\r\n".utf8)) else {
            Issue.record("not refused")
            return
        }
        #expect(answer.isEmpty)
    }

    // MARK: Fuzzing

    private static let cases = 10_000

    /// Flips, cuts and repeats, by a seed.
    private func spoilt(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = bytes
        switch random.next(below: 4) {
        case 0: bytes.removeLast(1 + random.next(below: bytes.count))
        case 1: bytes.insert(UInt8(random.next(below: 256)), at: random.next(below: bytes.count))
        case 2:
            let place = random.next(below: bytes.count)
            bytes.insert(contentsOf: bytes[place...], at: place)
            if place == bytes.count / 2 { bytes.append(0) }
        default: bytes[random.next(below: bytes.count)] ^= UInt8(1 << random.next(below: 8))
        }
        return bytes
    }

    @Test func nothingThatIsSpoiltLetsAnybodyIn() throws {
        var random = SplitMix(state: 7)
        for _ in 0..<Self.cases / 2 {
            var agent = try agent()
            var noise = (0..<random.next(below: 64)).map { _ in UInt8(random.next(below: 256)) }
            // So that the length is one that may be.
            if noise.count > 4 { noise.replaceSubrange(0..<4, with: [0, 0, 0, UInt8(noise.count - 4)]) }
            if case .done = agent.receive(noise) { Issue.record("noise was let in") }
        }
        for number in 0..<Self.cases / 20 {
            var (agent, coordinator) = (try agent(), try coordinator())
            var greeting = coordinator.greeting
            if number % 2 == 0 { greeting = spoilt(greeting, &random) }
            guard case .send(let hello) = agent.receive(greeting),
                case .send(let proof)? = try? coordinator.receive(hello)
            else { continue }
            let sent = number % 2 == 0 ? proof : spoilt(proof, &random)
            guard case .done(_, _, let rest) = agent.receive(sent) else { continue }
            // What follows a proof has to be sealed, and is looked at then.
            #expect(number % 2 == 1 && sent.starts(with: proof) && rest.count == sent.count - proof.count)
        }
    }

    @Test func nothingThatIsSpoiltIsOpened() throws {
        var random = SplitMix(state: 11)
        let key = [UInt8](repeating: 3, count: 32)
        let message = try AgentRequest.begin(RunWindow(loadStart: 1, start: 2, end: 3, deadline: 4)).encoded()
        for _ in 0..<Self.cases {
            var (seal, opens) = (Seal(authentication, key: key), Seal(authentication, key: key))
            let bytes = spoilt(try seal.sealed(message), &random)
            #expect(throws: ProtocolError.self) { try opens.opened(bytes) }
        }
    }

    /// A peer that knows the secret and sends nonsense ends its session and nothing else.
    @Test func nonsenseIsRefusedAndTrapsNowhere() throws {
        var random = SplitMix(state: 13)
        let mode = try #require(Mode.named("epoll-lt"))
        let traffic = Traffic(.read, connections: 4)
        let order = ServerOrder(.mode(ModeOrder(ServerPlan(.read, mode: mode), traffic)))
        let texts = [try AgentRequest.start(order).encoded(), try AgentReply.snapshot(sample()).encoded()]
        for number in 0..<2000 {
            var bytes = texts[number % 2]
            for _ in 0..<1 + random.next(below: 3) {
                let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
                let place = digits.isEmpty ? 0 : digits[random.next(below: digits.count)]
                let number = [
                    "-1", "18446744073709551615", "9223372036854775807", "1e300", "0", "null", "[]", "1099511627776",
                ]
                if random.next(below: 3) > 0 {
                    bytes.replaceSubrange(place...place, with: Array(number[random.next(below: number.count)].utf8))
                } else {
                    bytes = spoilt(bytes, &random)
                    if bytes.isEmpty { bytes = [0] }
                }
            }
            if case .start(let order)? = try? AgentRequest(message: bytes), case .mode(let wanted) = order.kind {
                _ = try? order.plan(wanted, at: .loopback())
            }
            if case .snapshot(let snapshot)? = try? AgentReply(message: bytes),
                snapshot.server.isSound(after: try sample().server)
            {
                #expect(snapshot.server.totals.allSatisfy { $0.value < 1 << 43 })
            }
        }
    }

    private func sample() throws -> HostSnapshot {
        let meters = WorkerMeters(count: 2, dispatchers: 0, calls: nil)
        return HostSnapshot(server: WorkerSnapshot(meters, []), host: .read())
    }

    @Test func messagesComeBackAsTheyWere() throws {
        let snapshot = try sample()
        guard case .snapshot(let again) = try AgentReply(message: try AgentReply.snapshot(snapshot).encoded()) else {
            Issue.record("another message")
            return
        }
        #expect(again.server.time == snapshot.server.time && again.server.totals == snapshot.server.totals)
        #expect(again.server.operations == [0, 0] && again.host.kernel == snapshot.host.kernel)
        #expect(
            again.server.isSound(after: snapshot.server) && again.server.moved(by: -5).time == snapshot.server.time + 5)
        var report = ServerReport()
        report.failures.note(.reply("HTTP 500"), count: 3)
        report.error = RunError("accept", .tooManyOpenFiles)
        let ended = EndedServer(report: report, host: .read())
        guard case .ended(let back) = try AgentReply(message: try AgentReply.ended(ended).encoded()) else {
            Issue.record("another message")
            return
        }
        #expect(back.report.failures == report.failures && back.report.error?.error == .tooManyOpenFiles)
        #expect(back.report.error?.description == report.error?.description)
    }

    @Test(arguments: Mode.every.map(\.name)) func everyModeTravelsWithWhatTheCommandLineSet(_ name: String) throws {
        let mode = try #require(Mode.named(name))
        var settings = Mode.WaitSettings()
        if mode.capabilities.looksWithoutBlocking { settings.spinNanoseconds = 50_000 }
        if mode.capabilities.waitsForCompletions { (settings.waitFor, settings.waitLimitNanoseconds) = (4, 100_000) }
        settings.pollerIdleNanoseconds = 2_000_000
        let workload = try #require(mode.capabilities.workloads.first)
        var plan = ServerPlan(workload, mode: mode.waiting(settings))
        plan.service = ServiceTime(distribution: .bimodal(fast: 1, slow: 2, probability: 0.5), work: .sleep)
        let order = ServerOrder(.mode(ModeOrder(plan, Traffic(workload, connections: 4))))
        guard case .start(let again) = try AgentRequest(message: try AgentRequest.start(order).encoded()),
            case .mode(let wanted) = again.kind
        else {
            Issue.record("another message")
            return
        }
        let back = try again.plan(wanted, at: .loopback())
        #expect(back.loop.mode.options == plan.loop.mode.options && back.service == plan.service)
        #expect(back.loop.mode.name == name && back.loop.topology == plan.loop.topology)
    }

    // MARK: The secret

    @Test func aSecretIsTakenFromAFileThatNobodyElseCanRead() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("0123456789abcdef\n".utf8).write(to: URL(filePath: path))
        func refusal(_ path: String) -> String {
            do {
                return "\(try AgentSecret(file: path))"
            } catch {
                return "\(error)"
            }
        }
        chmod(path, 0o640)
        #expect(refusal(path).contains("can be read by others; chmod 600"))
        chmod(path, 0o600)
        #expect(refusal(path) == "(secret)")
        #expect(try AgentSecret(file: path).bytes == Array("0123456789abcdef".utf8))
        try Data("short\n".utf8).write(to: URL(filePath: path))
        #expect(refusal(path).contains("5 bytes and needs 16"))
        #expect(refusal("/nonexistent").contains("No such file") && refusal("/tmp").contains("is no file"))
    }

    @Test func aSecretIsTakenOutOfTheEnvironment() throws {
        #expect(try AgentSecret.takenFromEnvironment()?.bytes == nil)
        setenv(AgentSecret.variable, "0123456789abcdef", 1)
        #expect(try AgentSecret.takenFromEnvironment()?.bytes.count == 16)
        #expect(try getenv(AgentSecret.variable) == nil && AgentSecret.takenFromEnvironment()?.bytes == nil)
    }
}

/// Numbers that a seed decides.
private struct SplitMix {
    var state: UInt64

    mutating func next(below limit: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((word ^ (word >> 31)) % UInt64(max(limit, 1)))
    }
}
