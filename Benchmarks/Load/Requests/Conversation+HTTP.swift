import Meters

extension Conversation {
    /// One HTTP/1.1 request.
    ///
    /// - Parameters:
    ///   - path: as it stands in the request, such as `/search?q=1`.
    ///   - host: what `Host` says, unless a header says it.
    ///   - headers: lines, each `Name: value`.
    ///   - body: nil for none; its length is told to the server, or it is sent as one chunk if a header says so.
    ///   - closes: asks the server to close after its reply, as the only request of a connection does.
    package static func http(
        method: String = "GET", path: String = "/", host: String, headers: [String] = [], body: [UInt8]? = nil,
        closes: Bool = false
    ) throws(ConversationError) -> Conversation {
        guard !method.isEmpty, method.utf8.allSatisfy(\.isToken) else {
            throw ConversationError("the method '\(method)' is not one word, such as GET")
        }
        guard !method.utf8.elementsEqual("CONNECT".utf8) else {
            throw ConversationError("CONNECT opens a tunnel and has no reply of its own; use another method")
        }
        guard path.hasPrefix("/") || path == "*" || path.contains("://") else {
            throw ConversationError("the path '\(path)' does not begin with /")
        }
        guard path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw ConversationError(
                "the path '\(path)' has a space or another character that is not allowed; write it as %20")
        }
        var names: Set<String> = []
        var asksForClose = false
        for header in headers {
            let name = try name(of: header)
            guard name != "transfer-encoding" || body != nil else {
                throw ConversationError("the header '\(header)' needs a body")
            }
            names.insert(name)
            if name == "connection" && words(of: header).contains("close") { asksForClose = true }
        }
        var lines = ["\(method) \(path) HTTP/1.1"]
        if !names.contains("host") { lines.append("Host: \(host)") }
        lines += headers
        let isChunked = names.contains("transfer-encoding")
        if let body, !isChunked { lines.append("Content-Length: \(body.count)") }
        if closes && !names.contains("connection") {
            lines.append("Connection: close")
            asksForClose = true
        }
        var conversation = Conversation()
        conversation.wire = .http
        let head = lines.map { $0 + "\r\n" }.joined() + "\r\n"
        let sent = body.map { isChunked ? chunk($0) : $0 } ?? []
        var request = Request(Array(head.utf8) + sent)
        request.repliesWithoutBody = method == "HEAD"
        request.asksForClose = asksForClose
        conversation.requests = [request]
        return conversation
    }

    /// A body as a chunk, and the one without bytes that ends it.
    private static func chunk(_ body: [UInt8]) -> [UInt8] {
        let whole = Array("\(String(body.count, radix: 16))\r\n".utf8) + body + [carriageReturn, newLine]
        return (body.isEmpty ? [] : whole) + Array("0\r\n\r\n".utf8)
    }

    /// The words of a header line, its name first, in small letters.
    private static func words(of header: String) -> [Substring] {
        header.lowercased().split { ":, \t".contains($0) }
    }

    /// The name in a header line, in small letters.
    private static func name(of header: String) throws(ConversationError) -> String {
        guard let colon = header.utf8.firstIndex(of: UInt8(ascii: ":")), colon > header.startIndex,
            header[..<colon].utf8.allSatisfy(\.isToken)
        else { throw ConversationError("the header '\(header)' is not 'Name: value'") }
        guard header.utf8.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == UInt8(ascii: "\t") }) else {
            throw ConversationError("the header '\(header[..<colon])' has a line end or a control character in it")
        }
        let name = header[..<colon].lowercased()
        let isChunked = words(of: header) == ["transfer-encoding", "chunked"]
        guard name != "content-length" && (name != "transfer-encoding" || isChunked) && name != "expect" else {
            throw ConversationError("the header '\(header[..<colon])' is not yours to set: the body decides it")
        }
        return name
    }
}
