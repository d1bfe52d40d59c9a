import Claims
import Foundation
import Histogram
import Records

/// The files beside `runs.csv`. One that is missing is `nil`, since a folder of rows alone is of use too.
extension StoredFolder {
    static let callsFile = "calls.csv"
    static let capacityFile = "capacity.csv"

    private var withLatencies: [RunRecord] { rows.filter { ($0.latencySamples ?? 0) > 0 } }

    /// Checks every file; what is wrong, a line for each broken file.
    func problems() -> [String] {
        let checks: [() throws -> Void] = [
            { _ = try description() }, { _ = try intervals() }, checkPercentiles,
            { _ = try calls(leavesOutContradictions: false) }, { _ = try capacitySteps() }, { _ = try claims() },
        ]
        return checks.compactMap { check in
            do {
                try check()
                return nil
            } catch {
                return (error as? Failure)?.message ?? "\(path): \(error)"
            }
        }
    }

    /// A run is written to the other files before its row: whatever interrupts an invocation may leave one more there.
    private var mayEndBeforeFiles: Bool { !rows.contains { $0.status == .ok } }

    private func read<Value>(_ name: String, _ parse: ([UInt8], String) throws(CSVError) -> Value) throws -> Value? {
        let file = "\(path)/\(name)"
        return FileManager.default.fileExists(atPath: file) ? try Self.parsed(file, parse) : nil
    }

    /// The latencies of the runs: per row that has any, in the order of the rows.
    func histograms() throws -> [(RunRecord, Histogram<UInt64>)] {
        guard let intervals = try intervals() else {
            throw Failure(.usage, "\(path)/latency.hlog does not exist; name a folder that bench run wrote")
        }
        return Array(zip(withLatencies, intervals.map(\.histogram)))
    }

    /// The histograms of `latency.hlog`, one for each row that has latencies, in the order of the rows.
    func intervals() throws -> [HistogramLog.Interval]? {
        try read("latency.hlog") { bytes, file throws(CSVError) in
            var intervals = try HistogramLog.read(bytes, file: file)
            let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated()
                .filter { $0.element.starts(with: "Tag=".utf8) }.map { $0.offset + 1 }
            func error(_ index: Int, _ message: String) -> CSVError {
                CSVError(file: file, line: lines[index], column: 1, message: message)
            }
            for (index, (row, interval)) in zip(withLatencies, intervals).enumerated() {
                if interval.tag != HistogramLog.tag(row.mode) {
                    throw error(index, "the interval is of \(interval.tag), and run \(row.runId) of \(row.mode)")
                }
                if interval.histogram.totalCount != row.latencySamples ?? 0 {
                    throw error(
                        index,
                        "the histogram holds \(interval.histogram.totalCount) samples, and run \(row.runId) has "
                            + "\(row.latencySamples ?? 0)")
                }
                if abs(interval.lengthSeconds - (row.durationS ?? interval.lengthSeconds)) > 0.001 {
                    throw error(index, "the interval is not as long as run \(row.runId)")
                }
            }
            if intervals.count == withLatencies.count + 1, mayEndBeforeFiles { intervals.removeLast() }
            guard intervals.count == withLatencies.count else {
                let last = min(intervals.count, withLatencies.count)
                let line = last < lines.count ? lines[last] : (lines.last ?? 1)
                throw CSVError(
                    file: file, line: line, column: 1,
                    message: "the log holds other runs than runs.csv beside it, \(intervals.count) and not "
                        + "\(withLatencies.count); both must come from one invocation")
            }
            return intervals
        }
    }

    func checkPercentiles() throws {
        _ = try read("percentiles.csv") { bytes, file throws(CSVError) in
            var runs = try PercentileRows.read(bytes, file: file)
            if runs.count == withLatencies.count + 1, mayEndBeforeFiles { runs.removeLast() }
            let known = Dictionary(withLatencies.map { ($0.runId, $0) }) { first, _ in first }
            for run in runs {
                func error(_ message: String) -> CSVError {
                    CSVError(file: file, line: run.line, column: 1, message: "run \(run.runId) \(message)")
                }
                guard let row = known[run.runId] else {
                    throw error("is not in runs.csv beside it; both must come from one invocation")
                }
                guard row.mode == run.mode, row.workload == run.workload else {
                    throw error("is of \(row.workload) and \(row.mode) in runs.csv")
                }
                guard row.latencySamples == run.samples, row.latencyMaxNs ?? run.longest == run.longest else {
                    throw error("has another number of samples or another longest latency than in runs.csv")
                }
            }
            if let missing = Set(known.keys).subtracting(runs.map(\.runId)).min() {
                throw CSVError(
                    file: file, line: 1, column: 1, message: "run \(missing) of runs.csv beside it is missing")
            }
        }
    }

    /// The rows of `calls.csv`; empty where there is no such file, as in folders of before it.
    ///
    /// - Parameter leavesOutContradictions: whether the calls of a run that `runs.csv` tells otherwise of are left out
    ///   instead of refused: they explain what the rows say, so that where both disagree the rows decide.
    func calls(leavesOutContradictions: Bool = true) throws -> [CallRow] {
        try read(Self.callsFile) { bytes, file throws(CSVError) in
            try CallRow.read(
                bytes, file: file, runs: rows, mayHoldOneMore: mayEndBeforeFiles,
                leavesOutContradictions: leavesOutContradictions)
        } ?? []
    }

    /// The rows of `capacity.csv`; empty where there is no such file, as in folders of before it.
    func capacitySteps() throws -> [CapacityStep] {
        try read(Self.capacityFile) { bytes, file throws(CSVError) in
            try CapacityStep.read(bytes, file: file, runs: rows, mayHoldOneMore: mayEndBeforeFiles)
        } ?? []
    }

    func claims() throws -> CSVTable? {
        try read("claims.csv") { bytes, file throws(CSVError) in
            _ = try ClaimRecord.read(bytes, file: file, verdicts: ClaimVerdict.allCases.map(\.rawValue))
            return try CSVTable(bytes, file: file)
        }
    }
}
