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

    @Test func operationsWaitForAFullQueue() throws {
        let address = try SocketAddress.unix(abstractName: "full-queue-\(getpid())")
        let socket = try StreamSocket(for: address, .blocking)
        try socket.bind(to: address)
        let listener = try socket.listen(backlog: 0)
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
