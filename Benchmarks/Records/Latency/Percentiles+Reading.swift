extension PercentileRows {
    package struct Run: Equatable, Sendable {
        package var runId: String
        package var mode: String
        package var workload: String
        package var samples: UInt64
        package var longest: UInt64
        package var line: Int
    }

    /// The runs of a `percentiles.csv`, in the order of the file.
    ///
    /// The lines of a run stand together and are of one mode and workload; their quantiles rise from 0 to 1, and neither
    /// latency nor count falls.
    package static func read(_ bytes: [UInt8], file: String) throws(CSVError) -> [Run] {
        var runs: [Run] = []
        var names: Set<String> = []
        var before: Line?
        for tokens in try CSVReader.rows(bytes, file: file, header: csvHeader) {
            let line = try Line(tokens, file: file)
            if let last = before, last.runId == line.runId {
                try line.check(after: last)
                (runs[runs.count - 1].samples, runs[runs.count - 1].longest) = (line.count, line.latency)
            } else {
                if let last = before { try last.checkEnd() }
                guard names.insert(line.runId).inserted else {
                    throw line.error(0, "stands apart from its other lines")
                }
                guard line.quantile == 0 else { throw line.error(3, "is not 0 in the first line of a run") }
                runs.append(
                    Run(
                        runId: line.runId, mode: line.mode, workload: line.workload, samples: line.count,
                        longest: line.latency, line: tokens[0].line))
            }
            before = line
        }
        try before?.checkEnd()
        return runs
    }

    private struct Line {
        let runId: String
        let mode: String
        let workload: String
        let quantile: Double
        let latency: UInt64
        let count: UInt64
        private let tokens: [CSVToken]
        private let file: String

        init(_ tokens: [CSVToken], file: String) throws(CSVError) {
            self.tokens = tokens
            self.file = file
            (runId, mode, workload) = (tokens[0].text, tokens[1].text, tokens[2].text)
            quantile = try tokens[3].value(in: 0...1, file: file, name: "quantile")
            latency = try tokens[4].value(file: file, name: "latency_ns")
            count = try tokens[5].value(file: file, name: "count")
            if runId.isEmpty { throw error(0, "is empty") }
            if count == 0 { throw error(5, "is 0: no sample lies at the latency") }
        }

        func error(_ column: Int, _ message: String) -> CSVError {
            let names = ["run_id", "mode", "workload", "quantile", "latency_ns", "count"]
            return tokens[column].error("column \(names[column]) \(message)", file: file)
        }

        func check(after last: Line) throws(CSVError) {
            guard mode == last.mode else { throw error(1, "is not that of the run's line before") }
            guard workload == last.workload else { throw error(2, "is not that of the run's line before") }
            guard quantile > last.quantile else { throw error(3, "does not rise") }
            guard latency >= last.latency else { throw error(4, "falls") }
            guard count >= last.count else { throw error(5, "falls, but it is cumulative") }
        }

        func checkEnd() throws(CSVError) {
            if quantile != 1 { throw error(3, "is not 1 in the last line of a run") }
        }
    }
}
