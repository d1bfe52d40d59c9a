/// A CSV file of any columns: every field as text.
package struct CSVTable: Sendable {
    package let header: [String]
    package let rows: [[String]]

    /// Reads a file as strictly as ``RunRecord/read(_:file:)`` does, but knows nothing of its columns.
    package init(_ bytes: [UInt8], file: String) throws(CSVError) {
        var reader = try CSVReader(bytes, file: file, whenEmpty: "the file holds no header line")
        header = reader.header.map(\.text)
        var row: [CSVToken] = []
        var rows: [[String]] = []
        while try reader.next(into: &row) { rows.append(row.map(\.text)) }
        self.rows = rows
    }
}
