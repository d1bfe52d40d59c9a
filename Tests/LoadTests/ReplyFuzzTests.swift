import Statistics
import Testing

@testable import Load
@testable import Meters

/// Replies that are broken in all ways: no format crashes, and none depends on where reads cut them.
@Suite struct ReplyFuzzTests {
    static let seeds: [String: [String]] = [
        "http": [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;a=b\r\nhello\r\na\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
        ],
        "redis": [
            "*3\r\n$5\r\nhello\r\n:12\r\n*2\r\n+OK\r\n$-1\r\n", "-ERR no\r\n", "%1\r\n+a\r\n~2\r\n#t\r\n,1.5\r\n",
            ">1\r\n+x\r\n|1\r\n+a\r\n+b\r\n!5\r\nOOM x\r\n",
        ],
        "memcached": [
            "VALUE a 0 5\r\nhello\r\nVALUE b 1 2 3\r\nhi\r\nEND\r\n", "SERVER_ERROR out\r\n", "VA 2 f\r\nhi\r\n",
            "STAT a b\r\nEND\r\n",
        ],
    ]

    /// A valid text with a few bytes changed, taken out, doubled, or bytes from nowhere.
    static func broken(_ generator: inout SplitMix64, _ seeds: [String]) -> [UInt8] {
        func below(_ bound: Int) -> Int { Int(generator.next(below: UInt64(bound))) }
        if below(10) == 0 { return (0..<below(200)).map { _ in UInt8(below(256)) } }
        var bytes = Array(seeds[below(seeds.count)].utf8)
        for _ in 0..<below(4) where !bytes.isEmpty {
            let place = below(bytes.count)
            switch below(5) {
            case 0: bytes[place] = UInt8(below(256))
            case 1: bytes[place] = Array(" \r\n:;,0123456789abf-+*$\t".utf8)[below(24)]
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(bytes[place], at: place)
            default:
                bytes.insert(contentsOf: bytes[place..<min(place + below(20), bytes.count)], at: below(bytes.count))
            }
        }
        return bytes
    }

    private func fuzz<Format: ReplyFormat & ~Copyable>(_ name: String, _ format: borrowing Format) throws {
        var generator = SplitMix64(seed: 14)
        let seeds = try #require(Self.seeds[name])
        var verdicts: [String: Int] = [:]
        for _ in 0..<5000 {
            let bytes = Self.broken(&generator, seeds)
            let whole = frame(format, bytes, pieces: [max(bytes.count, 1)])
            let pieces = (0..<5).map { _ in 1 + Int(generator.next(below: 12)) }
            for pieces in [[1], pieces] {
                let other = frame(format, bytes, pieces: pieces)
                #expect(other == whole, "\(name): \(String(decoding: bytes, as: UTF8.self))")
            }
            verdicts["\(whole.verdict)", default: 0] += 1
        }
        // All kinds of outcomes are reached, so that the comparison means something.
        #expect(verdicts.count == 4 && verdicts.values.allSatisfy { $0 > 100 }, "\(verdicts)")
    }

    @Test func http() throws { try fuzz("http", httpFormat()) }
    @Test func redis() throws { try fuzz("redis", redisFormat()) }
    @Test func memcached() throws { try fuzz("memcached", memcachedFormat()) }
}
