extension RunRecord {
    /// The rows of a `runs.csv`.
    ///
    /// Nothing is guessed and nothing skipped: the first thing that is not as the writer leaves it is thrown, with its
    /// line and column. Columns that this version does not know are ignored, since newer versions append them.
    package static func read(_ bytes: [UInt8], file: String) throws(CSVError) -> [RunRecord] {
        var reader = try CSVReader(bytes, file: file)
        let header = try RowLayout(header: reader.header, file: file)
        var row: [CSVToken] = []
        var records: [RunRecord] = []
        var earlier = EarlierRuns()
        while try reader.next(into: &row) {
            let record = try header.record(row, file: file)
            do {
                try record.checkConsistency()
                try earlier.add(record, line: row[0].line)
            } catch {
                throw header.error(error.column, error.message, in: row, file: file)
            }
            records.append(record)
        }
        return records
    }
}

private struct RowLayout {
    private let columns: [Column?]
    private let schemaVersionIndex: Int
    private let hasProtocol: Bool

    init(header: [CSVToken], file: String) throws(CSVError) {
        var seen: Set<String> = []
        for name in header where !seen.insert(name.text).inserted {
            throw name.problem("column \(quotedExcerpt(name.text)) appears twice in the header", file: file)
        }
        for column in Column.all where column.isRequired && !seen.contains(column.name) {
            throw CSVError(file: file, line: 1, column: 1, message: "column \(column.name) is missing from the header")
        }
        try Self.checkOrder(header, file: file)
        columns = header.map { Column.named($0.text) }
        hasProtocol = seen.contains("protocol")
        schemaVersionIndex = header.firstIndex { $0.text == "schema_version" } ?? 0
    }

    /// Columns are only ever appended: what is known stands in its order, before what is not.
    private static func checkOrder(_ header: [CSVToken], file: String) throws(CSVError) {
        var last: (place: Int, token: CSVToken)?
        var unknown: CSVToken?
        for token in header {
            guard let place = places[token.text] else {
                unknown = unknown ?? token
                continue
            }
            if let unknown {
                let message = "column \(quotedExcerpt(unknown.text)) is not known, and known ones follow it"
                throw unknown.problem(message, file: file)
            }
            if let last, place < last.place {
                throw token.problem(
                    "column \(token.text) stands behind \(last.token.text), which comes after it", file: file)
            }
            last = (place, token)
        }
    }

    private static let places = Dictionary(uniqueKeysWithValues: Column.all.enumerated().map { ($1.name, $0) })

    func error(_ column: String, _ message: String, in row: [CSVToken], file: String) -> CSVError {
        let index = columns.firstIndex { $0?.name == column } ?? 0
        return row[index].error("column \(column) \(message)", file: file)
    }

    func record(_ row: [CSVToken], file: String) throws(CSVError) -> RunRecord {
        try checkVersion(row[schemaVersionIndex], file: file)
        var record = RunRecord()
        for (column, token) in zip(columns, row) {
            guard let column else { continue }
            do {
                try column.set(token.text, in: &record)
                try FieldRule.byColumn[column.name]?.check(token.text)
            } catch {
                throw self.error(column.name, error.message, in: row, file: file)
            }
        }
        // Files from before there were several have no column for it.
        if !hasProtocol, ["crr", "read"].contains(record.workload) { record.protocol = "echo" }
        return record
    }

    /// Checked before the other fields, because what another version wrote may not even parse.
    private func checkVersion(_ token: CSVToken, file: String) throws(CSVError) {
        let expected = RunRecord.currentSchemaVersion
        guard token.text != String(expected) else { return }
        throw token.problem(
            "schema_version is \(quotedExcerpt(token.text)); this version of bench reads \(expected)", file: file)
    }
}

/// The runs above a row: ids are unique, and a place in a round is repeated only by the same arm, after a void or partial
/// run.
private struct EarlierRuns {
    /// Which place of an invocation a run had.
    private struct Place: Hashable {
        /// The id without its number. Rows of several invocations may have been put together.
        let invocation: String
        let round: Int
        let order: Int
    }

    private var lines: [String: Int] = [:]
    private var places: [Place: (line: Int, arm: Arm, status: Status)] = [:]

    mutating func add(_ record: RunRecord, line: Int) throws(RowProblem) {
        if let first = lines.updateValue(line, forKey: record.runId) {
            throw RowProblem(column: "run_id", message: "is that of line \(first) too")
        }
        guard let dash = record.runId.lastIndex(of: "-") else { return }
        let invocation = String(record.runId[..<dash])
        let place = Place(invocation: invocation, round: record.round, order: record.orderInRound)
        let run = (line: line, arm: Arm(record), status: record.status)
        guard let before = places.updateValue(run, forKey: place) else { return }
        guard before.arm == run.arm, before.status == .void || before.status == .partial else {
            throw RowProblem(
                column: "order_in_round",
                message: "is that of line \(before.line) too, in the same round, which was neither void nor partial or "
                    + "another arm's")
        }
    }
}
