import Foundation
import Histogram
import Records

/// Reads what a result folder holds; every error names the file and the place in it.
enum StoredFolder {
    /// The rows of a folder's `runs.csv`.
    ///
    /// - Parameter mayBeCutOff: leaves out a last line without its line feed, which a crash can leave behind.
    static func rows(_ folder: String, mayBeCutOff: Bool = false) throws -> [RunRecord] {
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
        let file = folder + "/latency.hlog"
        let intervals: [HistogramLog.Interval]
        do {
            intervals = try HistogramLog.read(try contents(file), file: file)
        } catch let error as CSVError {
            throw Failure(.usage, error.description)
        }
        let withLatencies = rows.filter { ($0.latencySamples ?? 0) > 0 }
        let matches = zip(withLatencies, intervals).allSatisfy { $0.mode == $1.tag }
        guard withLatencies.count == intervals.count, matches else {
            throw Failure(
                .usage, "\(file) holds other runs than runs.csv beside it; both must come from one invocation")
        }
        return Array(zip(withLatencies, intervals.map(\.histogram)))
    }

    /// Whether two folders hold the sides of one interleaved comparison, whose rounds belong together.
    static func wereInterleaved(_ base: String, _ new: String) -> Bool {
        let parents = [base, new].map { URL(fileURLWithPath: $0).standardizedFileURL.deletingLastPathComponent().path }
        return parents[0] == parents[1] && FileManager.default.fileExists(atPath: parents[0] + "/compare.json")
    }

    private static func contents(_ file: String) throws -> [UInt8] {
        let manager = FileManager.default
        if let data = manager.contents(atPath: file) { return [UInt8](data) }
        let advice =
            manager.fileExists(atPath: file)
            ? "cannot be read" : "does not exist; name a folder that bench run wrote"
        throw Failure(.usage, "\(file) \(advice)")
    }
}
