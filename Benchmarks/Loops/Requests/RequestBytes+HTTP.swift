extension RequestBytes {
    /// The HTTP/1 request at the front (RFC 9112): a header, and a body in chunks or as long as `Content-Length` says.
    /// Other encodings are refused, and so is a request that says both or says it in HTTP/1.0: where it ends is in doubt.
    ///
    /// - Parameter closes: whether the connection ends with the reply, whatever the request says.
    func httpRequest(longest: Int, closes: Bool) -> FoundRequest {
        guard var line = line(at: 0) else { return .incomplete }
        guard line.end >= 14, has("http/1.", at: line.end - 8, in: line) else { return .refused }
        let isHead = has("head ", at: 0, in: line)
        // Before HTTP/1.1 a connection had one request.
        let isOld = self[line.end - 1] == UInt8(ascii: "0")
        var closes = closes || isOld
        var bodyBytes: Int?
        var isChunked = false
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
                guard has("transfer-encoding:", at: line.start, in: line) else { break }
                guard !isChunked, !isOld, isChunkedAlone(line) else { return .refused }
                isChunked = true
            default: break
            }
        }
        var bytes = line.next + (bodyBytes ?? 0)
        if isChunked {
            guard bodyBytes == nil else { return .refused }
            switch chunks(from: line.next, longest: longest) {
            case .end(let end): bytes = end
            case .incomplete: return .incomplete
            case .refused: return .refused
            }
        }
        if bytes > longest { return .refused }
        if bytes > count { return .incomplete }
        return .whole(bytes, isHead ? (closes ? .lastHead : .head) : closes ? .lastPage : .page)
    }

    /// True if a `Transfer-Encoding` names no other encoding than chunks.
    private func isChunkedAlone(_ line: Line) -> Bool {
        let start = wordStart(line.start + 18, in: line)
        return valueEnd(in: line) - start == 7 && has("chunked", at: start, in: line)
    }

    /// Where a header's value ends, without the blanks behind it.
    private func valueEnd(in line: Line) -> Int {
        var end = line.end
        while end > line.start, self[end - 1] == 0x20 { end -= 1 }
        return end
    }

    private func contentLength(_ line: Line, _ longest: Int) -> Int? {
        number(from: wordStart(line.start + 15, in: line), to: valueEnd(in: line), most: longest)
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
