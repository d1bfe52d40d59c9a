import Testing

@testable import Load
@testable import Meters

@Suite struct HTTPReplyTests {
    /// What a reply is, whole and byte by byte, followed by other bytes that do not belong to it.
    private func framing(_ text: String, method: String = "GET", followedBy rest: String = "HTTP") throws -> Framing {
        let format = try httpFormat(method)
        let bytes = Array((text + rest).utf8)
        let whole = frame(format, bytes, pieces: [bytes.count])
        #expect(frame(format, bytes, pieces: [1]) == whole)
        #expect(frame(format, bytes, pieces: [3, 1, 7]) == whole)
        return whole
    }

    private func expectWhole(
        _ text: String, method: String = "GET", status: Int = 200, isLast: Bool = false,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let framing = try framing(text, method: method)
        #expect(framing.end == text.utf8.count && framing.isLast == isLast, "\(framing)", sourceLocation: location)
        #expect(framing.verdict == (status / 100 == 2 ? .answered : .failed), sourceLocation: location)
        #expect(framing.cause == (status / 100 == 2 ? nil : .reply("HTTP \(status)")), sourceLocation: location)
    }

    @Test func aLengthEndsTheBody() throws {
        try expectWhole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        try expectWhole("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:\t 5 \r\nContent-Type: text/plain\r\n\r\nhello")
        try expectWhole("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")
        try expectWhole("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi")
        try expectWhole("\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi")
        try expectWhole("HTTP/1.1 503 Sorry\r\nContent-Length: 2\r\n\r\nno", status: 503)
        try expectWhole("HTTP/1.1 301 Moved\r\nContent-Lengthy: 9\r\nContent-Length: 2\r\n\r\nno", status: 301)
    }

    @Test func chunksEndWithAnEmptyOne() throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        try expectWhole(head + "5\r\nhello\r\n0\r\n\r\n")
        try expectWhole(head + "00A;name=\"value\"\r\n0123456789\r\n1 ; x\r\na\r\n0;last\r\n\r\n")
        try expectWhole(head + "3\r\n\r\n0\r\n0\r\nContent-Length: 7\r\nConnection: close\r\n\r\n")
        try expectWhole("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip , Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
        try expectWhole(
            "HTTP/1.1 500 No\r\ntransfer-encoding:gzip\r\nTransfer-Encoding:chunked,\r\n\r\n0\r\n\r\n", status: 500)
    }

    @Test func someHaveNoBody() throws {
        for status in [204, 304] {
            try expectWhole("HTTP/1.1 \(status) X\r\nContent-Length: 5\r\n\r\n", status: status)
        }
        try expectWhole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method: "HEAD")
        try expectWhole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", method: "HEAD")
        try expectWhole("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", status: 101, isLast: true)
    }

    @Test func interimRepliesAreSkipped() throws {
        try expectWhole(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\nContent-Length: 9\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
        try expectWhole("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", method: "HEAD")
    }

    @Test func theConnectionEndsWhereTheHeaderSaysSo() throws {
        let length = "Content-Length: 1\r\n"
        try expectWhole("HTTP/1.1 200 OK\r\n\(length)Connection: Close\r\n\r\na", isLast: true)
        try expectWhole("HTTP/1.1 200 OK\r\n\(length)Connection: upgrade , close\r\n\r\na", isLast: true)
        try expectWhole("HTTP/1.1 200 OK\r\n\(length)Connection: close-not, keep-alive\r\n\r\na")
        try expectWhole("HTTP/1.1 200 OK\r\n\(length)Connection: not close\r\n\r\na")
        try expectWhole("HTTP/1.0 200 OK\r\n\(length)\r\na", isLast: true)
        try expectWhole("HTTP/1.0 200 OK\r\n\(length)Connection: keep-alive\r\n\r\na")
    }

    @Test func theCloseEndsABodyWithoutALength() throws {
        let head = "HTTP/1.1 200 OK\r\n\r\n"
        let format = try httpFormat()
        #expect(frame(format, Array((head + "anything").utf8), pieces: [5]).verdict == .unfinished)
        #expect(frameWithClose(format, Array(head.utf8)) == .answered)
        #expect(frameWithClose(format, Array((head + "anything").utf8)) == .answered)
        #expect(frameWithClose(format, Array("HTTP/1.1 500 OK\r\nTransfer-Encoding: gzip\r\n\r\nx".utf8)) == .failed)
        #expect(frameWithClose(format, Array("HTTP/1.1 200 OK\r\n".utf8)) == .unfinished)
        #expect(frameWithClose(format, Array("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".utf8)) == .unfinished)
    }

    @Test(arguments: [
        "HTTP/2 200 OK\r\n", "HTTX", "<html>", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 abc\r\n",
        "HTTP/1.1 099 OK\r\n", "HTTP/1.1200 OK\r\n", "HTTP/1.1 200 OK\r\n: empty\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n",
        "HTTP/1.1 200 OK\r\nName : space\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: a\r\n chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n",
    ])
    func garbageIsRefused(_ text: String) throws {
        #expect(try framing(text, followedBy: "").verdict == .garbage)
    }

    @Test func aFoldedLineDoesNoHarm() throws {
        try expectWhole("HTTP/1.1 200 OK\r\nServer: a\r\n b: c\r\nContent-Length: 1\r\n\r\na")
    }

    @Test func headersAreBounded() throws {
        let format = try httpFormat()
        func padded(to count: Int) -> [UInt8] {
            let (start, end) = ("HTTP/1.1 200 OK\r\nX: ", "\r\nContent-Length: 1\r\n\r\n")
            let padding = String(repeating: "x", count: count - start.utf8.count - end.utf8.count)
            return Array((start + padding + end).utf8)
        }
        for pieces in [[1 << 20], [65536], [1000, 1], [1]] {
            #expect(frame(format, padded(to: 65536) + [1], pieces: pieces).verdict == .answered)
            #expect(frame(format, padded(to: 65537) + [1], pieces: pieces).verdict == .garbage)
            let megabyte = frame(format, padded(to: 1 << 20), pieces: pieces)
            #expect(megabyte.verdict == .garbage && megabyte.end <= 1 << 20)
            let newLines = frame(format, [UInt8](repeating: 10, count: 70_000), pieces: pieces)
            #expect(newLines.verdict == .garbage)
        }
        let interim = [[UInt8]](repeating: Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), count: 10_000).flatMap { $0 }
        #expect(frame(format, interim + Array("HTTP/1.1 204 No\r\n\r\n".utf8), pieces: [65536]).verdict == .answered)
    }

    @Test func aBodyLargerThanMemoryIsSkipped() throws {
        var reply = HTTPReply(withoutBody: false)
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: \(1 << 40)\r\n\r\n".utf8)
        #expect(head.withUnsafeBytes { reply.take($0.baseAddress!, head.count) } == ReplyStep(head.count, .unfinished))
        // Bodies are not looked at: the length is all that counts, so a page will do for a terabyte.
        let page = [UInt8](repeating: 1, count: 4096)
        page.withUnsafeBytes { page in
            for _ in 0..<(1 << 10) - 1 {
                _ = reply.take(page.baseAddress!, 1 << 30)
            }
            #expect(reply.take(page.baseAddress!, 1 << 30) == ReplyStep(1 << 30, .answered))
        }
    }
}
