package import Statistics

/// A line of `capacity.csv`: one run of a search for the highest rate that holds a bound.
package struct CapacityStep: Sendable, Equatable {
    /// What came of it.
    package enum Outcome: String, Sendable, CaseIterable {
        case held
        /// A percentile was above its bound.
        case latency
        /// Datagrams got no answer.
        case loss
        /// More was waiting at the end than a server that holds the bound has in hand.
        case backlog
        /// The clients themselves started too late.
        case lag
        /// Other programs took so much of the machine that the run was made again.
        case disturbed
        /// It failed or was void, or too few operations completed for the percentile.
        case failed
    }

    /// The run, a `run_id` of `runs.csv`.
    package var runId: String
    /// From 1.
    package var step: Int
    package var kind: CapacitySearch.Kind
    /// Operations offered per second.
    package var ratePerS: Double
    /// Length of the window, in seconds.
    package var durationS: Double
    package var servedOpsPerS: Double
    /// The first bound's percentile; nil if there were too few latencies.
    package var latencyNs: UInt64?
    package var outcome: Outcome

    package init(
        runId: String, step: Int, kind: CapacitySearch.Kind, ratePerS: Double, durationS: Double, servedOpsPerS: Double,
        latencyNs: UInt64?, outcome: Outcome
    ) {
        self.runId = runId
        self.step = step
        self.kind = kind
        self.ratePerS = ratePerS
        self.durationS = durationS
        self.servedOpsPerS = servedOpsPerS
        self.latencyNs = latencyNs
        self.outcome = outcome
    }

    private static let columns = [
        "run_id", "step", "kind", "rate_per_s", "duration_s", "served_ops_per_s", "latency_ns", "outcome",
    ]

    package static let csvHeader = CSV.row(columns)

    package func csvRow() -> String {
        CSV.row([
            runId, step.csvText, kind.rawValue, ratePerS.csvText, durationS.csvText, servedOpsPerS.csvText,
            latencyNs.csvText, outcome.rawValue,
        ])
    }

    /// The rows of a `capacity.csv`. The first thing that is not as the writer leaves it is thrown, with its line and
    /// column.
    ///
    /// - Parameters:
    ///   - runs: the rows of `runs.csv` beside it, which have the runs that were searched for.
    ///   - mayHoldOneMore: leaves out the steps of one more run at the end, which an interruption can leave behind.
    package static func read(
        _ bytes: [UInt8], file: String, runs: [RunRecord], mayHoldOneMore: Bool = false
    ) throws(CSVError) -> [CapacityStep] {
        let known = Set(runs.filter { !$0.slo.isEmpty }.map(\.runId))
        var rows: [CapacityStep] = []
        var unknown: String?
        for fields in try CSVReader.rows(bytes, file: file, header: csvHeader) {
            let row = try CapacityStep(fields, file)
            guard known.contains(row.runId), unknown == nil else {
                guard mayHoldOneMore, !known.contains(row.runId), unknown ?? row.runId == row.runId else {
                    let message = "the row is of a run with a bound that runs.csv does not hold: "
                    throw fields[0].problem(message + quotedExcerpt(row.runId), file: file)
                }
                unknown = row.runId
                continue
            }
            let before = rows.last.map { $0.runId == row.runId ? $0.step : 0 } ?? 0
            guard row.step == before + 1 else {
                throw fields[1].error("column step is not \(before + 1), which follows", file: file)
            }
            rows.append(row)
        }
        return rows
    }

    private init(_ fields: [CSVToken], _ file: String) throws(CSVError) {
        func word<Word: RawRepresentable & CaseIterable>(_ index: Int) throws(CSVError) -> Word
        where Word.RawValue == String {
            if let word = Word(rawValue: fields[index].text) { return word }
            let names = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields[index].error("column \(Self.columns[index]) is not one of \(names)", file: file)
        }
        func value<Value: CSVField>(_ index: Int) throws(CSVError) -> Value {
            try fields[index].value(file: file, name: Self.columns[index])
        }
        runId = fields[0].text
        step = try value(1)
        kind = try word(2)
        ratePerS = try value(3)
        durationS = try value(4)
        servedOpsPerS = try value(5)
        latencyNs = try value(6)
        outcome = try word(7)
    }
}
