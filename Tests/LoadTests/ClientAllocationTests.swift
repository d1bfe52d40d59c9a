import Glibc
import Testing

@testable import Load
@testable import Meters

/// No client allocates memory for an operation, whatever is said.
@Suite(.enabled(if: AllocationCount.isCounted, "a sanitizer allocates in this build"))
struct ClientAllocationTests {
    /// Answers every request of a fixed length, with what it got if there is no other reply.
    private func server(_ length: Int, _ reply: String?) throws -> ScriptedServer {
        try ScriptedServer { peer in
            while true {
                let request = peer.receive(length)
                guard request.count == length else { return }
                peer.send(reply.map { Array($0.utf8) } ?? request)
            }
        }
    }

    /// Expects that many operations allocate no more than few do, after some to warm up.
    private func expectNone<Client: LoadClient & ~Copyable>(
        _ client: inout Client, _ what: String, _ work: (inout Client, Int) throws -> Void
    ) throws {
        let count = AllocationCount.ofThisThread()
        var counts = [count.read()]
        counts.reserveCapacity(8)
        for operations in [100, 200, 600] {
            try work(&client, operations)
            counts.append(count.read())
        }
        let (few, many) = (counts[2] - counts[1], counts[3] - counts[2])
        #expect(many <= few, "\(what): \(few) in 100, \(many) in 400")
    }

    private func expectNone<Format: ReplyFormat & ~Copyable>(
        _ conversation: Conversation, _ reply: String?, _ format: () -> Format
    ) throws {
        let length = conversation.wire == .echo ? 64 : conversation.requests[0].bytes.count
        for think in [UInt64(0), 1] {
            let server = try server(length, reply)
            var plan = plan(.read, conversation)
            plan.thinkNanoseconds = think
            var client = try StreamClient(format(), plan, to: server.address, connections: 1, idle: 0, seed: 1)
            client.begin(openWindow)
            try expectNone(&client, "\(conversation.wire)") { (client, operations) in
                try client.wait { $0.result.ended >= operations }
            }
            let failures = client.result.failures
            #expect(failures.total == 0, "\(failures.text)")
        }
        let server = try server(length, reply)
        var client = try ConnectionClient(format(), plan(.crr, conversation), to: server.address, capacity: 1)
        client.begin(openWindow)
        try expectNone(&client, "\(conversation.wire) crr") { try $0.start($1) }
    }

    @Test func http() throws {
        let conversation = try Conversation.http(host: "test")
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: keep-alive\r\n"
        for rest in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"] {
            try expectNone(conversation, head + rest) { HTTPFormat(conversation, seed: 1) }
        }
    }

    @Test func stampedReplies() throws {
        let server = try server(64, nil)
        var plan = plan(.read)
        plan.takesStamps = true
        var client = try StreamClient(EchoFormat(plan), plan, to: server.address, connections: 1, idle: 0, seed: 1)
        client.result.split = LatencySplit()
        client.begin(openWindow)
        try expectNone(&client, "stamped") { (client, operations) in
            try client.wait { $0.result.ended >= operations }
        }
        #expect(client.result.split?.client.outOfRange == 0)
    }

    @Test func redis() throws {
        let conversation = try Conversation.redis(command: "GET a")
        try expectNone(conversation, "*2\r\n$5\r\nhello\r\n:1\r\n") { RedisFormat(conversation, seed: 1) }
    }

    @Test func memcached() throws {
        let conversation = try Conversation.memcached(command: "get a")
        try expectNone(conversation, "VALUE a 0 5\r\nhello\r\nEND\r\n") { MemcachedFormat(conversation, seed: 1) }
    }

    @Test func bytes() throws {
        let conversation = try Conversation.bytes(request: [1, 2, 3], end: .text([10]))
        try expectNone(conversation, "hello\n") { BytesFormat(conversation, seed: 1) }
    }

    @Test func echo() throws {
        try expectNone(Conversation(), nil) { EchoFormat(LoadPlan(.read)) }
    }

    @Test func reconnecting() throws {
        let conversation = try Conversation.http(host: "test")
        let length = conversation.requests[0].bytes.count
        let server = try ScriptedServer { peer in
            if peer.receive(length).count == length { peer.send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok") }
        }
        var client = try StreamClient(
            HTTPFormat(conversation, seed: 1), plan(.read, conversation), to: server.address, connections: 1, idle: 0,
            seed: 1)
        client.begin(openWindow)
        try expectNone(&client, "reconnecting") { (client, operations) in
            try client.wait { $0.result.ended >= operations }
        }
        let reconnections = client.result.reconnections
        #expect(reconnections >= 599)
    }
}
