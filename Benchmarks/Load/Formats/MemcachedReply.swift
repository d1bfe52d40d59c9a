/// How far a reply of memcached's text protocol has come, the meta commands' included.
struct MemcachedReply: ReplyLines {
    /// What the next byte of a line is that is not skipped.
    private enum Part: UInt8 { case word, parameters }

    private var part = Part.word
    /// The first word of the line.
    private(set) var word = ShortWord()
    private var kind = Kind.last
    /// Parameters begun in the line, and the number that the one for the length of the data has so far.
    private var parameters = 0
    private var number: UInt64 = 0
    private var isBetween = true
    private var hasDigits = false

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

    var isError: Bool { kind == .error }

    mutating func takeLine(_ byte: UInt8) -> LineStep {
        switch part {
        case .word:
            switch byte {
            case newLine, carriageReturn, UInt8(ascii: " "):
                let step = endWord()
                if case .refused = step { return step }
                return byte == newLine ? endLine() : step
            default:
                if word.append(byte) { return .line }
                // What `incr` answers has up to 20 digits.
                return word.isNumber && byte.isDigit ? .skipped : .refused
            }
        case .parameters: return byte == newLine ? endLine() : takeParameter(byte)
        }
    }

    /// The first word of a line is whole.
    private mutating func endWord() -> LineStep {
        switch word {
        case "VALUE": (part, kind) = (.parameters, .value)
        case "VA": (part, kind) = (.parameters, .metaValue)
        case "END", "STORED", "NOT_STORED", "EXISTS", "NOT_FOUND", "DELETED", "TOUCHED", "OK", "VERSION", "RESET":
            kind = .last
        case "HD", "EN", "NS", "EX", "NF", "MN", "ME": kind = .last
        case "ERROR", "CLIENT_ERROR", "SERVER_ERROR", "BUSY": kind = .error
        case "STAT": kind = .more
        default:
            guard word.isNumber else { return .refused }
            kind = .last
        }
        return part == .parameters ? .line : .skipped
    }

    private mutating func takeParameter(_ byte: UInt8) -> LineStep {
        if byte == UInt8(ascii: " ") || byte == carriageReturn {
            isBetween = true
            return .line
        }
        if isBetween {
            isBetween = false
            parameters += 1
        }
        guard parameters == kind.lengthParameter else { return .line }
        guard byte.isDigit, number <= 1 << 48 else { return .refused }
        number = number * 10 + UInt64(byte.digit)
        hasDigits = true
        return .line
    }

    mutating func endLine() -> LineStep {
        switch kind {
        case .last, .error: return .whole
        case .more:
            self = MemcachedReply()
            return .nextLine
        case .value, .metaValue: return hasDigits ? .data(number) : .refused
        }
    }

    mutating func endData() -> LineStep {
        if kind == .metaValue { return .whole }
        self = MemcachedReply()
        return .nextLine
    }
}

extension ShortWord {
    fileprivate static func ~= (text: StaticString, word: ShortWord) -> Bool { word == ShortWord(text) }
}
