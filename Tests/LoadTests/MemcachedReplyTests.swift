import Testing

@testable import Load
@testable import Meters

@Suite struct MemcachedReplyTests {
    @Test(arguments: [
        "END\r\n", "STORED\r\n", "NOT_STORED\r\n", "DELETED\r\n", "NOT_FOUND\r\n", "EXISTS\r\n", "TOUCHED\r\n",
        "OK\r\n",
        "VERSION 1.6.18\r\n", "12\r\n", "18446744073709551615\r\n", "RESET\r\n",
        "VALUE key 0 5\r\nhello\r\nEND\r\n", "VALUE key 0 5 77\r\nEND\r\n\r\nEND\r\n", "VALUE key 1 0\r\n\r\nEND\r\n",
        "VALUE a 0 1\r\nx\r\nVALUE b 0 2\r\nyy\r\nEND\r\n", "STAT pid 1\r\nSTAT x y\r\nEND\r\n", "HD\r\n", "EN\r\n",
        "VA 3 s3\r\nabc\r\n", "VA 0\r\n\r\n", "MN\r\n",
    ])
    func repliesEndWhereTheyDo(_ text: String) throws {
        let framing = framing(try memcachedFormat(), text + "END\r\n")
        #expect(framing.verdict == .answered && framing.end == text.utf8.count, "\(framing)")
    }

    @Test(arguments: [
        ("ERROR\r\n", "ERROR"), ("CLIENT_ERROR bad data chunk\r\n", "CLIENT_ERROR"),
        ("SERVER_ERROR out of memory\r\n", "SERVER_ERROR"),
    ])
    func errorsAreNamed(_ text: String, _ word: String) throws {
        let framing = framing(try memcachedFormat(), text)
        #expect(framing.verdict == .failed && framing.end == text.utf8.count && framing.cause == .reply(word))
    }

    @Test(arguments: [
        "\r\n", "HTTP/1.1 200 OK\r\n", "12x\r\n", "VALUE key 0\r\n", "VALUE key 0 x\r\n", "VALUE key 0 1\r\nab\r\n",
        "VALUE key 0 99999999999999999999\r\n", "VALUE key 0 -1\r\n", "AWORDTHATISTOOLONG\r\n",
    ])
    func garbageIsRefused(_ text: String) throws {
        #expect(framing(try memcachedFormat(), text).verdict == .garbage)
    }

    @Test func linesAreBounded() throws {
        let line = Array("VERSION ".utf8) + [UInt8](repeating: 65, count: 70_000)
        #expect(frame(try memcachedFormat(), line, pieces: [999]).verdict == .garbage)
    }
}
