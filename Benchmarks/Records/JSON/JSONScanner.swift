/// Finds the places of JSON's values and refuses what RFC 8259 does, and keys that an object has twice.
struct JSONScanner {
    private let bytes: [UInt8]
    private let file: String
    private var position = 0
    private var line = 1
    private var lineStart = 0

    /// A file that is nested deeper was made to exhaust the stack.
    private static let deepest = 64

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    mutating func document() throws(CSVError) -> JSONNode {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw invalidUTF8() }
        skipSpace()
        guard position < bytes.count else { throw error("the file is empty") }
        let root = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error("text after the end of the value") }
        return root
    }

    private func error(_ message: String) -> CSVError {
        CSVError(file: file, line: line, column: position - lineStart + 1, message: message)
    }

    /// At the first line that is not UTF-8.
    private func invalidUTF8() -> CSVError {
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        let broken = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        return CSVError(file: file, line: broken + 1, column: 1, message: "a line that is not UTF-8")
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) {
            position += 1
            if byte == 0x0a {
                line += 1
                lineStart = position
            }
        }
    }

    private mutating func value(depth: Int) throws(CSVError) -> JSONNode {
        guard depth < Self.deepest else { throw error("nested deeper than \(Self.deepest) levels") }
        var node = JSONNode(line: line, column: position - lineStart + 1)
        switch next {
        case UInt8(ascii: "{"): return try object(node, depth: depth)
        case UInt8(ascii: "["): return try array(node, depth: depth)
        case UInt8(ascii: "\""): _ = try string()
        case nil: throw error("the file is cut off: a value is missing")
        default: node.number = try word()
        }
        return node
    }

    private mutating func object(_ node: JSONNode, depth: Int) throws(CSVError) -> JSONNode {
        try members(of: node, closing: "}") { scanner, node throws(CSVError) in
            let place = scanner.error("")
            guard scanner.next == UInt8(ascii: "\"") else { throw scanner.error("a key in quotes belongs here") }
            let key = try scanner.string()
            scanner.skipSpace()
            guard try scanner.take(":") else { throw scanner.error("a colon belongs here") }
            scanner.skipSpace()
            let member = try scanner.value(depth: depth + 1)
            guard node.members.updateValue(member, forKey: key) == nil else {
                throw CSVError(
                    file: scanner.file, line: place.line, column: place.column,
                    message: "key \(quotedExcerpt(key)) appears twice")
            }
        }
    }

    private mutating func array(_ node: JSONNode, depth: Int) throws(CSVError) -> JSONNode {
        try members(of: node, closing: "]") { scanner, node throws(CSVError) in
            node.members[String(node.members.count)] = try scanner.value(depth: depth + 1)
        }
    }

    private mutating func members(
        of node: JSONNode, closing: Unicode.Scalar,
        member: (inout JSONScanner, inout JSONNode) throws(CSVError) -> Void
    ) throws(CSVError) -> JSONNode {
        var node = node
        position += 1
        skipSpace()
        if try take(closing) { return node }
        repeat {
            skipSpace()
            try member(&self, &node)
            skipSpace()
        } while try take(",")
        guard try take(closing) else { throw error("a comma or \(closing) belongs here") }
        return node
    }

    private mutating func take(_ character: Unicode.Scalar) throws(CSVError) -> Bool {
        guard let byte = next else { throw error("the file is cut off") }
        guard byte == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Past a string; its text with the escapes as they stand, which is enough to tell keys apart.
    private mutating func string() throws(CSVError) -> String {
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw error("a control character in a string") }
            position += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escaped = next else { break }
            position += 1
            if escaped == UInt8(ascii: "u") {
                try hexadecimal()
            } else if !"\"\\/bfnrt".utf8.contains(escaped) {
                throw error("an escape that JSON does not have")
            }
        }
        guard next != nil else { throw error("the file is cut off within a string") }
        position += 1
        return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
    }

    private mutating func hexadecimal() throws(CSVError) {
        for _ in 0..<4 {
            guard let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "abcdefABCDEF".utf8.contains(byte)
            else { throw error("an escape \\u without its four digits") }
            position += 1
        }
    }

    /// Past a number, `true`, `false` or `null`; where a number stands.
    private mutating func word() throws(CSVError) -> Range<Int>? {
        let place = error("")
        let start = position
        while let byte = next, !" \t\n\r,]}:\"[{".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        let digits = text.drop { $0 == "-" }
        let hasLeadingZero = digits.first == "0" && digits.dropFirst().first?.isNumber == true
        guard ["true", "false", "null"].contains(text) || (Decimal.isNumber(text) && !hasLeadingZero) else {
            throw CSVError(
                file: file, line: place.line, column: place.column,
                message: "\(quotedExcerpt(text)) is no value of JSON")
        }
        return digits.first?.isNumber == true ? start..<position : nil
    }
}
