import ArgumentParser
import Foundation
import Histogram
import Records

/// Reads what a result folder holds; every error names the file and the place in it.
enum StoredFolder {
    /// The rows of a folder's `runs.csv`, checked against `run.json` if that lies beside it.
    ///
    /// - Parameter mayBeCutOff: leaves out a last line without its line feed, which a crash can leave behind, and does
    ///   not look at `run.json`.
    static func rows(_ folder: String, mayBeCutOff: Bool = false) throws -> [RunRecord] {
        let rows = try table(folder, mayBeCutOff: mayBeCutOff)
        if !mayBeCutOff { _ = try RunDescription.find(folder: folder, rows: rows) }
        return rows
    }

    /// The rows of a folder's `runs.csv`, whatever lies beside it.
    static func table(_ folder: String, mayBeCutOff: Bool = false) throws -> [RunRecord] {
        let file = folder + "/runs.csv"
        var bytes = try contents(file)
        if mayBeCutOff, let end = bytes.lastIndex(of: 0x0a) { bytes.removeSubrange((end + 1)...) }
        do {
            return try RunRecord.read(bytes, file: file)
        } catch {
            throw Failure(.usage, error.description)
        }
    }

    /// The latencies of a folder's runs: per row that has any, in the order of the rows.
    static func histograms(_ folder: String, of rows: [RunRecord]) throws -> [(RunRecord, Histogram<UInt64>)] {
        guard let intervals = try FolderCheck(folder, rows).intervals() else {
            throw Failure(.usage, "\(folder)/latency.hlog does not exist; name a folder that bench run wrote")
        }
        let withLatencies = rows.filter { ($0.latencySamples ?? 0) > 0 }
        return Array(zip(withLatencies, intervals.map(\.histogram)))
    }

    /// Whether two folders hold the sides of one interleaved comparison, whose rounds belong together.
    static func wereInterleaved(_ base: String, _ new: String) throws -> Bool {
        let sides = [base, new].map { URL(fileURLWithPath: $0).standardizedFileURL }
        let parents = sides.map { $0.deletingLastPathComponent().path }
        guard parents[0] == parents[1], FileManager.default.fileExists(atPath: parents[0] + "/compare.json") else {
            return false
        }
        let names = try InterleavedPlan.stored(in: parents[0]).sides.map(\.name)
        return sides.allSatisfy { names.contains($0.lastPathComponent) }
    }

    /// The bytes of a file.
    ///
    /// - Throws: ``Failure`` for a file that is missing or cannot be read.
    static func contents(_ file: String) throws -> [UInt8] {
        let manager = FileManager.default
        if let data = manager.contents(atPath: file) { return [UInt8](data) }
        let advice =
            manager.fileExists(atPath: file)
            ? "cannot be read" : "does not exist; name a folder that bench run wrote"
        throw Failure(.usage, "\(file) \(advice)")
    }

    /// Reads what can be read of several folders; what is broken is named on standard error, each in one line.
    ///
    /// - Throws: ``ExitCode`` if nothing could be read.
    static func readAll<Value>(
        _ paths: [String], _ read: (String) throws -> Value
    ) throws -> (values: [Value], isWhole: Bool) {
        var values: [Value] = []
        var failures: [Failure] = []
        for path in paths {
            do {
                values.append(try read(path))
            } catch let failure as Failure {
                failures.append(failure)
            }
        }
        for failure in failures { complain(failure.message + (values.isEmpty ? "" : "; the folder is left out")) }
        if values.isEmpty, let first = failures.first { throw ExitCode(first.exit.rawValue) }
        return (values, failures.isEmpty)
    }

    /// Takes out what is a copy of something else, and says so on standard error.
    ///
    /// - Returns: what is left, and whether it has every run.
    static func withoutCopies<Value>(
        _ values: [Value], name: (Value) -> String, rows: (Value) -> [RunRecord]
    ) -> (values: [Value], isWhole: Bool) {
        let copies = SharedRuns(values.map(rows)).copies
        for copy in copies {
            let (one, other) = (name(values[copy.index]), name(values[copy.original]))
            complain(
                copy.shared == copy.runs
                    ? "\(one) holds the runs of \(other) again; it is left out"
                    : "\(one) shares \(copy.shared) of its \(copy.runs) runs with \(other), \(copy.example) for one; "
                        + "it is left out, since a run must not count twice")
        }
        let left = Set(copies.map(\.index))
        return (
            values.indices.filter { !left.contains($0) }.map { values[$0] }, copies.allSatisfy { $0.shared == $0.runs }
        )
    }
}
