import ArgumentParser
import Foundation
import Records

extension StoredFolder {
    /// Reads what can be read of several folders; what is broken is named on standard error, each in one line. Throws
    /// if nothing could be read.
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

    /// Like ``readAll(_:_:)``, without copies, of which it complains; also whether what is left has every run.
    static func readDistinct<Value>(
        _ paths: [String], name: (Value) -> String, rows: (Value) -> [RunRecord], _ read: (String) throws -> Value
    ) throws -> (values: [Value], isWhole: Bool) {
        let (values, isWhole) = try readAll(paths, read)
        let copies = SharedRuns(values.map(rows)).copies
        for copy in copies {
            let (one, other) = (name(values[copy.index]), name(values[copy.original]))
            complain(
                copy.shared == copy.runs
                    ? "\(one) holds the runs of \(other) again; it is left out"
                    : "\(one) shares \(copy.shared) of its \(copy.runs) runs with \(other), \(copy.example) for one; "
                        + "it is left out, since a run must not count twice")
        }
        let left = values.indices.filter { index in !copies.contains { $0.index == index } }
        return (left.map { values[$0] }, isWhole && copies.allSatisfy { $0.shared == $0.runs })
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
}
