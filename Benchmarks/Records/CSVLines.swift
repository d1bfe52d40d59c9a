/// The lines under the header of a CSV file whose columns are known, each field with its place.
struct CSVLines {
    let rows: [[CSVToken]]

    /// - Parameters:
    ///   - file: how errors call the file.
    ///   - header: the header line as it is written; a file may have columns behind these.
    init(_ bytes: [UInt8], file: String, header: String) throws(CSVError) {
        let names = header.dropLast().split(separator: ",").map(String.init)
        var tokenizer = CSVTokenizer(bytes, file: file)
        var row: [CSVToken] = []
        guard try tokenizer.next(into: &row) else {
            throw CSVError(file: file, line: 1, column: 1, message: "the file is empty: a header line is missing")
        }
        for (index, name) in names.enumerated() {
            guard index < row.count else {
                throw row[row.count - 1].error("column \(name) is missing from the header", file: file)
            }
            guard row[index].text == name else {
                let message = "the header has \(quotedExcerpt(row[index].text)) where column \(name) belongs"
                throw row[index].error(message, file: file)
            }
        }
        let width = row.count
        var rows: [[CSVToken]] = []
        while try tokenizer.next(into: &row) {
            guard row.count == width else {
                let message = "the row has \(row.count) fields where the header has \(width)"
                throw CSVError(
                    file: file, line: row[row.count - 1].line, column: row[row.count - 1].column, message: message)
            }
            rows.append(row)
        }
        self.rows = rows
    }
}

extension CSVToken {
    /// An error at the field, which it quotes.
    func error(_ message: String, file: String) -> CSVError {
        CSVError(file: file, line: line, column: column, message: "\(message): \(quotedExcerpt(text))")
    }

    /// The field's value.
    func value<Value: CSVField>(in range: ClosedRange<Double>, file: String, name: String) throws(CSVError) -> Value {
        do {
            return try Value.parse(text, in: range)
        } catch {
            throw self.error("column \(name) \(error.message)", file: file)
        }
    }
}
