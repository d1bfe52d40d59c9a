extension HTTPReply {
    mutating func takeStatusLine(_ byte: UInt8) {
        switch phase {
        case .start:
            // Some servers end a body with an empty line too many.
            if byte == carriageReturn || byte == newLine { return }
            (phase, position) = (byte == UInt8(ascii: "H") ? .version : .refused, 1)
        case .version:
            guard byte == Self.version.byte(position) else { return phase = .refused }
            position += 1
            if position == Self.version.utf8CodeUnitCount { phase = .minor }
        case .minor:
            guard byte.isDigit else { return phase = .refused }
            if byte == UInt8(ascii: "0") { flags.insert(.isOld) }
            phase = .beforeStatus
        case .beforeStatus: phase = byte == UInt8(ascii: " ") ? .firstDigit : .refused
        case .firstDigit:
            if byte == UInt8(ascii: " ") { return }
            guard byte.isDigit else { return phase = .refused }
            (phase, position, status) = (.status, 1, UInt16(byte.digit))
        case .status:
            if byte.isDigit && position < 3 {
                status = status * 10 + UInt16(byte.digit)
                position += 1
                return
            }
            guard position == 3 && status >= 100 else { return phase = .refused }
            switch byte {
            case newLine: phase = .line
            case UInt8(ascii: " "), carriageReturn: phase = .reason
            default: phase = .refused
            }
        default: phase = .line
        }
    }

    mutating func takeHeader(_ byte: UInt8) {
        switch phase {
        case .line: beginLine(byte)
        case .name: takeName(byte)
        case .length, .afterLength: takeLength(byte)
        case .lengthEnd: byte == newLine ? endLength() : (phase = .refused)
        case .list: takeList(byte)
        case .headersEnd: byte == newLine ? endHeaders() : (phase = .refused)
        default: phase = .line
        }
    }

    private mutating func beginLine(_ byte: UInt8) {
        switch byte {
        case newLine: endHeaders()
        case carriageReturn: phase = .headersEnd
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            // The line before goes on, in the fashion of mail.
            phase = field == .other ? .skipped : .refused
        default:
            (phase, position, candidates, field) = (.name, 0, Words.names, .other)
            takeName(byte)
        }
    }

    private mutating func takeName(_ byte: UInt8) {
        if byte == UInt8(ascii: ":") {
            guard position > 0 else { return phase = .refused }
            field = flags.contains(.inTrailer) ? .other : fieldOfName
            (position, number) = (0, 0)
            switch field {
            case .other: phase = .skipped
            case .contentLength: phase = .length
            case .transferEncoding, .connection: (phase, candidates) = (.list, Words.values)
            }
            return
        }
        guard byte.isToken else { return phase = .refused }
        takeWord(byte)
    }

    private var fieldOfName: Field {
        switch Words.match(candidates, position) {
        case Words.contentLength: .contentLength
        case Words.transferEncoding: .transferEncoding
        case Words.connection: .connection
        default: .other
        }
    }

    /// Keeps the words that go on with this byte.
    private mutating func takeWord(_ byte: UInt8) {
        if candidates != 0 { candidates = Words.narrow(candidates, position, byte | 0x20) }
        if position < .max { position += 1 }
    }

    private mutating func takeLength(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            if position > 0 { phase = .afterLength }
        case carriageReturn, newLine:
            guard position > 0 else { return phase = .refused }
            byte == newLine ? endLength() : (phase = .lengthEnd)
        default:
            guard phase == .length, byte.isDigit, number <= (UInt64(Int64.max) - 9) / 10 else {
                return phase = .refused
            }
            number = number * 10 + UInt64(byte.digit)
            position = 1
        }
    }

    private mutating func endLength() {
        if flags.contains(.hasLength) && contentLength != number { return phase = .refused }
        flags.insert(.hasLength)
        contentLength = number
        phase = .line
    }

    private mutating func takeList(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: ","): endWord()
        case newLine, carriageReturn:
            endWord()
            phase = byte == newLine ? .line : .skipped
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            // A space within is no part of any word; one behind it does no harm.
            number = position > 0 ? 1 : 0
        default:
            if number == 1 { candidates = 0 }
            takeWord(byte)
        }
    }

    /// An element of a list is over.
    private mutating func endWord() {
        defer { (position, candidates, number) = (0, Words.values, 0) }
        guard position > 0 else { return }
        let word = Words.match(candidates, position)
        if field == .transferEncoding {
            flags.insert(.hasEncoding)
            // Only the last encoding tells where the body ends.
            if word == Words.chunked { flags.insert(.isChunked) } else { flags.remove(.isChunked) }
        } else if word == Words.close {
            flags.insert(.saysClose)
        } else if word == Words.keepAlive {
            flags.insert(.saysKeepAlive)
        }
    }

    mutating func takeChunkLine(_ byte: UInt8) {
        switch phase {
        case .chunkSize:
            if let digit = byte.hexDigit {
                guard number <= UInt64(Int64.max) >> 4 else { return phase = .refused }
                number = number << 4 | UInt64(digit)
                position = 1
                return
            }
            guard position > 0 else { return phase = .refused }
            switch byte {
            case UInt8(ascii: ";"), UInt8(ascii: " "), UInt8(ascii: "\t"): phase = .chunkExtension
            case carriageReturn: phase = .chunkSizeEnd
            case newLine: endChunkSize()
            default: phase = .refused
            }
        case .chunkSizeEnd: byte == newLine ? endChunkSize() : (phase = .refused)
        case .chunkEnd where byte == carriageReturn: phase = .chunkEndLine
        case .chunkEnd, .chunkEndLine:
            (number, position) = (0, 0)
            phase = byte == newLine ? .chunkSize : .refused
        default: endChunkSize()
        }
    }

    private static var version: StaticString { "HTTP/1." }
}

/// The words that matter in headers, by bit.
private enum Words {
    static var contentLength: UInt8 { 1 }
    static var transferEncoding: UInt8 { 2 }
    static var connection: UInt8 { 4 }
    static var chunked: UInt8 { 8 }
    static var close: UInt8 { 16 }
    static var keepAlive: UInt8 { 32 }
    static var names: UInt8 { contentLength | transferEncoding | connection }
    static var values: UInt8 { chunked | close | keepAlive }

    private static func text(_ word: UInt8) -> StaticString {
        switch word {
        case contentLength: "content-length"
        case transferEncoding: "transfer-encoding"
        case connection: "connection"
        case chunked: "chunked"
        case close: "close"
        default: "keep-alive"
        }
    }

    /// Those of the words whose byte at this place is the given one.
    static func narrow(_ words: UInt8, _ position: UInt8, _ byte: UInt8) -> UInt8 {
        var (rest, kept) = (words, UInt8(0))
        while rest != 0 {
            let word = rest & (~rest &+ 1)
            if text(word).byte(position) == byte { kept |= word }
            rest &= rest &- 1
        }
        return kept
    }

    /// The word of these that is as long; 0 if none is.
    static func match(_ words: UInt8, _ length: UInt8) -> UInt8 {
        var rest = words
        while rest != 0 {
            let word = rest & (~rest &+ 1)
            if text(word).utf8CodeUnitCount == Int(length) { return word }
            rest &= rest &- 1
        }
        return 0
    }
}

extension StaticString {
    /// The byte at a place; 0 behind the end.
    fileprivate func byte(_ position: UInt8) -> UInt8 {
        Int(position) < utf8CodeUnitCount ? unsafe utf8Start[Int(position)] : 0
    }
}
