import Glibc

/// How far a reply of memcached's text protocol has come, the meta commands' included.
struct MemcachedReply: BitwiseCopyable {
    private enum Phase: UInt8 { case word, parameters, skipped, data, dataEnd, dataEndLine, refused }

    private var phase = Phase.word
    /// The first word of the line.
    private(set) var word = ShortWord()
    private var kind = Kind.last
    /// Parameters begun in the line, and the number that the one for the length of the data has so far.
    private var parameters = 0
    private var number: UInt64 = 0
    private var isBetween = true
    private var hasDigits = false
    private var remaining: UInt64 = 0
    private var lineBytes = 0
    private var isOver = false

    /// No line is longer.
    static let mostLineBytes = 1 << 16

    /// What a line is.
    private enum Kind: UInt8 {
        /// The last one.
        case last
        /// The last one, and a refusal.
        case error
        /// Others follow.
        case more
        /// Data follow, and then other lines: `VALUE key flags bytes`.
        case value
        /// Data follow, and nothing else: `VA bytes`.
        case metaValue

        var lengthParameter: Int { self == .value ? 3 : 1 }
    }

    /// Takes bytes up to the end of the reply at the most.
    @unsafe mutating func take(_ bytes: UnsafeRawPointer, _ count: Int) -> ReplyStep {
        var reply = self
        defer { self = reply }
        var offset = 0
        while offset < count {
            switch reply.phase {
            case .data:
                let part = Int(min(reply.remaining, UInt64(count - offset)))
                offset += part
                reply.remaining -= UInt64(part)
                if reply.remaining == 0 { reply.phase = .dataEnd }
                continue
            case .skipped:
                let end = unsafe memchr(bytes + offset, CInt(newLine), count - offset)
                let passed = unsafe end.map { unsafe UnsafeRawPointer($0) - (bytes + offset) } ?? count - offset
                offset += passed
                reply.lineBytes += passed
            default: break
            }
            if offset < count {
                reply.takeByte(unsafe bytes.load(fromByteOffset: offset, as: UInt8.self))
                offset += 1
            }
            if reply.lineBytes > Self.mostLineBytes || reply.phase == .refused {
                reply.phase = .refused
                return ReplyStep(offset, .garbage)
            }
            if reply.isOver { return ReplyStep(offset, reply.kind == .error ? .failed : .answered) }
        }
        return ReplyStep(count, .unfinished)
    }

    private mutating func takeByte(_ byte: UInt8) {
        lineBytes += 1
        switch phase {
        case .word:
            switch byte {
            case newLine, carriageReturn, UInt8(ascii: " "):
                endWord()
                if phase != .refused && byte == newLine { endLine() }
            default:
                if word.append(byte) { return }
                // What `incr` answers has up to 20 digits.
                phase = word.isNumber && byte.isDigit ? .skipped : .refused
            }
        case .parameters: byte == newLine ? endLine() : takeParameter(byte)
        case .dataEnd: phase = byte == carriageReturn ? .dataEndLine : .refused
        case .dataEndLine:
            guard byte == newLine else { return phase = .refused }
            kind == .metaValue ? (isOver = true) : beginLine()
        case .skipped: endLine()
        case .data, .refused: break
        }
    }

    private mutating func beginLine() {
        self = MemcachedReply()
    }

    /// The first word of a line is whole.
    private mutating func endWord() {
        switch word {
        case "VALUE": (phase, kind) = (.parameters, .value)
        case "END", "STORED", "NOT_STORED", "EXISTS", "NOT_FOUND", "DELETED", "TOUCHED", "OK", "VERSION", "RESET":
            (phase, kind) = (.skipped, .last)
        case "HD", "EN", "NS", "EX", "NF", "MN", "ME": (phase, kind) = (.skipped, .last)
        case "ERROR", "CLIENT_ERROR", "SERVER_ERROR", "BUSY": (phase, kind) = (.skipped, .error)
        case "STAT": (phase, kind) = (.skipped, .more)
        case "VA": (phase, kind) = (.parameters, .metaValue)
        default: (phase, kind) = (word.isNumber ? .skipped : .refused, .last)
        }
    }

    private mutating func takeParameter(_ byte: UInt8) {
        if byte == UInt8(ascii: " ") || byte == carriageReturn { return isBetween = true }
        if isBetween {
            isBetween = false
            parameters += 1
        }
        guard parameters == kind.lengthParameter else { return }
        guard byte.isDigit, number <= 1 << 48 else { return phase = .refused }
        number = number * 10 + UInt64(byte.digit)
        hasDigits = true
    }

    private mutating func endLine() {
        switch kind {
        case .last, .error: isOver = true
        case .more: beginLine()
        case .value, .metaValue:
            guard hasDigits else { return phase = .refused }
            (phase, remaining) = (number == 0 ? .dataEnd : .data, number)
        }
    }
}

extension ShortWord {
    fileprivate static func ~= (text: StaticString, word: ShortWord) -> Bool { word == ShortWord(text) }
}
