/// What one client asks and is answered: bytes go in, answers come out, and nothing here knows of sockets.
struct Conversation {
    /// Whether the last answer was given, and what comes now is not looked at.
    private(set) var isOver = false
    private var answers = ""
    private var line: [UInt8] = []
    private var head = Head()
    private var headBytes = 0
    private var bodyBytesLeft = 0

    /// Takes what has arrived, be it a byte or many requests.
    ///
    /// - Returns: answers to the requests whose head is complete.
    mutating func take(_ arrived: ArraySlice<UInt8>) -> String {
        answers = ""
        var rest = arrived
        while !rest.isEmpty && !isOver {
            if bodyBytesLeft > 0 {
                let skipped = min(bodyBytesLeft, rest.count)
                bodyBytesLeft -= skipped
                rest.removeFirst(skipped)
            } else {
                let newline = rest.firstIndex(of: UInt8(ascii: "\n"))
                let part = rest[..<(newline ?? rest.endIndex)]
                rest.removeFirst(part.count + (newline == nil ? 0 : 1))
                do throws(Status) {
                    try take(part, endsLine: newline != nil)
                } catch {
                    // Where the next request would begin is not known.
                    answer(error, isLast: true)
                }
            }
        }
        return answers
    }

    private mutating func take(_ part: ArraySlice<UInt8>, endsLine: Bool) throws(Status) {
        headBytes += part.count + (endsLine ? 1 : 0)
        guard headBytes <= Limits.headBytes else { throw .headTooLarge }
        // Looked at before the line ends, which it may never do: this is how TLS is told that it is at the wrong door.
        guard part.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 || $0 == 13 }) else { throw .malformed }
        line += part
        guard endsLine else { return }
        guard line.firstIndex(of: 13) == line.count - 1 else { throw .malformed }
        let text = String(decoding: line.dropLast(), as: UTF8.self)
        line.removeAll(keepingCapacity: true)
        guard try head.take(text) else { return }
        let isKnown = head.method == "GET" || head.method == "HEAD"
        bodyBytesLeft = head.bodyBytes ?? 0
        answer(isKnown ? .ok : .methodNotAllowed, isLast: !head.keepsAlive)
        head = Head()
        headBytes = 0
    }

    private mutating func answer(_ status: Status, isLast: Bool) {
        let body = status == .ok ? "hello\n" : ""
        isOver = isLast
        answers += "HTTP/1.1 \(status.rawValue)\r\nContent-Length: \(body.utf8.count)\r\n"
        answers += "Connection: \(isLast ? "close" : "keep-alive")\r\n"
        if status == .methodNotAllowed { answers += "Allow: GET, HEAD\r\n" }
        answers += head.method == "HEAD" ? "\r\n" : "\r\n\(body)"
    }
}

/// The head of a request (RFC 9112), line by line, as far as it matters here.
struct Head {
    private(set) var method: Substring = ""
    private(set) var bodyBytes: Int?
    private var isOld = false
    private var hosts = 0
    private var asksToClose = false
    private var asksToStay = false

    var keepsAlive: Bool { !asksToClose && (!isOld || asksToStay) }

    /// - Returns: whether this was the last line, the empty one.
    mutating func take(_ line: String) throws(Status) -> Bool {
        if method.isEmpty {
            // Some clients send an empty line after a body.
            if !line.isEmpty { try takeRequest(line) }
        } else if line.isEmpty {
            guard hosts == 1 || (isOld && hosts == 0) else { throw .malformed }
            guard bodyBytes ?? 0 <= Limits.bodyBytes else { throw .bodyTooLarge }
            return true
        } else {
            try takeField(line)
        }
        return false
    }

    private mutating func takeRequest(_ line: String) throws(Status) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, isToken(words[0]), !words[1].isEmpty, words[1].utf8.allSatisfy({ 33...126 ~= $0 }),
            words[2].hasPrefix("HTTP/")
        else { throw .malformed }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else { throw .otherVersion }
        method = words[0]
        isOld = words[2] == "HTTP/1.0"
    }

    /// A name that ends with a space is no token, nor is the start of a line that continues the one before: these make
    /// one request look like two.
    private mutating func takeField(_ line: String) throws(Status) {
        guard let colon = line.firstIndex(of: ":"), isToken(line[..<colon]) else { throw .malformed }
        let value = line[line.index(after: colon)...].lowercased()
        switch line[..<colon].lowercased() {
        case "host": hosts += 1
        case "transfer-encoding": throw .malformed
        case "content-length":
            let words = value.split { $0 == " " || $0 == "\t" }
            guard bodyBytes == nil, words.count == 1, words[0].utf8.allSatisfy({ 48...57 ~= $0 }) else {
                throw .malformed
            }
            bodyBytes = Int(words[0]) ?? .max
        case "connection":
            let words = value.split { $0 == " " || $0 == "\t" || $0 == "," }
            if words.contains("close") { asksToClose = true }
            if words.contains("keep-alive") { asksToStay = true }
        default: break
        }
    }

    private func isToken(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { 33...126 ~= $0 && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
    }
}
