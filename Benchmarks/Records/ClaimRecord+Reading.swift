extension ClaimRecord {
    /// The statements of a `claims.csv`, without their findings, which it does not hold.
    package static func read(_ bytes: [UInt8], file: String, verdicts: [String]) throws(CSVError) -> [ClaimRecord] {
        var seen: [String: Int] = [:]
        var records: [ClaimRecord] = []
        for row in try CSVReader.rows(bytes, file: file, header: csvHeader) {
            if row[0].text.isEmpty { throw row[0].error("column claim is empty", file: file) }
            if let first = seen.updateValue(row[0].line, forKey: row[0].text) {
                throw row[0].error("column claim is that of line \(first) too", file: file)
            }
            guard verdicts.contains(row[3].text) else {
                let known = verdicts.joined(separator: ", ")
                throw row[3].error("column verdict is not one of \(known)", file: file)
            }
            let duration: Double = try row[6].value(file: file, name: "duration_ms")
            records.append(
                ClaimRecord(
                    claim: row[0].text, statement: row[1].text, source: row[2].text, verdict: row[3].text,
                    observed: row[4].text, detail: row[5].text, durationMs: duration))
        }
        return records
    }
}
