import Glibc

/// What is at the front of a buffer.
enum FoundRequest: Equatable {
    /// A request of so many bytes, and what it gets.
    case whole(Int, Reply)
    /// The beginning of one.
    case incomplete
    /// No request, or a longer one than there is room for.
    case refused
}

/// Received bytes that begin with a request.
@safe struct RequestBytes {
    private let start: UnsafePointer<UInt8>
    let count: Int

    @unsafe init(_ memory: UnsafeRawPointer, _ count: Int) {
        unsafe start = memory.assumingMemoryBound(to: UInt8.self)
        self.count = count
    }

    @inline(__always) subscript(place: Int) -> UInt8 {
        precondition(place >= 0 && place < count, "beyond what was received")
        return unsafe start[place]
    }

    /// Where a line begins and ends, without what ends it, and where the next begins.
    struct Line {
        var start: Int
        var end: Int
        var next: Int

        var isEmpty: Bool { start == end }
    }

    /// The line that begins at `place`; nil if it is not whole. It ends with a line feed and, usually, a return before it.
    @inline(__always) func line(at place: Int) -> Line? {
        guard place < count, let feed = unsafe memchr(start + place, 0x0a, count - place) else { return nil }
        let end = unsafe UnsafeRawPointer(feed) - UnsafeRawPointer(start)
        let hasReturn = end > place && self[end - 1] == 0x0d
        return Line(start: place, end: hasReturn ? end - 1 : end, next: end + 1)
    }

    /// True if a line has this text, in small letters, at `place`, written in letters of either size.
    @inline(__always) func has(_ text: StaticString, at place: Int, in line: Line) -> Bool {
        let length = text.utf8CodeUnitCount
        guard line.end - place >= length else { return false }
        return unsafe strncasecmp(
            UnsafeRawPointer(start + place).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self), length) == 0
    }

    /// A number in decimal digits, and nothing else, from `place` up to `end`; nil for anything else, or if it is more than
    /// `most`.
    func number(from place: Int, to end: Int, most: Int) -> Int? {
        guard place < end else { return nil }
        var number = 0
        for index in place..<end {
            let digit = self[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
            if number > most { return nil }
        }
        return number
    }

    /// Where the word that begins at `place` ends.
    func wordEnd(_ place: Int, in line: Line) -> Int {
        var end = place
        while end < line.end, self[end] != 0x20 { end += 1 }
        return end
    }

    /// Where the next word begins behind a blank.
    func wordStart(_ place: Int, in line: Line) -> Int {
        var next = place
        while next < line.end, self[next] == 0x20 { next += 1 }
        return next
    }
}
