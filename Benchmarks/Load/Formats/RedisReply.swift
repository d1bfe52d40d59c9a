import Glibc

/// How far a reply of RESP2 or RESP3 has come.
///
/// Of nested arrays only the number of elements that are missing is kept, so depth costs nothing and has no bound.
struct RedisReply: BitwiseCopyable {
    private enum Phase: UInt8 {
        case type, number, skipped, errorWord, numberEnd, data, dataEnd, dataEndLine, refused
    }

    private var phase = Phase.type
    private var type: UInt8 = 0
    /// Elements that are missing, the reply itself counted.
    private var missing: UInt64 = 1
    /// The number in a line, and whether it has a sign or digits.
    private var number: UInt64 = 0
    private var isNegative = false
    private var digits: UInt8 = 0
    /// Bytes missing of a text.
    private var remaining: UInt64 = 0
    private var lineBytes = 0
    /// Nothing of the reply itself came so far.
    private var isFirst = true
    /// What comes stands before the reply: its attributes, or a message that nobody asked for.
    private var isAside = false
    private var isError = false
    private var isErrorWordWhole = false
    /// What an error begins with.
    private(set) var errorWord = ShortWord()

    /// No line is longer.
    static let mostLineBytes = 1 << 16
    /// No reply has more elements, and no text more bytes.
    static let mostElements: UInt64 = 1 << 48

    /// Takes bytes up to the end of the reply at the most.
    @unsafe mutating func take(_ bytes: UnsafeRawPointer, _ count: Int) -> ReplyStep {
        var reply = self
        defer { self = reply }
        var offset = 0
        while offset < count {
            switch reply.phase {
            case .data:
                let part = Int(min(reply.remaining, UInt64(count - offset)))
                if reply.collectsError { unsafe reply.takeErrorWord(bytes + offset, part) }
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
            if reply.missing == 0 { return ReplyStep(offset, reply.isError ? .failed : .answered) }
        }
        return ReplyStep(count, .unfinished)
    }

    private mutating func takeByte(_ byte: UInt8) {
        lineBytes += 1
        switch phase {
        case .type: begin(byte)
        case .number: takeNumber(byte)
        case .numberEnd: byte == newLine ? endNumber() : (phase = .refused)
        case .errorWord:
            if byte == newLine { return endElement() }
            if byte == UInt8(ascii: " ") || byte == carriageReturn || !errorWord.append(byte) { phase = .skipped }
        case .dataEnd: phase = byte == carriageReturn ? .dataEndLine : .refused
        case .dataEndLine: byte == newLine ? endElement() : (phase = .refused)
        case .skipped: endElement()
        case .data, .refused: break
        }
    }

    private mutating func begin(_ byte: UInt8) {
        (type, lineBytes, number, isNegative, digits) = (byte, 1, 0, false, 0)
        switch byte {
        case UInt8(ascii: "+"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "#"), UInt8(ascii: ","),
            UInt8(ascii: "("):
            phase = .skipped
        case UInt8(ascii: "-"):
            if isFirst { isError = true }
            phase = isFirst ? .errorWord : .skipped
        case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "~"),
            UInt8(ascii: "%"), UInt8(ascii: "|"), UInt8(ascii: ">"):
            if byte == UInt8(ascii: "!") && isFirst { isError = true }
            phase = .number
        default: phase = .refused
        }
    }

    private mutating func takeNumber(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "-") where digits == 0 && !isNegative: isNegative = true
        case carriageReturn: phase = digits > 0 ? .numberEnd : .refused
        default:
            guard byte.isDigit, number < Self.mostElements else { return phase = .refused }
            number = number * 10 + UInt64(byte.digit)
            digits = 1
        }
    }

    /// The number in a line is whole: of bytes that follow, or of elements.
    private mutating func endNumber() {
        guard number <= Self.mostElements else { return phase = .refused }
        if isNegative {
            // RESP2 writes a null as a text or an array of length -1.
            let isNull = number == 1 && (type == UInt8(ascii: "$") || type == UInt8(ascii: "*"))
            return isNull ? endElement() : (phase = .refused)
        }
        switch type {
        case UInt8(ascii: "*"), UInt8(ascii: "~"): endElement(adding: number)
        case UInt8(ascii: "%"): endElement(adding: 2 * number)
        // Attributes stand before the element that they belong to, and pushed messages before the reply.
        case UInt8(ascii: "|"): beginAside(2 * number)
        case UInt8(ascii: ">"): isFirst ? beginAside(number) : (phase = .refused)
        default: (phase, remaining) = (number == 0 ? .dataEnd : .data, number)
        }
    }

    private mutating func beginAside(_ elements: UInt64) {
        if isFirst && elements > 0 { (isAside, isFirst) = (true, false) }
        add(elements)
    }

    private mutating func add(_ elements: UInt64) {
        missing += elements
        phase = missing > Self.mostElements ? .refused : .type
    }

    private mutating func endElement(adding elements: UInt64 = 0) {
        missing -= 1
        isFirst = false
        add(elements)
        if isAside && missing == 1 { (isAside, isFirst) = (false, true) }
    }

    private var collectsError: Bool { type == UInt8(ascii: "!") && isError && !isErrorWordWhole }

    private mutating func takeErrorWord(_ bytes: UnsafeRawPointer, _ count: Int) {
        for offset in 0..<count {
            let byte = unsafe bytes.load(fromByteOffset: offset, as: UInt8.self)
            if byte == UInt8(ascii: " ") || !errorWord.append(byte) { return isErrorWordWhole = true }
        }
    }
}
