extension RequestBytes {
    /// The memcached request at the front, in its text protocol: a line, and behind that of a storage command its data.
    /// What is to get no reply (`noreply`) is refused.
    func memcachedRequest(longest: Int) -> FoundRequest {
        guard self[0] | 0x20 >= UInt8(ascii: "a") && self[0] | 0x20 <= UInt8(ascii: "z") else {
            return .refused
        }
        guard let line = line(at: 0) else { return .incomplete }
        if line.end >= 8, has(" noreply", at: line.end - 8, in: line) { return .refused }
        let reply = memcachedReply(line)
        return reply == .stored ? storage(line, longest) : .whole(line.next, reply)
    }

    private func memcachedReply(_ line: Line) -> Reply {
        let end = wordEnd(0, in: line)
        func named(_ word: StaticString) -> Bool { end == word.utf8CodeUnitCount && has(word, at: 0, in: line) }
        let reply: Reply
        switch self[0] | 0x20 {
        case UInt8(ascii: "g"): reply = named("get") || named("gets") || named("gat") || named("gats") ? .end : .error
        case UInt8(ascii: "s"): reply = named("set") ? .stored : named("stats") ? .end : .error
        case UInt8(ascii: "v"): reply = named("version") ? .version : named("verbosity") ? .okay : .error
        case UInt8(ascii: "a"): reply = named("add") || named("append") ? .stored : .error
        case UInt8(ascii: "r"): reply = named("replace") ? .stored : .error
        case UInt8(ascii: "p"): reply = named("prepend") ? .stored : .error
        case UInt8(ascii: "c"): reply = named("cas") ? .stored : .error
        case UInt8(ascii: "d"): reply = named("delete") || named("decr") ? .notFound : .error
        case UInt8(ascii: "i"): reply = named("incr") ? .notFound : .error
        case UInt8(ascii: "t"): reply = named("touch") ? .notFound : .error
        case UInt8(ascii: "f"): reply = named("flush_all") ? .okay : .error
        case UInt8(ascii: "m"): reply = named("mn") ? .noOperation : .error
        default: reply = .error
        }
        return reply
    }

    /// `set key flags exptime bytes`, and the data in a line of their own.
    private func storage(_ line: Line, _ longest: Int) -> FoundRequest {
        var place = 0
        for _ in 0..<4 { place = wordStart(wordEnd(place, in: line), in: line) }
        guard let length = number(from: place, to: wordEnd(place, in: line), most: longest) else { return .refused }
        let bytes = line.next + length + 2
        if bytes > longest { return .refused }
        if bytes > count { return .incomplete }
        guard self[bytes - 2] == 0x0d && self[bytes - 1] == 0x0a else { return .refused }
        return .whole(bytes, .stored)
    }
}
