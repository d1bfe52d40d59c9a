import Meters

extension Conversation {
    /// One command of Redis, written as `redis-cli` takes it: words, with quotes around those that have spaces.
    package static func redis(command: String) throws(ConversationError) -> Conversation {
        let words = try words(of: command)
        guard let first = words.first, !first.isEmpty else { throw ConversationError("the command is empty") }
        let name = String(decoding: first, as: UTF8.self).uppercased()
        let second = words.dropFirst().first.map { String(decoding: $0, as: UTF8.self).uppercased() }
        if ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "QUIT", "SHUTDOWN", "SYNC", "PSYNC"].contains(name)
            || name == "CLIENT" && second == "REPLY"
        {
            throw ConversationError("\(name) does not get one reply for each request; use another command")
        }
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.count)\r\n".utf8) + word + [carriageReturn, newLine] }
        var conversation = Conversation()
        conversation.wire = .redis
        conversation.requests = [Request(bytes)]
        return conversation
    }

    /// The words of a line: `'…'` holds any bytes, `"…"` knows \n, \r, \t, \\, \" and \xHH.
    static func words(of line: String) throws(ConversationError) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var bytes = Array(line.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                if let whole = word { words.append(whole) }
                word = nil
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                guard let quoted = quoted(&bytes, by: byte) else {
                    throw ConversationError("a quote in '\(line)' is not closed")
                }
                word = (word ?? []) + quoted
            default: word = (word ?? []) + [byte]
            }
        }
        if let whole = word { words.append(whole) }
        return words
    }

    /// Bytes up to the closing quote, which is taken too; nil if it is missing.
    private static func quoted(_ bytes: inout ArraySlice<UInt8>, by quote: UInt8) -> [UInt8]? {
        var text: [UInt8] = []
        while let byte = bytes.popFirst() {
            if byte == quote { return text }
            guard byte == UInt8(ascii: "\\"), let next = bytes.first, quote == UInt8(ascii: "\"") || next == quote
            else {
                text.append(byte)
                continue
            }
            bytes.removeFirst()
            switch next {
            case UInt8(ascii: "n"): text.append(newLine)
            case UInt8(ascii: "r"): text.append(carriageReturn)
            case UInt8(ascii: "t"): text.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "x"):
                let digits = bytes.prefix(2).compactMap(\.hexDigit)
                guard digits.count == 2 else {
                    text.append(next)
                    continue
                }
                bytes.removeFirst(2)
                text.append(digits[0] << 4 | digits[1])
            default: text.append(next)
            }
        }
        return nil
    }
}
