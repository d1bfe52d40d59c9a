extension RequestBytes {
    /// The HTTP/1 request at the front (RFC 9112): a header, and a body as long as `Content-Length` says. A body in chunks
    /// is refused.
    ///
    /// - Parameter closes: whether the connection ends with the reply, whatever the request says.
    func httpRequest(longest: Int, closes: Bool) -> FoundRequest {
        guard var line = line(at: 0) else { return .incomplete }
        guard line.end >= 14, has("http/1.", at: line.end - 8, in: line) else { return .refused }
        let isHead = has("head ", at: 0, in: line)
        // Before HTTP/1.1 a connection had one request.
        var closes = closes || self[line.end - 1] == UInt8(ascii: "0")
        var bodyBytes: Int?
        while true {
            guard let next = self.line(at: line.next) else { return .incomplete }
            line = next
            if line.isEmpty { break }
            switch self[line.start] | 0x20 {
            case UInt8(ascii: "c"):
                if has("content-length:", at: line.start, in: line) {
                    guard let length = contentLength(line, longest), bodyBytes == nil || bodyBytes == length else {
                        return .refused
                    }
                    bodyBytes = length
                } else if has("connection:", at: line.start, in: line), names("close", behind: 11, in: line) {
                    closes = true
                }
            case UInt8(ascii: "t"):
                if has("transfer-encoding:", at: line.start, in: line) { return .refused }
            default: break
            }
        }
        let bytes = line.next + (bodyBytes ?? 0)
        if bytes > longest { return .refused }
        if bytes > count { return .incomplete }
        return .whole(bytes, isHead ? (closes ? .lastHead : .head) : closes ? .lastPage : .page)
    }

    private func contentLength(_ line: Line, _ longest: Int) -> Int? {
        let place = wordStart(line.start + 15, in: line)
        var end = line.end
        while end > place, self[end - 1] == 0x20 { end -= 1 }
        return number(from: place, to: end, most: longest)
    }

    /// True if a word of a header's list is this one.
    private func names(_ word: StaticString, behind offset: Int, in line: Line) -> Bool {
        var place = line.start + offset
        while place < line.end {
            if has(word, at: place, in: line) { return true }
            place += 1
        }
        return false
    }
}
