import Foundation
import Glibc
import Histogram
import Records
import SystemPackage

/// The files of one invocation.
///
/// Rows are appended and flushed as they come, marked `partial`; when the invocation ends, `runs.csv` is written
/// aside with what each row finally is, and renamed. So whatever happens, the files on disk are valid.
final class ResultFolder {
    let path: String
    private(set) var rows: [RunRecord] = []
    private let startedAt: Date

    init(path: String, rows: [RunRecord], startedAt: Date = Date()) {
        self.path = path
        self.rows = rows
        self.startedAt = startedAt
    }

    /// Creates the folder, which must be new or empty, and the empty files.
    convenience init(path: String, startedAt: Date) throws {
        try Self.prepare(path)
        self.init(path: path, rows: [], startedAt: startedAt)
        let start = startedAt.timeIntervalSince1970
        try replace("runs.csv", RunRecord.csvHeader)
        try replace("percentiles.csv", PercentileRows.csvHeader)
        try replace(StoredFolder.callsFile, CallRow.csvHeader)
        try replace(StoredFolder.capacityFile, CapacityStep.csvHeader)
        try replace("latency.hlog", HistogramLog.header(startSeconds: start, date: startedAt.formatted(.iso8601)))
    }

    static func create(_ path: String) throws -> ResultFolder {
        try prepare(path)
        return ResultFolder(path: path, rows: [])
    }

    /// `results/<UTC time>-<suffix>`, with a number behind it if another invocation of the same second has that.
    static func freshName(_ suffix: String, at date: Date = Date()) -> String {
        let stamp = date.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
        let name = "results/\(stamp)" + (suffix.isEmpty ? "" : "-\(suffix)")
        let names = [name] + (2...99).map { "\(name)-\($0)" }
        return names.first { !FileManager.default.fileExists(atPath: $0) } ?? name
    }

    var age: Double { Date().timeIntervalSince(startedAt) }

    private static func prepare(_ path: String) throws {
        let manager = FileManager.default
        var isFolder: ObjCBool = false
        if unsafe manager.fileExists(atPath: path, isDirectory: &isFolder) {
            guard isFolder.boolValue else { throw Failure(.usage, "\(path) is a file; name a folder with --output") }
            if let contents = try? manager.contentsOfDirectory(atPath: path), !contents.isEmpty {
                throw Failure(.usage, "\(path) is not empty; name a new folder with --output")
            }
        }
        try makeFolder(path, option: "--output")
        guard unsafe access(path, W_OK | X_OK) == 0 else {
            throw outputFailure(Errno(rawValue: errno), path, option: "--output")
        }
    }

    /// Adds one run to all files, the row last: what has no row is taken out again when the invocation is resumed.
    func append(
        _ record: RunRecord, _ latencies: Histogram<UInt64>, _ calls: [CallRow] = [], _ steps: [CapacityStep] = [],
        startSeconds: Double
    ) throws {
        rows.append(record)
        if (record.latencySamples ?? 0) > 0 {
            let interval = HistogramLog.Interval(
                tag: record.mode, startSeconds: startSeconds, lengthSeconds: record.durationS ?? 0,
                histogram: latencies)
            try append("latency.hlog", HistogramLog.line(interval))
            let percentiles = PercentileRows.csv(
                runId: record.runId, mode: record.mode, workload: record.workload, histogram: latencies)
            try append("percentiles.csv", percentiles)
        }
        if !steps.isEmpty { try append(StoredFolder.capacityFile, steps.map { $0.csvRow() }.joined()) }
        if !calls.isEmpty { try append(StoredFolder.callsFile, calls.map { $0.csvRow() }.joined()) }
        try append("runs.csv", Self.whileRunning(record).csvRow())
    }

    /// Writes what every row finally is. Of an interrupted invocation no row says `ok`.
    func finish(interrupted: Bool) throws -> [RunRecord] {
        if interrupted {
            for index in rows.indices where rows[index].status == .ok {
                (rows[index].status, rows[index].reason) = (.partial, Self.interruptedAfter)
            }
        }
        try replace("runs.csv", RunRecord.csvHeader + rows.map { $0.csvRow() }.joined())
        return rows
    }

    func replace(_ name: String, _ text: String) throws {
        do {
            try replaceFile(path + "/" + name, text)
        } catch {
            throw failure(error, name)
        }
    }

    /// Appends to a file, or leaves it as it was.
    private func append(_ name: String, _ text: String) throws {
        let file = path + "/" + name
        let descriptor = unsafe open(file, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(Errno(rawValue: errno), name) }
        defer { Glibc.close(descriptor) }
        let length = lseek(descriptor, 0, SEEK_END)
        guard writeAll(descriptor, text), fdatasync(descriptor) == 0 else {
            let error = Errno(rawValue: errno)
            ftruncate(descriptor, length)
            throw failure(error, name)
        }
    }

    private func failure(_ error: Errno, _ name: String) -> Failure {
        Failure(.runFailed, "\(path)/\(name): \(error.named)" + (rows.isEmpty ? "" : "; rows written before are whole"))
    }
}
