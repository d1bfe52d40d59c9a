import Testing

@testable import Load
@testable import Meters

@Suite struct RedisReplyTests {
    @Test(arguments: [
        "+OK\r\n", "+\r\n", ":-12\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n",
        "$4\r\n\r\n\r\n\r\n", "*2\r\n$1\r\na\r\n:1\r\n", "*2\r\n*1\r\n*1\r\n+a\r\n$-1\r\n", "*1\r\n-ERR within\r\n",
        "_\r\n", "#t\r\n", ",1.5e9\r\n", "(123456789012345678901234567890\r\n", "=7\r\ntxt:abc\r\n",
        "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n", "~2\r\n:1\r\n:2\r\n", "|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n",
        "*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n", ">2\r\n+message\r\n+x\r\n+OK\r\n", ">0\r\n:1\r\n",
    ])
    func repliesEndWhereTheyDo(_ text: String) throws {
        let framing = framing(try redisFormat(), text + "+more")
        #expect(framing.verdict == .answered && framing.end == text.utf8.count, "\(framing)")
    }

    @Test(arguments: [
        ("-ERR unknown command\r\n", "ERR"), ("-WRONGTYPE Operation\r\n", "WRONGTYPE"), ("-\r\n", ""),
        ("-A\u{1}B\r\n", "A?B"), ("-AWORDTHATISTOOLONGTOBEKEPT x\r\n", "AWORDTHATISTOOL"), ("!9\r\nOOM no mem\r\n", ""),
        ("!10\r\nOOM no mem\r\n", "OOM"), (">1\r\n+x\r\n-LOADING now\r\n", "LOADING"),
    ])
    func errorsAreNamed(_ text: String, _ word: String) throws {
        let framing = framing(try redisFormat(), text)
        // The ninth byte of the shorter bulk error is followed by another than the line's end.
        guard !word.isEmpty || text == "-\r\n" else { return #expect(framing.verdict == .garbage) }
        #expect(framing.verdict == .failed && framing.end == text.utf8.count && framing.cause == .reply(word))
    }

    @Test(arguments: [
        "HTTP/1.1", "\r\n", "$\r\n", "$-2\r\n", "$1x\r\n", "$1\ra", "$3\r\nabcd\r\n", "*?\r\n", "$?\r\n", "*--1\r\n",
        "$99999999999999999999999\r\n", "*9223372036854775807\r\n", "%-1\r\n", "*1\r\n>1\r\n", "$562949953421312\r\n",
    ])
    func garbageIsRefused(_ text: String) throws {
        #expect(framing(try redisFormat(), text).verdict == .garbage)
    }

    @Test func depthAndLengthNeedNoMemory() throws {
        let format = try redisFormat()
        let deep = Array(String(repeating: "*1\r\n", count: 100_000).utf8)
        #expect(frame(format, deep + Array(":1\r\n".utf8), pieces: [4096]).verdict == .answered)
        let wide = Array((String(repeating: "*281474976710655\r\n", count: 100_000)).utf8)
        #expect(frame(format, wide, pieces: [4096]).verdict == .garbage)
        let line = [UInt8(ascii: "+")] + [UInt8](repeating: 65, count: 70_000)
        #expect(frame(format, line, pieces: [1000]).verdict == .garbage)
    }
}
