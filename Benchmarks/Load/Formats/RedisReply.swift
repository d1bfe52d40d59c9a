/// How far a reply of RESP2 or RESP3 has come.
///
/// Of nested arrays only the number of elements that are missing is kept, so depth costs nothing and has no bound.
struct RedisReply: ReplyLines {
    /// What the next byte of a line is that is not skipped.
    private enum Part: UInt8 { case type, number, numberEnd, errorWord }

    private var part = Part.type
    private var type: UInt8 = 0
    /// Elements that are missing, the reply itself counted.
    private var missing: UInt64 = 1
    /// The number in a line, and whether it has a sign or digits.
    private var number: UInt64 = 0
    private var isNegative = false
    private var digits: UInt8 = 0
    /// Nothing of the reply itself came so far.
    private var isFirst = true
    /// What comes stands before the reply: its attributes, or a message that nobody asked for.
    private var isAside = false
    private(set) var isError = false
    private var isErrorWordWhole = false
    /// What an error begins with.
    private(set) var errorWord = ShortWord()

    /// No reply has more elements, and no text more bytes.
    static let mostElements: UInt64 = 1 << 48

    mutating func takeLine(_ byte: UInt8) -> LineStep {
        switch part {
        case .type: return begin(byte)
        case .number: return takeNumber(byte)
        case .numberEnd: return byte == newLine ? endNumber() : .refused
        case .errorWord:
            if byte == newLine { return endElement() }
            return byte == UInt8(ascii: " ") || byte == carriageReturn || !errorWord.append(byte) ? .skipped : .line
        }
    }

    mutating func endLine() -> LineStep { endElement() }
    mutating func endData() -> LineStep { endElement() }

    private mutating func begin(_ byte: UInt8) -> LineStep {
        (type, number, isNegative, digits) = (byte, 0, false, 0)
        switch byte {
        case UInt8(ascii: "+"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "#"), UInt8(ascii: ","),
            UInt8(ascii: "("):
            return .skipped
        case UInt8(ascii: "-"):
            guard isFirst else { return .skipped }
            (isError, part) = (true, .errorWord)
            return .line
        case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "~"),
            UInt8(ascii: "%"), UInt8(ascii: "|"), UInt8(ascii: ">"):
            if byte == UInt8(ascii: "!") && isFirst { isError = true }
            part = .number
            return .line
        default: return .refused
        }
    }

    private mutating func takeNumber(_ byte: UInt8) -> LineStep {
        switch byte {
        case UInt8(ascii: "-") where digits == 0 && !isNegative: isNegative = true
        case carriageReturn:
            guard digits > 0 else { return .refused }
            part = .numberEnd
        default:
            guard byte.isDigit, number < Self.mostElements else { return .refused }
            number = number * 10 + UInt64(byte.digit)
            digits = 1
        }
        return .line
    }

    /// The number in a line is whole: of bytes that follow, or of elements.
    private mutating func endNumber() -> LineStep {
        guard number <= Self.mostElements else { return .refused }
        if isNegative {
            // RESP2 writes a null as a text or an array of length -1.
            let isNull = number == 1 && (type == UInt8(ascii: "$") || type == UInt8(ascii: "*"))
            return isNull ? endElement() : .refused
        }
        switch type {
        case UInt8(ascii: "*"), UInt8(ascii: "~"): return endElement(adding: number)
        case UInt8(ascii: "%"): return endElement(adding: 2 * number)
        // Attributes stand before the element that they belong to, and pushed messages before the reply.
        case UInt8(ascii: "|"): return beginAside(2 * number)
        case UInt8(ascii: ">"): return isFirst ? beginAside(number) : .refused
        default: return .data(number)
        }
    }

    private mutating func beginAside(_ elements: UInt64) -> LineStep {
        if isFirst && elements > 0 { (isAside, isFirst) = (true, false) }
        return add(elements)
    }

    private mutating func add(_ elements: UInt64) -> LineStep {
        missing += elements
        part = .type
        if missing == 0 { return .whole }
        return missing > Self.mostElements ? .refused : .nextLine
    }

    private mutating func endElement(adding elements: UInt64 = 0) -> LineStep {
        missing -= 1
        isFirst = false
        let step = add(elements)
        if isAside && missing == 1 { (isAside, isFirst) = (false, true) }
        return step
    }

    mutating func takeData(_ bytes: UnsafeRawPointer, _ count: Int) {
        guard type == UInt8(ascii: "!"), isError, !isErrorWordWhole else { return }
        for offset in 0..<count {
            let byte = unsafe bytes.load(fromByteOffset: offset, as: UInt8.self)
            if byte == UInt8(ascii: " ") || !errorWord.append(byte) { return isErrorWordWhole = true }
        }
    }
}
