extension RunRecord {
    /// The rows of a `runs.csv`.
    ///
    /// Nothing is guessed and nothing skipped: the first thing that is not as the writer leaves it is thrown, with its
    /// line and column. Columns that this version does not know are ignored, since newer versions append them.
    ///
    /// - Parameter file: how errors call the file.
    public static func read(_ bytes: [UInt8], file: String) throws(CSVError) -> [RunRecord] {
        guard !bytes.isEmpty else {
            throw CSVError(file: file, line: 1, column: 1, message: "the file is empty: a header line is missing")
        }
        var tokenizer = CSVTokenizer(bytes, file: file)
        var row: [CSVToken] = []
        guard try tokenizer.next(into: &row) else {
            throw CSVError(file: file, line: 1, column: 1, message: "the file holds no header line")
        }
        let header = try RowLayout(header: row, file: file)
        var records: [RunRecord] = []
        while try tokenizer.next(into: &row) {
            records.append(try header.record(row, file: file))
        }
        return records
    }
}

/// Which column stands at which place of a file's rows.
private struct RowLayout {
    private let columns: [Column?]
    private let schemaVersionIndex: Int

    init(header: [CSVToken], file: String) throws(CSVError) {
        var seen: Set<String> = []
        for name in header where !seen.insert(name.text).inserted {
            let message = "column \(quotedExcerpt(name.text)) appears twice in the header"
            throw CSVError(file: file, line: name.line, column: name.column, message: message)
        }
        for column in Column.all where column.isRequired && !seen.contains(column.name) {
            throw CSVError(file: file, line: 1, column: 1, message: "column \(column.name) is missing from the header")
        }
        columns = header.map { Column.named($0.text) }
        schemaVersionIndex = header.firstIndex { $0.text == "schema_version" } ?? 0
    }

    func record(_ row: [CSVToken], file: String) throws(CSVError) -> RunRecord {
        guard row.count == columns.count else {
            let last = row[row.count - 1]
            let message = "the row has \(row.count) fields where the header has \(columns.count)"
            throw CSVError(file: file, line: last.line, column: last.column, message: message)
        }
        try checkVersion(row[schemaVersionIndex], file: file)
        var record = RunRecord()
        for (column, token) in zip(columns, row) {
            guard let column else { continue }
            do {
                try column.set(token.text, in: &record)
            } catch {
                let message = "column \(column.name) \(error.message): \(quotedExcerpt(token.text))"
                throw CSVError(file: file, line: token.line, column: token.column, message: message)
            }
        }
        return record
    }

    /// Checked before the other fields, because what another version wrote may not even parse.
    private func checkVersion(_ token: CSVToken, file: String) throws(CSVError) {
        let expected = RunRecord.currentSchemaVersion
        guard token.text != String(expected) else { return }
        let message = "schema_version is \(quotedExcerpt(token.text)); this version of bench reads \(expected)"
        throw CSVError(file: file, line: token.line, column: token.column, message: message)
    }
}
