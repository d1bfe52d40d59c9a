import Testing

@testable import Load
@testable import Meters

@Suite struct RequestTests {
    private func text(_ conversation: Conversation) -> String {
        String(decoding: conversation.requests[0].bytes, as: UTF8.self)
    }

    private func refusal(_ body: () throws(ConversationError) -> Conversation) -> String? {
        do throws(ConversationError) {
            _ = try body()
            return nil
        } catch {
            return error.description
        }
    }

    @Test func httpRequests() throws {
        #expect(text(try .http(host: "a:80")) == "GET / HTTP/1.1\r\nHost: a:80\r\n\r\n")
        #expect(
            text(
                try .http(
                    method: "POST", path: "/x?y=1", host: "a", headers: ["host: b", "X: ü"], body: [65, 10],
                    closes: true))
                == "POST /x?y=1 HTTP/1.1\r\nhost: b\r\nX: ü\r\nContent-Length: 2\r\nConnection: close\r\n\r\nA\n")
        #expect(try Conversation.http(method: "HEAD", host: "a").requests[0].repliesWithoutBody)
        #expect(text(try .http(host: "a", body: [])).contains("Content-Length: 0\r\n"))
        let header = "Transfer-Encoding: chunked"
        let head = "GET / HTTP/1.1\r\nHost: a\r\n\(header)\r\n\r\n"
        #expect(text(try .http(host: "a", headers: [header], body: [])) == head + "0\r\n\r\n")
        #expect(
            text(try .http(host: "a", headers: [header], body: [UInt8](repeating: 65, count: 26)))
                == head + "1a\r\n" + String(repeating: "A", count: 26) + "\r\n0\r\n\r\n")
    }

    @Test func httpRefusals() {
        #expect(
            refusal { () throws(ConversationError) in try .http(method: "GE T", host: "a") }?.contains("'GE T'") == true
        )
        #expect(refusal { () throws(ConversationError) in try .http(method: "CONNECT", host: "a") } != nil)
        for path in ["", "x", "/a b", "/a\r\nX: y", "/ü"] {
            #expect(refusal { () throws(ConversationError) in try .http(path: path, host: "a") } != nil, "\(path)")
        }
        for header in ["", "x", ": y", "a b: c", "a: b\r\nc: d", "Content-Length: 3", "transfer-encoding: chunked"] {
            #expect(
                refusal { () throws(ConversationError) in try .http(host: "a", headers: [header]) } != nil, "\(header)")
        }
    }

    @Test(arguments: ["gzip, chunked", "chunked, chunked", "identity", "chunked"])
    func encodingsOtherThanChunksOfABodyAreRefused(_ encoding: String) {
        let body: [UInt8]? = encoding == "chunked" ? nil : [65]
        let refusal = refusal { () throws(ConversationError) in
            try .http(host: "a", headers: ["Transfer-Encoding: \(encoding)"], body: body)
        }
        #expect(refusal?.contains("Transfer-Encoding") == true)
    }

    @Test func aRequestKnowsWhetherItAsksForTheClose() throws {
        func asks(_ headers: [String], closes: Bool = false) throws -> Bool {
            try Conversation.http(host: "a", headers: headers, closes: closes).asksForClose
        }
        #expect(try asks([], closes: true))
        for header in ["Connection: close", "connection:TE,\tClose "] { #expect(try asks([header]), "\(header)") }
        for header in ["Connection: keep-alive", "Connection: closed", "X-Connection: close", "X: connection: close"] {
            #expect(try !asks([header]), "\(header)")
        }
        #expect(try !asks(["Connection: keep-alive"], closes: true))
        #expect(try !Conversation.http(host: "a", body: Array("\r\nConnection: close\r\n".utf8)).asksForClose)
        #expect(try !Conversation.redis(command: "GET 'Connection: close'").asksForClose)
        let mixed = try Conversation.mix(lines: ["1 a", "1 b"]) { path throws(ConversationError) in
            try .http(path: "/" + path, host: "a", headers: path == "b" ? ["Connection: close"] : [])
        }
        #expect(mixed.asksForClose)
    }

    @Test func redisRequests() throws {
        #expect(text(try .redis(command: "PING")) == "*1\r\n$4\r\nPING\r\n")
        #expect(
            text(try .redis(command: #" SET 'a b'  "c\n\x41\"" d'e'f "" "#))
                == "*5\r\n$3\r\nSET\r\n$3\r\na b\r\n$4\r\nc\nA\"\r\n$3\r\ndef\r\n$0\r\n\r\n")
        for command in ["", "  ", "GET 'a", "GET \"a", "SUBSCRIBE x", "monitor", "CLIENT REPLY OFF", "''"] {
            #expect(refusal { () throws(ConversationError) in try .redis(command: command) } != nil, "\(command)")
        }
    }

    @Test func memcachedRequests() throws {
        #expect(text(try .memcached(command: "get a b")) == "get a b\r\n")
        #expect(text(try .memcached(command: "set k 0 0 7 hello x")) == "set k 0 0 7\r\nhello x\r\n")
        #expect(text(try .memcached(command: "set k 0 0 0")) == "set k 0 0 0\r\n\r\n")
        #expect(text(try .memcached(command: "cas k 0 0 2 99 hi")) == "cas k 0 0 2 99\r\nhi\r\n")
        for command in ["", "set k 0 0 4 hello", "set k", "set k 0 0 1 a noreply", "get a\r\nget b", "quit", "ms k 2"] {
            #expect(refusal { () throws(ConversationError) in try .memcached(command: command) } != nil, "\(command)")
        }
    }

    @Test func plainBytes() throws {
        let conversation = try Conversation.bytes(request: [0, 1], end: .text([10]))
        #expect(conversation.requests == [.init([0, 1])] && conversation.wire == .bytes)
        #expect(refusal { () throws(ConversationError) in try .bytes(request: [], end: .count(1)) } != nil)
        #expect(refusal { () throws(ConversationError) in try .bytes(request: [1], end: .count(0)) } != nil)
        #expect(refusal { () throws(ConversationError) in try .bytes(request: [1], end: .text([])) } != nil)
    }

    private func mix(_ lines: [String]) throws(ConversationError) -> Conversation {
        try .mix(lines: lines) { rest throws(ConversationError) in try .redis(command: rest) }
    }

    @Test func mixesHaveWeights() throws {
        let conversation = try mix(["# a comment", "", "3 GET a b\r", " 0.5\tPING"])
        #expect(conversation.requests.map(\.weight) == [3, 0.5] && conversation.wire == .redis)
        #expect(text(conversation) == "*3\r\n$3\r\nGET\r\n$1\r\na\r\n$1\r\nb\r\n")
        for (lines, line) in [
            (["1 GET a", "x GET b"], "line 2: "), (["0 GET a"], "line 1: "), (["-1 GET a"], "line 1: "),
            (["nan GET a"], "line 1: "), (["inf GET a"], "line 1: "), (["", "2"], "line 2: "),
            (["1 GET 'a"], "line 1: "), ([], "there is no request"), (["# nothing"], "there is no request"),
        ] {
            #expect(refusal { () throws(ConversationError) in try mix(lines) }?.hasPrefix(line) == true, "\(lines)")
        }
    }

    @Test func requestsAreDrawnByWeight() throws {
        let weights = [1.0, 2, 5, 0.0001]
        let table = RequestTable(
            weights.enumerated().map { .init([UInt8](repeating: 1, count: $0 + 1), weight: $1) }, seed: 5)
        var counts = [Int](repeating: 0, count: 4)
        for number in UInt64(0)..<4096 { counts[table.entry(number, stream: 3).length - 1] += 1 }
        #expect(counts == [512, 1024, 2559, 1], "\(counts)")
        let again = RequestTable(
            weights.enumerated().map { .init([UInt8](repeating: 1, count: $0 + 1), weight: $1) }, seed: 5)
        for number in UInt64(0)..<4096 {
            #expect(table.entry(number, stream: 0).length == again.entry(number, stream: 0).length)
        }
        let firsts = (0..<64).map { table.entry(0, stream: $0).length }
        #expect(Set(firsts).count > 1)
        #expect(RequestTable.shares([Double](repeating: 1, count: 1000)).count == 16384)
    }
}
