/// Reads a CSV file row by row, each as wide as its header.
struct CSVReader {
    let header: [CSVToken]
    private let file: String
    private var tokenizer: CSVTokenizer

    /// - Parameter whenEmpty: the message for a file without a header line.
    init(
        _ bytes: [UInt8], file: String, whenEmpty: String = "the file is empty: a header line is missing"
    ) throws(CSVError) {
        self.file = file
        tokenizer = CSVTokenizer(bytes, file: file)
        var row: [CSVToken] = []
        guard try tokenizer.next(into: &row) else {
            throw CSVError(file: file, line: 1, column: 1, message: whenEmpty)
        }
        header = row
    }

    /// The next row's fields, replacing what `row` held; `false` at the end of the file.
    mutating func next(into row: inout [CSVToken]) throws(CSVError) -> Bool {
        guard try tokenizer.next(into: &row) else { return false }
        guard row.count == header.count else {
            let message = "the row has \(row.count) fields where the header has \(header.count)"
            throw row[row.count - 1].problem(message, file: file)
        }
        return true
    }

    /// The rows of a file whose header is the line `expected`; a file may have columns behind these.
    static func rows(_ bytes: [UInt8], file: String, header expected: String) throws(CSVError) -> [[CSVToken]] {
        var reader = try CSVReader(bytes, file: file)
        let header = reader.header
        for (index, name) in expected.dropLast().split(separator: ",").enumerated() {
            guard index < header.count else {
                throw header[header.count - 1].error("column \(name) is missing from the header", file: file)
            }
            guard header[index].text == name else {
                let message = "the header has \(quotedExcerpt(header[index].text)) where column \(name) belongs"
                throw header[index].error(message, file: file)
            }
        }
        var rows: [[CSVToken]] = []
        var row: [CSVToken] = []
        while try reader.next(into: &row) { rows.append(row) }
        return rows
    }
}

extension CSVToken {
    func problem(_ message: String, file: String) -> CSVError {
        CSVError(file: file, line: line, column: column, message: message)
    }

    func error(_ message: String, file: String) -> CSVError {
        problem("\(message): \(quotedExcerpt(text))", file: file)
    }

    func value<Value: CSVField>(
        in range: ClosedRange<Double> = 0...Double.greatestFiniteMagnitude, file: String, name: String
    ) throws(CSVError) -> Value {
        do {
            return try Value.parse(text, in: range)
        } catch {
            throw self.error("column \(name) \(error.message)", file: file)
        }
    }
}
