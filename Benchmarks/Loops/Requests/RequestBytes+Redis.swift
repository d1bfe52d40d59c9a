extension RequestBytes {
    /// The Redis request at the front: an array of strings, each with its length before it, or a line of words.
    func redisRequest(longest: Int) -> FoundRequest {
        guard let line = line(at: 0) else {
            // What begins like neither does not become one.
            return self[0] >= 0x20 && self[0] < 0x7f ? .incomplete : .refused
        }
        guard !line.isEmpty, self[0] >= 0x20 && self[0] < 0x7f else { return .refused }
        guard self[0] == UInt8(ascii: "*") else { return .whole(line.next, .only) }
        guard let strings = number(from: 1, to: line.end, most: longest), strings > 0 else { return .refused }
        var place = line.next
        for _ in 0..<strings {
            guard let line = self.line(at: place) else {
                return place < count && self[place] != UInt8(ascii: "$") ? .refused : .incomplete
            }
            guard self[place] == UInt8(ascii: "$"),
                let length = number(from: place + 1, to: line.end, most: longest)
            else { return .refused }
            place = line.next + length + 2
            if place > longest { return .refused }
            if place > count { return .incomplete }
            guard self[place - 2] == 0x0d && self[place - 1] == 0x0a else { return .refused }
        }
        return .whole(place, .only)
    }
}
