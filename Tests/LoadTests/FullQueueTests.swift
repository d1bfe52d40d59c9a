import Glibc
import Histogram
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import Testing

@testable import Load
@testable import Meters

/// A unix listener that has room for one connection lets the others in when their turn comes.
@Suite struct FullQueueTests {
    private static let reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    private func listener(_ name: String, backlog: Int) throws -> Listener {
        let address = try SocketAddress.unix(abstractName: "\(name)-\(getpid())")
        let socket = try StreamSocket(for: address, .blocking)
        try socket.bind(to: address)
        return try socket.listen(backlog: backlog)
    }

    /// A connection that waits to be accepted, as an endpoint that closes nothing.
    private func accepted(_ listener: borrowing Listener) -> ScriptedServer.Peer {
        ScriptedServer.Peer(descriptor: accept(listener.descriptor.rawValue, nil, nil), index: 0)
    }

    /// Who comes when there is room again does not get in before those who wait.
    @Test func operationsGetInInTheirOrder() throws {
        let listener = try listener("order", backlog: 0)
        let address = try listener.address
        let plan = plan(.crr, connections: 4)
        var client = try ConnectionClient(EchoFormat(plan), plan, to: address, capacity: 4)
        client.begin(openWindow)
        for _ in 0..<3 { #expect(try client.start(at: monotonicNanoseconds())) }
        let first = accepted(listener)
        #expect(try client.start(at: monotonicNanoseconds()))
        let number = listener.descriptor.rawValue
        let server = BenchThread("server", processor: nil) { () throws(Errno) in
            var messages: [[UInt8]] = []
            for index in 0..<4 {
                let connection = index == 0 ? first.descriptor : accept(number, nil, nil)
                if connection < 0 { break }
                let peer = ScriptedServer.Peer(descriptor: connection, index: index)
                messages.append(peer.receive())
                peer.send(messages[index])
                close(connection)
            }
            return messages
        }
        try client.wait { $0.outstanding == 0 }
        shutdown(number, CInt(SHUT_RDWR))
        let messages = try server.join().get()
        #expect(client.result.answers == 4 && messages.count == 4)
        let pattern = MessagePattern(bytes: plan.messageBytes)
        for (number, message) in messages.enumerated() {
            #expect(message.withUnsafeBytes { pattern.matches(UInt64(number), $0.baseAddress!) })
        }
    }

    /// The wait is a part of the next request's latency, and no turn of another stream holds it up.
    @Test func aReadThatIsConnectedAgainWaits() throws {
        let listener = try listener("again", backlog: 1)
        let address = try listener.address
        let conversation = try Conversation.http(host: "test")
        let plan = plan(.read, conversation, connections: 2)
        var client = try StreamClient(
            HTTPFormat(conversation, seed: 1), plan, to: address, connections: 2, idle: 0, seed: 1)
        var peers = [accepted(listener), accepted(listener)]
        defer { for peer in peers { close(peer.descriptor) } }
        let fillers = try (0..<2).map { _ in
            try StreamSocket(for: address, .blocking).connect(to: address).release().release().rawValue
        }
        client.begin(openWindow)
        client.waiting.push(1, at: monotonicNanoseconds() + 3_600_000_000_000)
        #expect(peers[0].receiveRequests() == 1)
        peers[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        try client.wait { $0.openConnections == 1 }
        let begun = monotonicNanoseconds()
        try client.awaitAnswers(until: begun + 5_000_000)
        let started = monotonicNanoseconds()
        let outstanding = client.outstanding
        #expect(outstanding == 2)
        for filler in fillers {
            close(accepted(listener).descriptor)
            close(filler)
        }
        try client.wait { $0.openConnections == 2 }
        try #require(client.openConnections == 2)
        peers.append(accepted(listener))
        #expect(peers[2].receiveRequests() == 1)
        peers[2].send(Self.reply)
        try client.wait { $0.result.answers == 2 }
        let result = client.result
        #expect(result.answers == 2 && result.failures.total == 0, "\(result.failures.text)")
        #expect(result.latencies.histogram.max >= (started - begun) * 99 / 100)
    }

    /// Connections take time to be made, which is not the later ones' latency.
    @Test func connectionsOfOnePassBeginOneAfterTheOther() throws {
        let listener = try listener("pass", backlog: 8)
        let conversation = try Conversation.http(host: "test")
        let plan = plan(.read, conversation, connections: 2)
        var client = try StreamClient(
            HTTPFormat(conversation, seed: 1), plan, to: listener.address, connections: 2, idle: 0, seed: 1)
        for index in 0..<2 {
            client.disconnect(index)
            client.streams[index].owed = 1
            client.waiting.push(index, at: 1)
        }
        client.startDue(monotonicNanoseconds())
        let (starts, open) = ((0..<2).map { client.start(of: 0, on: $0) }, client.openConnections)
        #expect(starts[0] < starts[1] && open == 2)
    }

    @Test func operationsWaitForAFullQueue() throws {
        let listener = try listener("full-queue", backlog: 0)
        let address = try listener.address
        let conversation = try Conversation.http(host: "test", closes: true)
        let plan = plan(.crr, conversation, connections: 4)
        var client = try ConnectionClient(HTTPFormat(conversation, seed: 1), plan, to: address, capacity: 4)
        client.begin(openWindow)
        for _ in 0..<4 {
            let isUnderWay = try client.start(at: monotonicNanoseconds())
            #expect(isUnderWay)
        }
        let begun = monotonicNanoseconds()
        try client.awaitAnswers(until: monotonicNanoseconds() + 5_000_000)
        let (outstanding, failures) = (client.outstanding, client.result.failures)
        #expect(outstanding == 4 && failures.total == 0, "\(failures.text)")
        let started = monotonicNanoseconds()
        let number = listener.descriptor.rawValue
        let server = BenchThread("server", processor: nil) { () throws(Errno) in
            for _ in 0..<4 {
                let connection = accept(number, nil, nil)
                if connection < 0 { return }
                let peer = ScriptedServer.Peer(descriptor: connection, index: 0)
                if peer.receiveRequests() > 0 { peer.send(Self.reply) }
                close(connection)
            }
        }
        try client.wait { $0.outstanding == 0 }
        shutdown(number, CInt(SHUT_RDWR))
        _ = server.join()
        let result = client.result
        #expect(result.answers == 4 && result.failures.total == 0, "\(result.failures.text)")
        // All of them began before the server did, to the three digits of the histogram.
        #expect(result.latencies.histogram.min >= (started - begun) * 99 / 100)
    }
}
