import Foundation
import Histogram
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import Load
@testable import Meters

/// Clients that speak TLS with servers which do it well, badly, or not at all.
@Suite(.enabled(if: TLSServer.isPossible && TLSContext.refusal == nil)) struct TLSTests {
    private let files: TLSServer

    init() throws { files = try TLSServer() }

    private func daemon(_ deed: String) throws -> Daemon {
        try Daemon { files.command(deed, "\($0)/socket") }
    }

    /// An address of TCP where nobody listens, and its port.
    private func freePlace() throws -> (address: SocketAddress, port: String) {
        let address = try loopbackListener().address
        return (address, "\(try #require(address.port))")
    }

    private func http(_ conversation: Conversation) -> HTTPFormat { HTTPFormat(conversation, seed: 1) }

    /// What a client sees that takes any certificate, or those of a file.
    private func result(
        _ workload: Workload, _ daemon: Daemon, operations: Int, connections: Int = 2, depth: Int = 1,
        authorities: String? = nil, name: String? = nil
    ) throws -> ClientResult {
        let conversation = try Conversation.http(host: "test")
        var plan = plan(workload, conversation, connections: connections, depth: depth)
        plan.tls = try TLSContext(
            authorities: authorities.map { "\(files.folder)/\($0)" }, name: name, protocols: ["http/1.1"])
        guard workload == .read else {
            return try exchangeResult(http(conversation), plan, to: daemon.address, operations: operations)
        }
        let start = ClientStart()
        do {
            return try readResult(
                http(conversation), plan, to: daemon.address, operations: operations, start: start)
        } catch let error as Errno {
            var result = ClientResult()
            #expect(error.rawValue == EPROTO)
            result.failures.note(try #require(start.cause))
            return result
        }
    }

    @Test(arguments: ["reply", "bytes", "old"], [1, 8]) func answers(_ deed: String, _ depth: Int) throws {
        let daemon = try daemon(deed)
        for workload in [Workload.read, .crr] {
            let result = try result(workload, daemon, operations: 40, depth: depth)
            #expect(result.answers >= 40 && result.failures.total == 0, "\(result.failures.text)")
            #expect(result.reconnections == 0 && result.lost == 0)
        }
    }

    @Test(arguments: [1, 8]) func bigAnswers(_ depth: Int) throws {
        let daemon = try daemon("big")
        for workload in [Workload.read, .crr] {
            let result = try result(workload, daemon, operations: 16, depth: depth)
            #expect(result.answers >= 16 && result.failures.total == 0, "\(result.failures.text)")
        }
    }

    /// Messages that fill the socket's buffer are sent in parts, some of which are tried again.
    @Test(arguments: [(64, 1), (64, 8), (300_000, 1), (300_000, 8)])
    func echoes(_ size: Int, _ depth: Int) throws {
        let daemon = try daemon("echo")
        for workload in [Workload.read, .crr] {
            var plan = plan(workload, connections: 2, depth: depth)
            plan.messageBytes = size
            plan.tls = try TLSContext()
            let result =
                workload == .read
                ? try readResult(EchoFormat(plan), plan, to: daemon.address, operations: 24)
                : try exchangeResult(EchoFormat(plan), plan, to: daemon.address, operations: 8)
            #expect(result.answers >= 8 && result.failures.total == 0, "\(result.failures.text)")
        }
    }

    /// One request of many records, or many that are sent at once, of a server that is silent until it has all of them:
    /// the end of a record is no full socket, and nothing tells of more room.
    @Test(arguments: [1, 15]) func requestsOfManyRecords(_ depth: Int) throws {
        let place = try freePlace()
        let daemon = try Daemon(at: place.address) { _ in files.command("whole\(depth)", place.port) }
        let request = [UInt8](repeating: 120, count: 300_000 / depth)
        var plan = plan(.read, try .bytes(request: request, end: .count(2)), connections: 2, depth: depth)
        plan.tls = try TLSContext()
        let result = try readResult(
            BytesFormat(plan.conversation, seed: 1), plan, to: daemon.address, operations: 90)
        #expect(result.answers >= 90 && result.failures.total == 0, "\(result.failures.text)")
    }

    @Test func aVerifiedCertificateIsTakenByAnyOfItsNames() throws {
        let daemon = try daemon("reply")
        for name in ["bench.test", "127.0.0.1"] {
            for workload in [Workload.read, .crr] {
                let result = try result(workload, daemon, operations: 5, authorities: "cert.pem", name: name)
                #expect(result.answers >= 5 && result.failures.total == 0, "\(result.failures.text)")
            }
        }
    }

    private func expectFailure(
        _ deed: String, _ cause: String, authorities: String? = nil, name: String? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let daemon = try daemon(deed)
        for workload in [Workload.read, .crr] {
            let result = try result(workload, daemon, operations: 3, authorities: authorities, name: name)
            let causes = result.failures.sorted.map(\.cause.description)
            #expect(result.answers == 0, sourceLocation: location)
            #expect(causes.count == 1 && causes[0].hasPrefix(cause), "\(causes)", sourceLocation: location)
        }
    }

    @Test func aCertificateOfSomebodyElse() throws {
        try expectFailure(
            "reply", "SSL_connect: certificate verify failed (self", authorities: "other.pem", name: "bench.test")
    }

    @Test func aWrongName() throws {
        let cause = "SSL_connect: certificate verify failed ("
        try expectFailure("reply", cause + "hostname mismatch)", authorities: "cert.pem", name: "other.test")
        try expectFailure("reply", cause + "IP address mismatch)", authorities: "cert.pem", name: "127.0.0.9")
    }

    /// A certificate is not verified without the name that it is to have.
    @Test func aNameThatOpenSSLRefuses() throws {
        let (call, own) = ("SSL_set_tlsext_host_name: ", "X509_VERIFY_PARAM_set1_host: ")
        for name in ["", String(repeating: "a", count: 300)] {
            try expectFailure("reply", call, authorities: "cert.pem", name: name)
            try expectFailure("reply", call, name: name)
        }
        try expectFailure("reply", own, authorities: "cert.pem", name: "bench.test\0.other.test")
        try expectFailure("reply", own, authorities: "cert.pem", name: "127.0.0.1\0.other.test")
    }

    /// A server that is gone does not hear why its certificate is refused, which remains the reason.
    @Test func aReasonThatTheServerDoesNotHear() throws {
        let daemon = try daemon("reply")
        let sessions = TLSSessions(
            try TLSContext(authorities: "\(files.folder)/other.pem", name: "bench.test"), capacity: 1)
        let connection = try StreamSocket(for: daemon.address, .nonblocking).connect(to: daemon.address)
        let descriptor = connection.descriptor
        sessions.open(0, descriptor.rawValue)
        var bytes = [UInt8](repeating: 0, count: 64)
        #expect(sessions.send(0, bytes, 1) == -Int(EAGAIN))
        shutdown(descriptor.rawValue, CInt(SHUT_WR))
        var outcome = -Int(EAGAIN)
        while outcome == -Int(EAGAIN) {
            try waitUntilReadable(descriptor)
            outcome = sessions.receive(0, &bytes, bytes.count)
        }
        let reason = sessions.failure?.description ?? ""
        #expect(outcome == -Int(EPROTO) && reason.contains("certificate verify failed"), "\(reason)")
    }

    /// The server refuses after the client's part of the handshake, and closes with a request unread.
    @Test func anAlertAfterTheHandshake() throws {
        let daemon = try daemon("lateclientcert")
        let result = try result(.crr, daemon, operations: 20)
        let causes = result.failures.sorted.map(\.cause.description)
        #expect(causes == ["SSL_connect: tlsv13 alert certificate required"], "\(causes)")
    }

    @Test func whatIsNoReasonExplainsNothing() {
        let broken = FailureTally.Cause("send", EPIPE)
        #expect(FailureTally.Cause.tls("SSL_read", "tlsv13 alert certificate required").explains(broken))
        for cause in [FailureTally.Cause.truncated, .endedHandshake, .earlyEnd] { #expect(!cause.explains(broken)) }
        #expect(!FailureTally.Cause.truncated.explains(.earlyEnd))
    }

    @Test func aServerWithoutTLS() throws { try expectFailure("plain", "SSL_connect: wrong version number") }
    @Test func anAlert() throws { try expectFailure("clientcert", "SSL_connect: sslv3 alert handshake failure") }
    @Test func aResetInTheHandshake() throws { try expectFailure("reset", "SSL_connect: ECONNRESET") }

    @Test func aStallInTheHandshakeOfARead() throws {
        let daemon = try daemon("stall")
        let result = try result(.read, daemon, operations: 1)
        #expect(result.failures.text == "1 × SSL_connect: no answer")
    }

    @Test func aReplyThatTheCloseEnds() throws {
        let daemon = try daemon("end")
        for workload in [Workload.read, .crr] {
            let result = try result(workload, daemon, operations: 10)
            #expect(result.answers >= 10 && result.failures.total == 0, "\(result.failures.text)")
        }
    }

    /// Without a farewell nobody knows whether the reply was whole.
    @Test func aReplyThatIsCutOff() throws {
        let daemon = try daemon("cut")
        for workload in [Workload.read, .crr] {
            let result = try result(workload, daemon, operations: 10)
            #expect(result.answers == 0)
            #expect(result.failures.sorted.map(\.cause) == [.truncated], "\(result.failures.text)")
        }
    }

    /// Nothing is lost with a connection that is cut off between two replies.
    @Test func aConnectionThatIsClosedBetweenReplies() throws {
        let result = try result(.read, try daemon("hangup"), operations: 50, connections: 1)
        // Each connection gives five replies, and can fail one more request.
        #expect(result.answers >= 40 && result.reconnections >= 7)
        let causes = Set(result.failures.sorted.map(\.cause.description))
        #expect(causes.isSubset(of: ["recv: end of stream", "send: EPIPE", "recv: ECONNRESET"]), "\(causes)")
    }

    @Test func aLibraryThatIsMissing() {
        #expect(OpenSSL(anyOf: ["libnone.so"]) == nil)
        #expect(OpenSSL(anyOf: ["libc.so.6"]) == nil)
        #expect("\(TLSError.missing)".contains("apt-get install libssl3"))
    }

    @Test func aFileWithoutACertificate() {
        #expect(throws: TLSError.self) { try TLSContext(authorities: "/dev/null") }
    }
}
