import Meters

/// What a request gets.
enum Reply: Int, CaseIterable {
    /// Itself.
    case none
    /// The only reply that there is.
    case only
    /// HTTP: a body; the same and the connection's end; the header of either alone, for `HEAD`.
    case page, lastPage, head, lastHead
    /// Memcached.
    case version, end, stored, notFound, okay, noOperation, error

    /// True if the connection ends with it.
    @inline(__always) var endsConnection: Bool { self == .lastPage || self == .lastHead }
}

/// The replies of a protocol, each many times one behind the other, so that one send answers many requests.
@safe final class ReadyReplies: Sendable {
    /// Bytes of a reply, and how often it is there.
    private struct Copies {
        var start: Int
        var bytes: Int
        var count: Int
    }

    /// By the reply's number.
    private let copies: [Copies]
    // Written once in init, and read-only after that.
    nonisolated(unsafe) private let memory: UnsafeMutableRawPointer
    /// Bytes of the longest send.
    let longest: Int

    /// One send has at most so many bytes, unless a single reply has more.
    private static let roomBytes = 65536

    init(_ traffic: Traffic) {
        let texts = Reply.allCases.map { $0.bytes(traffic) }
        var end = 0
        copies = texts.map { text in
            let count = text.isEmpty ? 0 : max(1, min(4096, Self.roomBytes / text.count))
            defer { end += count * text.count }
            return Copies(start: end, bytes: text.count, count: count)
        }
        longest = copies.map { $0.bytes * $0.count }.max() ?? 0
        unsafe memory = .allocate(byteCount: max(end, 1), alignment: 64)
        for (text, copies) in zip(texts, copies) {
            for index in 0..<copies.count {
                unsafe UnsafeMutableRawBufferPointer(
                    start: memory + copies.start + index * copies.bytes, count: copies.bytes
                ).copyBytes(from: text)
            }
        }
    }

    deinit {
        unsafe memory.deallocate()
    }

    /// All of them.
    @unsafe var all: UnsafeRawBufferPointer {
        let end = copies.map { $0.start + $0.bytes * $0.count }.max() ?? 0
        return unsafe UnsafeRawBufferPointer(start: memory, count: end)
    }

    /// How often a reply can be sent at once.
    func copies(of reply: Reply) -> Int { copies[reply.rawValue].count }

    /// The replies to some requests.
    @unsafe func memory(for requests: Requests) -> UnsafeRawBufferPointer {
        let copies = copies[requests.reply.rawValue]
        return unsafe UnsafeRawBufferPointer(start: memory + copies.start, count: requests.count * copies.bytes)
    }
}

extension Reply {
    /// The reply as it is sent; empty for what a protocol does not have.
    fileprivate func bytes(_ traffic: Traffic) -> [UInt8] {
        switch traffic.wire {
        case .echo: []
        case .http: page(traffic.messageBytes)
        case .redis: self == .only ? Array("+PONG\r\n".utf8) : []
        case .bytes: self == .only ? Self.letters(traffic.messageBytes) + traffic.replyEnd : []
        case .memcached: Array(line.utf8)
        }
    }

    private func page(_ bodyBytes: Int) -> [UInt8] {
        let isHead = self == .head || self == .lastHead
        guard isHead || self == .page || self == .lastPage else { return [] }
        let lines = [
            "HTTP/1.1 200 OK", "Content-Type: text/plain", "Content-Length: \(bodyBytes)",
            endsConnection ? "Connection: close" : nil,
        ]
        let head = lines.compactMap { $0.map { $0 + "\r\n" } }.joined() + "\r\n"
        return Array(head.utf8) + (isHead ? [] : Self.letters(bodyBytes))
    }

    private var line: String {
        switch self {
        case .version: "VERSION 1\r\n"
        case .end: "END\r\n"
        case .stored: "STORED\r\n"
        case .notFound: "NOT_FOUND\r\n"
        case .okay: "OK\r\n"
        case .noOperation: "MN\r\n"
        case .error: "ERROR\r\n"
        case .none, .only, .page, .lastPage, .head, .lastHead: ""
        }
    }

    /// Text that has no end of a line in it.
    private static func letters(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    }
}
