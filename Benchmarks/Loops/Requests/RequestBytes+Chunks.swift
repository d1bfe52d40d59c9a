/// Where a body in chunks ends.
enum ChunkedBody: Equatable {
    /// Before this place.
    case end(Int)
    case incomplete
    case refused
}

extension RequestBytes {
    /// The chunks that begin at `start`, and the trailer lines behind them, which are skipped (RFC 9112, 7.1).
    ///
    /// - Parameter longest: no request goes further, so a larger chunk is refused as soon as its size is read.
    func chunks(from start: Int, longest: Int) -> ChunkedBody {
        var place = start
        while true {
            var size = 0
            let first = place
            while place < count, let digit = hexDigit(at: place) {
                size = size << 4 | digit
                if size > longest { return .refused }
                place += 1
            }
            guard place < count else { return .incomplete }
            guard place > first, endsChunkSize(self[place]) else { return .refused }
            guard let line = line(at: place) else { return .incomplete }
            // A return is the size's end only where the line feed follows.
            if self[place] == 0x0d && line.end > place { return .refused }
            place = line.next
            if size == 0 { return trailers(from: place) }
            place += size
            if place + 2 > longest { return .refused }
            if place < count && self[place] != 0x0d || place + 1 < count && self[place + 1] != 0x0a { return .refused }
            place += 2
            if place > count { return .incomplete }
        }
    }

    private func trailers(from start: Int) -> ChunkedBody {
        var place = start
        while let line = line(at: place) {
            place = line.next
            if line.isEmpty { return .end(place) }
        }
        return .incomplete
    }

    private func endsChunkSize(_ byte: UInt8) -> Bool {
        byte == 0x0d || byte == 0x0a || byte == UInt8(ascii: ";") || byte == 0x20 || byte == 0x09
    }

    private func hexDigit(at place: Int) -> Int? {
        let byte = self[place]
        let digit = byte &- UInt8(ascii: "0")
        if digit < 10 { return Int(digit) }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? Int(letter) + 10 : nil
    }
}
