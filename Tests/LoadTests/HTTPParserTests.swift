import Glibc
import Statistics
import Testing

@testable import Load
@testable import Meters

/// The scanner beside the one of Node.js up to version 11, where Debian's libhttp-parser2.9 is installed.
@Suite(.enabled(if: HTTPParser.isInstalled)) struct HTTPParserTests {
    @Test func validRepliesEndAtTheSameByte() throws {
        var generator = SplitMix64(seed: 3)
        let format = try httpFormat()
        for _ in 0..<3000 {
            let reply = Self.valid(&generator)
            let bytes = Array((reply + "HTTP/1.1 200 OK\r\n").utf8)
            let ours = frame(format, bytes, pieces: [1 + Int(generator.next(below: 40))])
            let theirs = try #require(HTTPParser.frame(bytes), "\(reply)")
            #expect(ours.end == reply.utf8.count && ours.end == theirs.end, "\(ours) \(theirs) \(reply)")
            #expect(
                ours.isLast == !theirs.keepsAlive && (ours.verdict == .answered) == (theirs.status / 100 == 2),
                "\(reply)")
        }
    }

    /// A reply with all the features that both know, and with a length.
    private static func valid(_ generator: inout SplitMix64) -> String {
        func one<Element>(_ of: [Element]) -> Element { of[Int(generator.next(below: UInt64(of.count)))] }
        let status = one([200, 200, 201, 204, 304, 404, 500])
        var lines = ["HTTP/1.\(one([0, 1, 1])) \(status)\(one([" OK", "", " A long reason, with: all"]))"]
        lines += [one(["Server: x", "Date: Sun, 29 Nov 2026 00:00:00 GMT", "X-Empty:", "Content-Type: text/html"])]
        lines += one([[], ["Connection: close"], ["connection: Keep-Alive"], ["CONNECTION: upgrade-insecure, CLOSE"]])
        let size = Int(generator.next(below: 40))
        let data = String(repeating: "x", count: size)
        let hasBody = status != 204 && status != 304
        guard generator.next(below: 2) == 0 else {
            lines.append("\(one(["Content-Length: ", "content-length:", "CONTENT-LENGTH:  "]))\(hasBody ? size : 0)")
            return lines.joined(separator: "\r\n") + "\r\n\r\n" + (hasBody ? data : "")
        }
        guard hasBody else { return lines.joined(separator: "\r\n") + "\r\n\r\n" }
        lines.append(
            one(["Transfer-Encoding: chunked", "transfer-encoding: CHUNKED", "Transfer-Encoding: gzip, chunked"]))
        let head = lines.joined(separator: "\r\n") + "\r\n\r\n"
        let chunk = size == 0 ? "" : "\(String(size, radix: 16))\(one(["", ";a=b", ";x"]))\r\n\(data)\r\n"
        return head + chunk + chunk + "0\r\n" + one(["", "X-Trailer: 1\r\n"]) + "\r\n"
    }

    @Test func whereBothAcceptABrokenReplyTheyAgree() throws {
        var generator = SplitMix64(seed: 4)
        let format = try httpFormat()
        let seeds = try #require(ReplyFuzzTests.seeds["http"])
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = ReplyFuzzTests.broken(&generator, seeds)
            let ours = frame(format, bytes, pieces: [max(bytes.count, 1)])
            guard ours.verdict == .answered || ours.verdict == .failed else { continue }
            // It takes a CR alone for the end of some lines, and expects chunks after a 204.
            guard let theirs = HTTPParser.frame(bytes), !hasLoneReturn(bytes), theirs.status != 204,
                theirs.status != 304
            else { continue }
            accepted += 1
            #expect(
                ours.end == theirs.end && (ours.verdict == .answered) == (theirs.status / 100 == 2),
                "\(ours) \(theirs) \(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(accepted > 2000)
    }
}

private func hasLoneReturn(_ bytes: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0] == 13 && (bytes.count == $0 + 1 || bytes[$0 + 1] != 10) }
}

/// `libhttp_parser`, loaded where it is installed, so that the package builds without it.
private enum HTTPParser {
    struct Reply {
        let end: Int
        let status: Int
        let keepsAlive: Bool
    }

    private typealias Initialize = @Sendable @convention(c) (UnsafeMutableRawPointer, CInt) -> Void
    private typealias Execute =
        @Sendable @convention(c) (UnsafeMutableRawPointer, UnsafeRawPointer, UnsafeRawPointer, Int) -> Int
    private typealias KeepsAlive = @Sendable @convention(c) (UnsafeRawPointer) -> CInt
    private typealias Callback = @convention(c) (UnsafeMutableRawPointer) -> CInt

    private struct Functions: Sendable {
        let initialize: Initialize
        let execute: Execute
        let keepsAlive: KeepsAlive
    }

    private static let functions: Functions? = {
        guard let library = dlopen("libhttp_parser.so.2.9", RTLD_NOW),
            let initialize = dlsym(library, "http_parser_init"), let execute = dlsym(library, "http_parser_execute"),
            let keepsAlive = dlsym(library, "http_should_keep_alive")
        else {
            print("skipped: libhttp-parser2.9 is not installed")
            return nil
        }
        return Functions(
            initialize: unsafeBitCast(initialize, to: Initialize.self),
            execute: unsafeBitCast(execute, to: Execute.self),
            keepsAlive: unsafeBitCast(keepsAlive, to: KeepsAlive.self))
    }()

    static var isInstalled: Bool { functions != nil }

    /// Where `struct http_parser` of version 2.9 has what is read of it.
    private enum Offset {
        static let status = 20
        static let error = 23
        static let data = 24
    }

    /// The first reply that is not an interim one; nil if it is refused or not whole.
    static func frame(_ bytes: [UInt8]) -> Reply? {
        guard let functions else { return nil }
        let parser = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
        defer { parser.deallocate() }
        parser.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
        var settings = [UnsafeRawPointer?](repeating: nil, count: 10)
        // on_message_complete: marks what `data` points at.
        let complete: Callback = { parser in
            let flag = parser.load(fromByteOffset: Offset.data, as: UnsafeMutablePointer<CInt>.self)
            flag.pointee = 1
            return 0
        }
        settings[7] = unsafeBitCast(complete, to: UnsafeRawPointer.self)
        var isComplete: CInt = 0
        return withUnsafeMutablePointer(to: &isComplete) { flag in
            functions.initialize(parser, 1)
            parser.storeBytes(of: flag, toByteOffset: Offset.data, as: UnsafeMutablePointer<CInt>.self)
            for (index, byte) in bytes.enumerated() {
                let taken = withUnsafePointer(to: byte) { byte in
                    settings.withUnsafeBytes { functions.execute(parser, $0.baseAddress!, byte, 1) }
                }
                let error = parser.load(fromByteOffset: Offset.error, as: UInt8.self) & 0x7f
                if taken != 1 && flag.pointee == 0 || error != 0 { return nil }
                guard flag.pointee == 1 else { continue }
                let status = Int(parser.load(fromByteOffset: Offset.status, as: UInt16.self))
                if status / 100 != 1 || status == 101 {
                    return Reply(end: index + 1, status: status, keepsAlive: functions.keepsAlive(parser) != 0)
                }
                flag.pointee = 0
            }
            return nil
        }
    }
}
