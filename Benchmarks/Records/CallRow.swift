/// A line of `calls.csv`: how often the workers of a run made one system call, as the kernel counted it.
package struct CallRow: Sendable, Equatable {
    /// The run, a `run_id` of `runs.csv`.
    package var runId: String
    package var syscall: String
    package var callsPerOp: Double

    package init(runId: String, syscall: String, callsPerOp: Double) {
        self.runId = runId
        self.syscall = syscall
        self.callsPerOp = callsPerOp
    }

    private static let columns = ["run_id", "syscall", "calls_per_op"]

    package static let csvHeader = CSV.row(columns)

    package func csvRow() -> String { CSV.row([runId, syscall, callsPerOp.csvText]) }

    package static func rows(runId: String, _ callsPerOp: [String: Double]) -> [CallRow] {
        callsPerOp.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { CallRow(runId: runId, syscall: $0.key, callsPerOp: $0.value) }
    }

    /// The rows of a `calls.csv`. The first thing that is not as the writer leaves it is thrown, with its line and column.
    ///
    /// - Parameters:
    ///   - runs: the rows of `runs.csv` beside it, with which the calls agree.
    ///   - mayHoldOneMore: leaves out the calls of one more run at the end, which an interruption can leave behind.
    ///   - leavesOutContradictions: whether the calls of a run that its row tells otherwise of are left out instead of
    ///     refused.
    package static func read(
        _ bytes: [UInt8], file: String, runs: [RunRecord], mayHoldOneMore: Bool = false,
        leavesOutContradictions: Bool = false
    ) throws(CSVError) -> [CallRow] {
        let known = Dictionary(runs.map { ($0.runId, $0) }) { first, _ in first }
        var reader = try CSVReader(bytes, file: file, whenEmpty: "the file holds no header line")
        guard reader.header.map(\.text).starts(with: columns) else {
            let message = "the header does not begin with \(columns.joined(separator: ","))"
            throw CSVError(file: file, line: 1, column: 1, message: message)
        }
        var fields: [CSVToken] = []
        var rows: [CallRow] = []
        var seen: Set<String> = []
        var lines: [String: Int] = [:]
        var unknown: String?
        while try reader.next(into: &fields) {
            let row = try CallRow(fields, file)
            if leavesOutContradictions, known[row.runId]?.syscallsSource != "bpf" { continue }
            guard let run = known[row.runId], unknown == nil else {
                guard mayHoldOneMore, known[row.runId] == nil, unknown ?? row.runId == row.runId else {
                    let message = "the row is of a run that runs.csv does not hold: \(quotedExcerpt(row.runId))"
                    throw fields[0].problem(message, file: file)
                }
                unknown = row.runId
                continue
            }
            guard run.syscallsSource == "bpf" else {
                let source = quotedExcerpt(run.syscallsSource)
                let message = "the row is of run \(run.runId), whose syscalls_source is \(source) and not bpf"
                throw fields[0].problem(message, file: file)
            }
            guard seen.insert("\(row.runId),\(row.syscall)").inserted else {
                throw fields[1].problem("the row is the second of this run and this call", file: file)
            }
            rows.append(row)
            lines[row.runId] = lines[row.runId] ?? fields[0].line
        }
        let contradicting = contradictions(rows, runs)
        if let (run, calls) = contradicting.first, !leavesOutContradictions {
            let message =
                "the calls of run \(run.runId) add up to \(calls.csvText), and not to its syscalls_per_op, "
                + (run.syscallsPerOp ?? 0).csvText
            throw CSVError(file: file, line: lines[run.runId] ?? 1, column: 1, message: message)
        }
        let leftOut = Set(contradicting.map(\.run.runId))
        return rows.filter { !leftOut.contains($0.runId) }
    }

    /// The runs whose calls do not add up to what their rows say, and what they add up to.
    private static func contradictions(_ rows: [CallRow], _ runs: [RunRecord]) -> [(run: RunRecord, calls: Double)] {
        let sums = rows.reduce(into: [String: Double]()) { $0[$1.runId, default: 0] += $1.callsPerOp }
        return runs.compactMap { run in
            let total = run.syscallsPerOp ?? 0
            return sums[run.runId].flatMap { abs($0 - total) > 1e-9 * total ? (run, $0) : nil }
        }
    }

    private init(_ fields: [CSVToken], _ file: String) throws(CSVError) {
        (runId, syscall) = (fields[0].text, fields[1].text)
        let isName = syscall.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard isName, !syscall.isEmpty else {
            throw fields[1].error("column syscall is not the name of a system call", file: file)
        }
        callsPerOp = try fields[2].value(file: file, name: "calls_per_op")
    }
}
