/// A line of `calls.csv`: how often the workers of a run made one system call, as the kernel counted it.
public struct CallRow: Sendable, Equatable {
    /// The run, a `run_id` of `runs.csv`.
    public var runId: String
    /// The call's name, `syscall_N` for a number without one.
    public var syscall: String
    /// Calls per operation.
    public var callsPerOp: Double

    /// Takes its fields.
    public init(runId: String, syscall: String, callsPerOp: Double) {
        self.runId = runId
        self.syscall = syscall
        self.callsPerOp = callsPerOp
    }

    /// The names of the columns.
    private static let columns = ["run_id", "syscall", "calls_per_op"]

    /// The header line of `calls.csv`, with its LF.
    public static let csvHeader = CSV.row(columns)

    /// The line, with its LF.
    public func csvRow() -> String { CSV.row([runId, syscall, callsPerOp.csvText]) }

    /// The calls of one run, the most frequent first.
    public static func rows(runId: String, _ callsPerOp: [String: Double]) -> [CallRow] {
        callsPerOp.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { CallRow(runId: runId, syscall: $0.key, callsPerOp: $0.value) }
    }

    /// The rows of a `calls.csv`. The first thing that is not as the writer leaves it is thrown, with its line and column.
    ///
    /// - Parameters:
    ///   - file: how errors call the file.
    ///   - runs: the rows of `runs.csv` beside it, with which the calls agree.
    ///   - mayHoldOneMore: leaves out the calls of one more run at the end, which an interruption can leave behind.
    ///   - leavesOutContradictions: whether the calls of a run that its row tells otherwise of are left out instead of
    ///     refused.
    public static func read(
        _ bytes: [UInt8], file: String, runs: [RunRecord], mayHoldOneMore: Bool = false,
        leavesOutContradictions: Bool = false
    ) throws(CSVError) -> [CallRow] {
        let known = Dictionary(runs.map { ($0.runId, $0) }) { first, _ in first }
        var tokenizer = CSVTokenizer(bytes, file: file)
        var fields: [CSVToken] = []
        guard try tokenizer.next(into: &fields) else {
            throw CSVError(file: file, line: 1, column: 1, message: "the file holds no header line")
        }
        guard fields.map(\.text).starts(with: columns) else {
            let message = "the header does not begin with \(columns.joined(separator: ","))"
            throw CSVError(file: file, line: 1, column: 1, message: message)
        }
        let width = fields.count
        var rows: [CallRow] = []
        var seen: Set<String> = []
        var counted: [String: (calls: Double, line: Int)] = [:]
        var unknown: String?
        while try tokenizer.next(into: &fields) {
            guard fields.count == width else {
                throw problem(fields[fields.count - 1], "has \(fields.count) fields where the header has \(width)")
            }
            let row = try parse(fields, file)
            if leavesOutContradictions, known[row.runId]?.syscallsSource != "bpf" { continue }
            guard let run = known[row.runId], unknown == nil else {
                guard mayHoldOneMore, known[row.runId] == nil, unknown ?? row.runId == row.runId else {
                    throw problem(fields[0], "is of a run that runs.csv does not hold: \(quotedExcerpt(row.runId))")
                }
                unknown = row.runId
                continue
            }
            guard run.syscallsSource == "bpf" else {
                let source = quotedExcerpt(run.syscallsSource)
                throw problem(fields[0], "is of run \(run.runId), whose syscalls_source is \(source) and not bpf")
            }
            guard seen.insert("\(row.runId),\(row.syscall)").inserted else {
                throw problem(fields[1], "is the second of this run and this call")
            }
            rows.append(row)
            counted[row.runId, default: (0, fields[0].line)].calls += row.callsPerOp
        }
        for run in runs {
            guard let (calls, line) = counted[run.runId] else { continue }
            let total = run.syscallsPerOp ?? 0
            guard abs(calls - total) > 1e-9 * total else { continue }
            if leavesOutContradictions {
                rows.removeAll { $0.runId == run.runId }
            } else {
                let message =
                    "the calls of run \(run.runId) add up to \(calls.csvText), and not to its syscalls_per_op, "
                throw CSVError(file: file, line: line, column: 1, message: message + "\(total.csvText)")
            }
        }
        return rows

        func problem(_ token: CSVToken, _ message: String) -> CSVError {
            CSVError(file: file, line: token.line, column: token.column, message: "the row \(message)")
        }
    }

    private static func parse(_ fields: [CSVToken], _ file: String) throws(CSVError) -> CallRow {
        func problem(_ index: Int, _ message: String) -> CSVError {
            let token = fields[index]
            let text = "column \(columns[index]) \(message): \(quotedExcerpt(token.text))"
            return CSVError(file: file, line: token.line, column: token.column, message: text)
        }
        let name = fields[1].text
        let isName =
            !name.isEmpty && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard isName else { throw problem(1, "is not the name of a system call") }
        do throws(FieldProblem) {
            let calls = try Double.parse(fields[2].text, in: 0...Double.greatestFiniteMagnitude)
            return CallRow(runId: fields[0].text, syscall: name, callsPerOp: calls)
        } catch {
            throw problem(2, error.message)
        }
    }
}
