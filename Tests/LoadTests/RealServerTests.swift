import Histogram
import Testing

@testable import Load
@testable import Meters

/// Servers of the system, where they are installed; at unix sockets, so that no two tests share a port.
@Suite struct RealServerTests {
    private func expectAnswers<Format: ReplyFormat & ~Copyable>(
        _ daemon: Daemon, _ conversation: Conversation, _ format: (Conversation) -> Format,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        for (depth, connections) in [(1, 4), (8, 2)] {
            let result = try readResult(
                format(conversation), plan(.read, conversation, connections: connections, depth: depth),
                to: daemon.address, operations: 500)
            #expect(result.failures.total == 0, "\(result.failures.text)", sourceLocation: location)
            #expect(result.answers >= 500 && result.lost == 0, sourceLocation: location)
        }
        let result = try exchangeResult(
            format(conversation), plan(.crr, conversation, connections: 3), to: daemon.address, operations: 50)
        #expect(result.answers == 50 && result.failures.total == 0, "\(result.failures.text)", sourceLocation: location)
    }

    private func http(_ conversation: Conversation) -> HTTPFormat { HTTPFormat(conversation, seed: 1) }

    /// nginx closes each connection after ten replies, which it announces with the last.
    @Test(.enabled(if: hasNginx)) func nginx() throws {
        let daemon = try Daemon.nginx()
        for path in ["/hello", "/none", "/page", "/chunked"] {
            try expectAnswers(daemon, .http(path: path, host: "test"), http)
            try expectAnswers(daemon, .http(path: path, host: "test", closes: true), http)
        }
        try expectAnswers(daemon, .http(method: "HEAD", path: "/page", host: "test"), http)
        try expectAnswers(
            daemon,
            .mix(lines: ["3 /hello", "1 /page", "1 /chunked"]) { path throws(ConversationError) in
                try .http(path: path, host: "test")
            }, http)
        let missing = try Conversation.http(path: "/missing", host: "test")
        let result = try readResult(http(missing), plan(.read, missing), to: daemon.address, operations: 25)
        let total = result.failures.total
        #expect(total >= 25 && result.failures.text == "\(total) × HTTP 404" && result.reconnections == total / 10)
    }

    @Test(.enabled(if: hasNginx)) func nginxIsConnectedAgainWhereItSaysSo() throws {
        let daemon = try Daemon.nginx()
        let conversation = try Conversation.http(path: "/hello", host: "test")
        for depth in [1, 7] {
            let result = try readResult(
                http(conversation), plan(.read, conversation, depth: depth), to: daemon.address, operations: 100)
            #expect(result.failures.total == 0 && result.reconnections == UInt64(result.answers / 10))
        }
    }

    @Test(.enabled(if: hasRedis)) func redis() throws {
        let daemon = try Daemon.redis()
        func redis(_ conversation: Conversation) -> RedisFormat { RedisFormat(conversation, seed: 1) }
        for command in [
            "PING", "SET k 'a value\r\nof two lines'", "GET k", "RPUSH l 1 2 3", "LRANGE l 0 -1", "COMMAND", "GET none",
        ] {
            try expectAnswers(daemon, .redis(command: command), redis)
        }
        try expectAnswers(
            daemon,
            .mix(lines: ["1 SET a 1", "9 GET a", "1 HELLO 3"]) { command throws(ConversationError) in
                try .redis(command: command)
            }, redis)
        for (command, word) in [("NOSUCH", "ERR"), ("LPUSH k 1", "WRONGTYPE")] {
            let conversation = try Conversation.redis(command: command)
            let result = try readResult(
                redis(conversation), plan(.read, conversation), to: daemon.address, operations: 9)
            #expect(result.failures.text == "9 × \(word)" && result.answers == 0)
        }
    }

    @Test(.enabled(if: hasMemcached)) func memcached() throws {
        let daemon = try Daemon.memcached()
        func memcached(_ conversation: Conversation) -> MemcachedFormat { MemcachedFormat(conversation, seed: 1) }
        for command in [
            "version", "set a 0 0 5 hello", "set b 0 0 1 1", "get a", "get a b none", "gets a", "incr b 1",
            "add a 0 0 1 x",
            "stats", "mg a v", "mg none v", "delete none", "touch a 0",
        ] {
            try expectAnswers(daemon, .memcached(command: command), memcached)
        }
        for (command, word) in [("nonsense", "ERROR"), ("incr a 1", "CLIENT_ERROR")] {
            let conversation = try Conversation.memcached(command: command)
            let result = try readResult(
                memcached(conversation), plan(.read, conversation), to: daemon.address, operations: 9)
            #expect(result.failures.text == "9 × \(word)" && result.answers == 0)
        }
    }

    @Test(.enabled(if: hasRedis)) func bytesOfRedis() throws {
        let daemon = try Daemon.redis()
        func bytes(_ conversation: Conversation) -> BytesFormat { BytesFormat(conversation, seed: 1) }
        try expectAnswers(daemon, .bytes(request: Array("PING\r\n".utf8), end: .count(7)), bytes)
        try expectAnswers(daemon, .bytes(request: Array("PING\r\n".utf8), end: .text(Array("\r\n".utf8))), bytes)
    }
}
