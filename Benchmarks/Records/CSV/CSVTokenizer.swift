struct CSVToken {
    var text: String
    var line: Int
    var column: Int
}

/// Splits the bytes of a CSV file into rows, refusing everything that RFC 4180 does not allow.
///
/// SwiftCSV reports neither line nor column, takes a truncated last line for a whole one and walks characters rather
/// than bytes, so a strict reader cannot be laid on top of it.
struct CSVTokenizer {
    private let bytes: [UInt8]
    private let file: String
    private var position = 0
    private var line = 1
    private var lineStart = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
        // A UTF-8 byte order mark, which spreadsheets put in front.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
            position = 3
            lineStart = 3
        }
    }

    /// The next row's fields, replacing what `row` held; `false` at the end of the file.
    mutating func next(into row: inout [CSVToken]) throws(CSVError) -> Bool {
        row.removeAll(keepingCapacity: true)
        guard position < bytes.count else { return false }
        while true {
            row.append(try field())
            guard position < bytes.count else {
                throw error("the last line is cut off: it does not end with a line feed")
            }
            let separator = bytes[position]
            position += 1
            if separator == 0x0a {
                line += 1
                lineStart = position
                return true
            }
        }
    }

    private func error(_ message: String) -> CSVError {
        CSVError(file: file, line: line, column: position - lineStart + 1, message: message)
    }

    private mutating func field() throws(CSVError) -> CSVToken {
        let start = (line: line, column: position - lineStart + 1)
        let isQuoted = position < bytes.count && bytes[position] == 0x22
        let content = isQuoted ? try quoted() : try bare()
        guard let text = String(validating: content, as: UTF8.self) else {
            throw CSVError(file: file, line: start.line, column: start.column, message: "a field that is not UTF-8")
        }
        return CSVToken(text: text, line: start.line, column: start.column)
    }

    /// Up to the next comma or line feed, or the end of the file.
    private mutating func bare() throws(CSVError) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case 0x2c, 0x0a: return bytes[start..<position]
            case 0x22: throw error("a quote within a field that does not start with one")
            case 0x0d: throw error("a carriage return: lines must end with a line feed alone (try dos2unix)")
            case 0: throw error("a zero byte: this is not a text file")
            default: position += 1
            }
        }
        return bytes[start..<position]
    }

    private mutating func quoted() throws(CSVError) -> ArraySlice<UInt8> {
        let opening = error("a quoted field that is never closed")
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x22 {
                position += 1
                guard position < bytes.count, bytes[position] == 0x22 else {
                    try expectEndOfField()
                    return content[...]
                }
            } else if byte == 0 {
                throw error("a zero byte: this is not a text file")
            } else if byte == 0x0a {
                line += 1
                lineStart = position + 1
            }
            content.append(byte)
            position += 1
        }
        throw opening
    }

    private func expectEndOfField() throws(CSVError) {
        guard position < bytes.count, bytes[position] != 0x2c, bytes[position] != 0x0a else { return }
        if bytes[position] == 0x0d {
            throw error("a carriage return: lines must end with a line feed alone (try dos2unix)")
        }
        throw error("text after a closing quote; a quote within a field is written twice")
    }
}
