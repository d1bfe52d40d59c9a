import Statistics
import Testing

@testable import Loops
@testable import Meters

@Suite struct RequestFormatTests {
    private func format(_ wire: WireProtocol, requestBytes: Int = 5, _ workload: Workload = .read) -> RequestFormat {
        var traffic = Traffic(workload, connections: 1, messageBytes: 8)
        traffic.wire = wire
        traffic.requestBytes = requestBytes
        return RequestFormat(traffic)
    }

    private func requests(_ format: RequestFormat, _ text: some StringProtocol) -> Requests {
        Array(text.utf8).withUnsafeBytes { format.requests($0.baseAddress!, $0.count) }
    }

    private func reply(_ format: RequestFormat, _ requests: Requests) -> String {
        String(decoding: format.reply(to: requests, at: UnsafeRawPointer(bitPattern: 1)!), as: UTF8.self)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let wire: WireProtocol
        let request: String
        let reply: String
        var testDescription: String { "\(wire.rawValue) \(request.debugDescription)" }
    }

    private static func page(_ more: String = "", body: String = "abcdefgh") -> String {
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\(more)\r\n\(body)"
    }

    private static let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static let cases = [
        Case(wire: .http, request: "GET / HTTP/1.1\r\n\r\n", reply: page()),
        Case(wire: .http, request: "GET / HTTP/1.1\nHost: a\n\n", reply: page()),
        Case(wire: .http, request: "POST /a HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:  4 \r\n\r\nbody", reply: page()),
        Case(wire: .http, request: "HEAD / HTTP/1.1\r\nCookie: x\r\nTE: gzip\r\n\r\n", reply: page(body: "")),
        Case(wire: .http, request: "GET / HTTP/1.0\r\n\r\n", reply: page("Connection: close\r\n")),
        Case(
            wire: .http, request: "GET / HTTP/1.1\r\nConnection: TE, Close\r\n\r\n",
            reply: page("Connection: close\r\n")),
        Case(
            wire: .http, request: "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n",
            reply: page("Connection: close\r\n", body: "")),
        Case(wire: .http, request: "GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n", reply: page()),
        Case(
            wire: .http, request: chunked + "4\r\nbody\r\n0A;name=value\r\n0\r\n\r\n0\r\n\r\n\r\n000\r\n\r\n",
            reply: page()),
        Case(wire: .http, request: chunked + "0\r\nTrailer: a\r\nContent-Length: 9\r\n\r\n", reply: page()),
        Case(wire: .http, request: chunked + "1 \na\r\n0\n\n", reply: page()),
        Case(
            wire: .http,
            request: "PUT / HTTP/1.1\r\ntransfer-encoding:Chunked \r\n\r\nfF\r\n"
                + String(repeating: "\n", count: 255) + "\r\n0\r\n\r\n", reply: page()),
        Case(wire: .redis, request: "PING\r\n", reply: "+PONG\r\n"),
        Case(wire: .redis, request: "*1\r\n$4\r\nPING\r\n", reply: "+PONG\r\n"),
        Case(wire: .redis, request: "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\r\n\r\n", reply: "+PONG\r\n"),
        Case(wire: .redis, request: "*2\r\n$3\r\nGET\r\n$0\r\n\r\n", reply: "+PONG\r\n"),
        Case(wire: .memcached, request: "version\r\n", reply: "VERSION 1\r\n"),
        Case(wire: .memcached, request: "get a b\r\n", reply: "END\r\n"),
        Case(wire: .memcached, request: "gets a\r\n", reply: "END\r\n"),
        Case(wire: .memcached, request: "set k 0 0 4\r\n\r\n\r\n\r\n", reply: "STORED\r\n"),
        Case(wire: .memcached, request: "add k 0 0 0\r\n\r\n", reply: "STORED\r\n"),
        Case(wire: .memcached, request: "cas k 0 0 2 77\r\nab\r\n", reply: "STORED\r\n"),
        Case(wire: .memcached, request: "delete k\r\n", reply: "NOT_FOUND\r\n"),
        Case(wire: .memcached, request: "flush_all\r\n", reply: "OK\r\n"),
        Case(wire: .memcached, request: "mn\r\n", reply: "MN\r\n"),
        Case(wire: .memcached, request: "nonsense\r\n", reply: "ERROR\r\n"),
        Case(wire: .bytes, request: "\r\n\0ab", reply: "abcdefgh"),
    ]

    @Test(arguments: cases) func aRequestIsWholeWithItsLastByteAndNoSooner(_ example: Case) {
        let format = format(example.wire)
        let length = example.request.utf8.count
        for count in 1..<length {
            let part = String(decoding: Array(example.request.utf8).prefix(count), as: UTF8.self)
            #expect(requests(format, part) == Requests(), "\(part.debugDescription)")
        }
        let whole = requests(format, example.request)
        #expect(whole.count == 1 && whole.bytes == length && !whole.isRefused)
        #expect(reply(format, whole) == example.reply)
    }

    @Test(arguments: cases) func requestsInARowAreAnsweredAtOnce(_ example: Case) {
        let format = format(example.wire)
        let three = requests(format, example.request + example.request + example.request.dropLast())
        let isLast = format.isLast(three)
        #expect(three.count == (isLast ? 1 : 2) && !three.isRefused)
        #expect(reply(format, three) == (isLast ? example.reply : example.reply + example.reply))
    }

    @Test(arguments: [WireProtocol.http, .redis, .memcached, .bytes]) func aConnectionOfOneRequestEndsWithIt(
        _ wire: WireProtocol
    ) throws {
        let example = try #require(Self.cases.first { $0.wire == wire })
        let format = format(wire, .crr)
        let found = requests(format, example.request + example.request)
        #expect(found.count == 1 && format.isLast(found))
        #expect(reply(format, found).contains("Connection: close") == (wire == .http))
    }

    @Test(arguments: [
        ("\r\n\r\n", WireProtocol.http), ("GET /\r\n\r\n", .http), ("GET / HTTP/2.x\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n", .http),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", .http), ("GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nContent-Length: 16384\r\n\r\n", .http),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", .http),
        ("\r\n", .redis), ("\u{16}\u{3}\u{1}", .redis), ("*0\r\n", .redis), ("*-1\r\n", .redis), ("*x\r\n", .redis),
        ("*1\r\nPING\r\n", .redis), ("*1\r\n$99999\r\n", .redis), ("*1\r\n$4\r\nPINGxx", .redis), ("*1\r\nP", .redis),
        ("*99999999999999999999\r\n", .redis), ("\0", .memcached), ("set k 0 0\r\n", .memcached),
        ("set k 0 0 -1\r\n", .memcached), ("set k 0 0 99999999999999999999\r\n", .memcached),
        ("set k 0 0 1\r\nabc", .memcached), ("set k 0 0 1 noreply\r\na\r\n", .memcached),
        ("delete k noreply\r\n", .memcached),
    ])
    func whatIsNoRequestIsRefused(_ text: String, _ wire: WireProtocol) {
        let found = requests(format(wire), text)
        #expect(found.isRefused && found.count == 0)
    }

    @Test(arguments: [
        "8000000000000000", "FFFFFFFFFFFFFFFFFFFFFFFF\r\n", "3fff\r\n", "\r\n", "-1\r\n", "x", "0x1\r\na\r\n0\r\n\r\n",
        "1\ra\r\n", "1\r\nab", "1\r\na\rb", "1\r\na\n0\r\n\r\n", "1\r\na\r\n;0\r\n",
    ])
    func badChunksAreRefused(_ chunks: String) {
        let found = requests(format(.http), Self.chunked + chunks)
        #expect(found.isRefused && found.count == 0)
    }

    @Test(arguments: [("GET /", WireProtocol.http), ("PING ", .redis), ("get ", .memcached)])
    func aRequestThatFillsTheBufferIsRefused(_ start: String, _ wire: WireProtocol) {
        let format = format(wire)
        #expect(format.longest == 16384)
        #expect(requests(format, start + String(repeating: "a", count: format.longest - start.count - 1)) == Requests())
        #expect(requests(format, start + String(repeating: "a", count: format.longest - start.count)).isRefused)
    }

    @Test func anotherReplyBeginsAnotherSend() {
        let format = format(.memcached)
        let text = "get a\r\nget b\r\nset c 0 0 1\r\nx\r\nget d\r\nvers"
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes {
            let first = format.requests($0.baseAddress!, $0.count)
            #expect(first.count == 2 && reply(format, first) == "END\r\nEND\r\n")
            let extent = format.extent(of: first, $0.baseAddress!, $0.count)
            #expect(extent.bytes == bytes.count - 4 && !extent.isRefused && !extent.hasLast)
        }
    }

    @Test func manyRequestsAreAnsweredAsManyTimesAsThereIsRoomFor() {
        let format = format(.redis)
        let text = String(repeating: "PING\r\n", count: 5000)
        let found = requests(format, text)
        #expect(found.count == format.replies.copies(of: .only) && found.count == 4096)
        #expect(reply(format, found) == String(repeating: "+PONG\r\n", count: 4096))
    }

    @Test func noBytesMakeItReadWhatItWasNotGiven() {
        var random = SplitMix64(seed: 14)
        let alphabet =
            Array("*$0123456789\r\n\r\n GETsetHTTP/1.1Content-Length: Transfer-Encoding: chunked noreply".utf8) + [
                0, 255,
            ]
        for wire in [WireProtocol.http, .redis, .memcached, .bytes] {
            let format = format(wire)
            for _ in 0..<2000 {
                let bytes = (0..<Int.random(in: 1...80, using: &random)).map { _ in alphabet.randomElement()! }
                bytes.withUnsafeBytes {
                    let found = format.requests($0.baseAddress!, $0.count)
                    #expect(found.bytes <= $0.count && found.count <= found.bytes, "\(bytes)")
                    #expect((found.count == 0) == (found.bytes == 0), "\(bytes)")
                }
            }
        }
    }
}
