import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import RunSupport
import SystemPackage
import Testing

@testable import Loops
@testable import Meters
@testable import Servers

/// A blocking connection that gives up after a minute.
private final class Client {
    private let connection: Connection

    init(to address: SocketAddress) throws {
        connection = try StreamSocket(for: address, .blocking).connect(to: address)
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(connection.descriptor.rawValue, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        try setSocketOption(.noDelay, on: connection.descriptor)
    }

    func send(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        #expect(Glibc.send(connection.descriptor.rawValue, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count)
    }

    /// Says that nothing more comes.
    func finish() { shutdown(connection.descriptor.rawValue, CInt(SHUT_WR)) }

    /// So many bytes, or fewer if the server ends the connection before.
    func receive(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var part = [UInt8](repeating: 0, count: count - bytes.count)
            let received = recv(connection.descriptor.rawValue, &part, part.count, 0)
            if received < 0 && errno == EINTR { continue }
            if received < 0 { #expect(errno == ECONNRESET, "\(Errno(rawValue: errno))") }
            if received <= 0 { break }
            bytes += part.prefix(received)
        }
        return bytes
    }

    /// True if the server has ended the connection and sent nothing more.
    func hasEnded() -> Bool { receive(1).isEmpty }
}

/// A mode, and what is said.
private struct Served: Sendable, CustomTestStringConvertible {
    let mode: Mode
    let wire: WireProtocol
    var testDescription: String { "\(mode.name) \(wire.rawValue)" }

    static let all: [Served] = {
        let rings = RingSupport.probe()
        return Mode.every.filter { $0.serves(.read) && !$0.capabilities.repliesUnseen }.flatMap { mode in
            if let reason = mode.unsupportedReason(rings: rings, for: .read) {
                print("skipped: \(mode.name): \(reason)")
                return [] as [Served]
            }
            return mode.capabilities.wires.map { Served(mode: mode, wire: $0) }
        }
    }()

    private static let page = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 40\r\n"
    private static let letters = "abcdefghijklmnopqrstuvwxyzabcdefghijklmn"

    /// A request and its reply; `ends` for one that ends the connection.
    func exchange(ends: Bool = false) -> (request: [UInt8], reply: [UInt8]) {
        let text: (String, String) =
            switch wire {
            case .echo: (Self.letters, Self.letters)
            case .http:
                ends
                    ? ("GET / HTTP/1.1\r\n\r\n", Self.page + "Connection: close\r\n\r\n" + Self.letters)
                    : ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", Self.page + "\r\n" + Self.letters)
            case .redis: ("*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n", "+PONG\r\n")
            case .memcached: ("set k 0 0 2\r\n\r\n\r\n", "STORED\r\n")
            case .bytes: ("\r\nbytes", Self.letters)
            }
        return (Array(text.0.utf8), Array(text.1.utf8))
    }

    func start(_ workload: Workload, _ change: (inout Traffic) -> Void = { _ in }) throws -> LocalServer {
        var traffic = Traffic(workload, connections: 8, messageBytes: 40)
        traffic.wire = wire
        traffic.requestBytes = 7
        traffic.arrival = .anytime
        traffic.limitsConnections = true
        change(&traffic)
        let server = try LocalServer(ServerPlan(workload, mode: mode), expecting: traffic)
        #expect(try server.prepare(unless: []))
        server.begin(.never)
        return server
    }
}

@Suite(.serialized) struct ProtocolTests {
    @Test(arguments: Served.all) private func everyModeAnswersEveryProtocol(_ served: Served) throws {
        let server = try served.start(.read)
        let (request, reply) = served.exchange()
        do {
            let client = try Client(to: server.address)
            for _ in 0..<3 {
                client.send(request)
                #expect(client.receive(reply.count) == reply)
            }
            for byte in request { client.send([byte]) }
            #expect(client.receive(reply.count) == reply)
            client.send(request + request)
            #expect(client.receive(2 * reply.count) == reply + reply)
            // One and a half, and then the other half.
            client.send(request + request.dropLast(3))
            #expect(client.receive(reply.count) == reply)
            client.send(request.suffix(3))
            #expect(client.receive(reply.count) == reply)
            client.send(request)
            client.finish()
            #expect(client.receive(reply.count) == reply)
            #expect(client.hasEnded())
        }
        do {
            let client = try Client(to: server.address)
            client.send(request.dropLast(2))
            client.finish()
            #expect(client.hasEnded())
        }
        let report = server.end(windowEnd: 0)
        #expect(server.operations == 9)
        #expect(report.error == nil)
        #expect(report.failures.total == 1 && report.failures.isOnly(.earlyEnd), "\(report.failures.text)")
    }

    @Test(arguments: Served.all) private func aConnectionCanEndWithItsReply(_ served: Served) throws {
        let server = try served.start(.crr)
        let (request, reply) = served.exchange(ends: true)
        for _ in 0..<3 {
            let client = try Client(to: server.address)
            for byte in request { client.send([byte]) }
            #expect(client.receive(reply.count) == reply)
            #expect(client.hasEnded())
        }
        let report = server.end(windowEnd: 0)
        #expect(server.operations == 3)
        #expect(report.error == nil && report.failures.total == 0, "\(report.failures.text)")
    }

    @Test(arguments: Served.all.filter { $0.wire == .http || $0.wire == .redis || $0.wire == .memcached })
    private func whatIsNoRequestEndsItsConnectionOnly(_ served: Served) throws {
        let server = try served.start(.read)
        let (request, reply) = served.exchange()
        let other = served.mode.capabilities.waitsInCall ? nil : try Client(to: server.address)
        for text in ["\r\n\r\n", String(repeating: "a", count: 16384)] {
            let client = try Client(to: server.address)
            client.send(request)
            #expect(client.receive(reply.count) == reply)
            client.send(text.utf8)
            #expect(client.hasEnded())
        }
        if let other {
            other.send(request)
            #expect(other.receive(reply.count) == reply)
        }
        let report = server.end(windowEnd: 0)
        #expect(report.error == nil)
        #expect(report.failures.total == 2 && report.failures.isOnly(.wrongRequest), "\(report.failures.text)")
    }

    @Test(arguments: Served.all.filter { $0.wire == .http || $0.wire == .redis || $0.wire == .memcached })
    private func requestsBeforeWhatIsNoneAreAnswered(_ served: Served) throws {
        let server = try served.start(.read)
        let (request, reply) = served.exchange()
        // Another kind behind them, which gets a reply of its own where the protocol has one.
        let (last, lastReply): (String, [UInt8]) =
            switch served.wire {
            case .http: ("HEAD / HTTP/1.1\r\n\r\n", Array(reply.dropLast(40)))
            case .memcached: ("version\r\n", Array("VERSION 1\r\n".utf8))
            default: ("PING\r\n", Array("+PONG\r\n".utf8))
            }
        for _ in 0..<3 {
            let client = try Client(to: server.address)
            client.send(request + request + Array((last + "\r\n\r\n").utf8))
            let replies = reply + reply + lastReply
            #expect(client.receive(replies.count) == replies)
            #expect(client.hasEnded())
        }
        let report = server.end(windowEnd: 0)
        #expect(server.operations == 9 && report.error == nil)
        #expect(report.failures.total == 3 && report.failures.isOnly(.wrongRequest), "\(report.failures.text)")
    }

    @Test(arguments: Served.all.filter { $0.wire == .http })
    private func bodiesInChunksAreFramed(_ served: Served) throws {
        let server = try served.start(.read)
        let reply = served.exchange().reply
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        let request = Array((head + "3\r\na\r\n\r\n2;x=y\r\n\r\n\r\n0\r\nTrailer: a\r\n\r\n").utf8)
        let client = try Client(to: server.address)
        for split in 1...request.count {
            client.send(request.prefix(split))
            client.send(request.dropFirst(split))
            #expect(client.receive(reply.count) == reply)
        }
        client.finish()
        #expect(client.hasEnded())
        for size in ["8000000000000000", "x"] {
            let client = try Client(to: server.address)
            client.send((head + size + "\r\n").utf8)
            #expect(client.hasEnded())
        }
        let report = server.end(windowEnd: 0)
        #expect(server.operations == UInt64(request.count) && report.error == nil)
        #expect(report.failures.total == 2 && report.failures.isOnly(.wrongRequest), "\(report.failures.text)")
    }

    @Test(arguments: Served.all.filter { $0.wire == .http })
    private func aConnectionOfAWebClientEndsWhenItSaysSo(_ served: Served) throws {
        let server = try served.start(.read)
        let page = served.exchange()
        let last = served.exchange(ends: true)
        for _ in 0..<3 {
            let client = try Client(to: server.address)
            // What comes behind the last request is not answered.
            client.send(page.request + Array("GET / HTTP/1.1\r\nConnection: close\r\n\r\n".utf8))
            let replies = page.reply + last.reply
            #expect(client.receive(replies.count) == replies)
            #expect(client.hasEnded())
        }
        let report = server.end(windowEnd: 0)
        #expect(server.operations == 6)
        #expect(report.error == nil && report.failures.total == 0, "\(report.failures.text)")
    }

    @Test(arguments: Served.all.filter { $0.wire == .memcached })
    private func requestsOfSeveralKindsAreAnsweredInTheirOrder(_ served: Served) throws {
        let server = try served.start(.read)
        let client = try Client(to: server.address)
        let request = Array("get a\r\nget b\r\nset a 0 0 1\r\nx\r\nversion\r\ngat 1 a\r\nver".utf8)
        let reply = Array("END\r\nEND\r\nSTORED\r\nVERSION 1\r\nEND\r\nVERSION 1\r\n".utf8)
        for _ in 0..<3 {
            client.send(request)
            client.send("sion\r\n".utf8)
            #expect(client.receive(reply.count) == reply)
        }
        let report = server.end(windowEnd: 0)
        #expect(server.operations == 18)
        #expect(report.error == nil && report.failures.total == 0, "\(report.failures.text)")
    }

    @Test(arguments: Served.all.filter { $0.wire == .redis }) private func aLongRowOfRequestsIsAnsweredWhole(
        _ served: Served
    ) throws {
        let server = try served.start(.read)
        let client = try Client(to: server.address)
        let count = 9000
        client.send(String(repeating: "PING\r\n", count: count).utf8)
        #expect(client.receive(7 * count) == Array(String(repeating: "+PONG\r\n", count: count).utf8))
        client.finish()
        #expect(client.hasEnded())
        let report = server.end(windowEnd: 0)
        #expect(server.operations == UInt64(count))
        #expect(report.error == nil && report.failures.total == 0, "\(report.failures.text)")
    }

    @Test(arguments: Served.all.filter { $0.wire == .echo && !$0.mode.capabilities.waitsInCall })
    private func moreConnectionsThanAllowedAreClosed(_ served: Served) throws {
        let server = try served.start(.read) { $0.connections = 2 }
        let (request, reply) = served.exchange()
        do {
            let first = try Client(to: server.address)
            let second = try Client(to: server.address)
            // An answer says that the connection is open on the other side too.
            for client in [first, second] {
                client.send(request)
                #expect(client.receive(reply.count) == reply)
            }
            let third = try Client(to: server.address)
            #expect(third.hasEnded())
            first.send(request)
            #expect(first.receive(reply.count) == reply)
            first.finish()
            #expect(first.hasEnded())
        }
        let report = server.end(windowEnd: 0)
        #expect(report.error == nil)
        #expect(report.failures.isOnly(.tooManyConnections), "\(report.failures.text)")
    }
}
