/// A CSV file of any columns: every field as text.
package struct CSVTable: Sendable {
    /// The header line.
    package let header: [String]
    /// The lines under it, each as long as the header.
    package let rows: [[String]]

    /// Reads a file as strictly as ``RunRecord/read(_:file:)`` does, but knows nothing of its columns.
    ///
    /// - Parameter file: how errors call the file.
    package init(_ bytes: [UInt8], file: String) throws(CSVError) {
        var tokenizer = CSVTokenizer(bytes, file: file)
        var row: [CSVToken] = []
        guard try tokenizer.next(into: &row) else {
            throw CSVError(file: file, line: 1, column: 1, message: "the file holds no header line")
        }
        header = row.map(\.text)
        var rows: [[String]] = []
        while try tokenizer.next(into: &row) {
            guard row.count == header.count else {
                let last = row[row.count - 1]
                let message = "the row has \(row.count) fields where the header has \(header.count)"
                throw CSVError(file: file, line: last.line, column: last.column, message: message)
            }
            rows.append(row.map(\.text))
        }
        self.rows = rows
    }
}
