import Meters

/// Whole requests at the front of a buffer that one send answers.
struct Requests: Equatable {
    var count = 0
    /// Bytes that they take.
    var bytes = 0
    /// What each of them gets, if it does not get itself.
    var reply = Reply.none
    /// Behind them comes what is no request, or a longer one than there is room for.
    var isRefused = false
}

/// What a request is, and what is sent for it: a message of its own length that is sent back, or bytes that end as the
/// protocol says, for which a ready reply is sent.
@safe final class RequestFormat: Sendable {
    let wire: WireProtocol
    /// True if requests are sent back.
    let isEcho: Bool
    /// Bytes of a request that is sent back.
    let messageBytes: Int
    /// Bytes of the longest request.
    let longest: Int
    /// True if a connection ends with its first reply.
    let closesAfterReply: Bool
    let replies: ReadyReplies

    init(_ traffic: Traffic) {
        wire = traffic.wire
        isEcho = traffic.wire == .echo
        messageBytes = traffic.messageBytes
        longest = traffic.longestRequestBytes
        closesAfterReply = traffic.closesAfterReply
        replies = ReadyReplies(traffic)
    }

    /// The whole requests at the front of a buffer that get the same reply; none if the first is not whole yet.
    @unsafe @inline(__always) func requests(_ memory: UnsafeRawPointer, _ count: Int) -> Requests {
        guard isEcho else { return unsafe scannedRequests(memory, count) }
        let whole = count / messageBytes
        return Requests(count: whole, bytes: whole * messageBytes)
    }

    /// What is sent for them.
    @unsafe @inline(__always)
    func reply(to requests: Requests, at memory: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        isEcho
            ? unsafe UnsafeRawBufferPointer(start: memory, count: requests.bytes) : unsafe replies.memory(for: requests)
    }

    /// True if the connection ends with their reply.
    @inline(__always) func isLast(_ requests: Requests) -> Bool {
        closesAfterReply || requests.reply.endsConnection
    }

    @unsafe @inline(never) private func scannedRequests(_ memory: UnsafeRawPointer, _ count: Int) -> Requests {
        var requests = Requests()
        while requests.bytes < count {
            let found = unsafe scan(RequestBytes(memory + requests.bytes, count - requests.bytes))
            guard case .whole(let bytes, let reply) = found else {
                requests.isRefused =
                    requests.count == 0 && (found == .refused || count >= longest)
                break
            }
            if requests.count == 0 {
                requests.reply = reply
            } else if reply != requests.reply || requests.count == replies.copies(of: reply) {
                break
            }
            requests.count += 1
            requests.bytes += bytes
            if isLast(requests) { break }
        }
        return requests
    }

    /// The request at the front.
    @unsafe private func scan(_ bytes: RequestBytes) -> FoundRequest {
        switch wire {
        case .http: bytes.httpRequest(longest: longest, closes: closesAfterReply)
        case .redis: bytes.redisRequest(longest: longest)
        case .memcached: bytes.memcachedRequest(longest: longest)
        case .bytes, .echo: bytes.count < longest ? .incomplete : .whole(longest, .only)
        }
    }
}

// MARK: A buffer with several kinds of requests

/// How far the requests in a buffer go.
struct RequestExtent {
    /// Bytes of all whole requests, up to one that ends the connection.
    var bytes: Int
    /// Behind them comes what is no request; they are answered before the connection is closed.
    var isRefused = false
    /// One of them ends the connection: what comes behind it is not looked at.
    var hasLast = false
}

extension RequestFormat {
    /// How far the whole requests go that begin with `first`.
    @unsafe @inline(__always)
    func extent(of first: Requests, _ memory: UnsafeRawPointer, _ count: Int) -> RequestExtent {
        isEcho ? RequestExtent(bytes: first.bytes) : unsafe scannedExtent(first, memory, count)
    }

    @unsafe @inline(never)
    private func scannedExtent(_ first: Requests, _ memory: UnsafeRawPointer, _ count: Int) -> RequestExtent {
        var next = first
        var bytes = first.bytes
        while next.count > 0, bytes < count, !isLast(next) {
            next = unsafe requests(memory + bytes, count - bytes)
            bytes += next.bytes
        }
        return RequestExtent(bytes: bytes, isRefused: next.isRefused, hasLast: next.count > 0 && isLast(next))
    }
}
