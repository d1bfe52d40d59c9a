import Foundation
import Records

/// A result folder, read back: its rows, and the files beside them, each of which agrees with the rows or is refused with
/// its place.
struct StoredFolder {
    let path: String
    let rows: [RunRecord]

    /// Reads `runs.csv`, and checks `run.json` if that lies beside it.
    init(_ path: String) throws {
        try self.init(rowsOf: path)
        _ = try description()
    }

    /// Reads `runs.csv`, whatever lies beside it.
    ///
    /// - Parameter mayBeCutOff: leaves out a last line without its line feed, which a crash can leave behind.
    init(rowsOf path: String, mayBeCutOff: Bool = false) throws {
        self.path = path
        rows = try Self.parsed(path + "/runs.csv") { bytes, file throws(CSVError) in
            let end = mayBeCutOff ? bytes.lastIndex(of: 0x0a).map { $0 + 1 } : nil
            return try RunRecord.read(Array(bytes[..<(end ?? bytes.count)]), file: file)
        }
    }

    func description() throws -> RunDescription? { try RunDescription.find(folder: path, rows: rows) }

    /// What a file holds; `advice` says what to do about one that is broken.
    static func parsed<Value>(
        _ file: String, advice: String = "", _ parse: ([UInt8], String) throws(CSVError) -> Value
    ) throws -> Value {
        let manager = FileManager.default
        guard let data = manager.contents(atPath: file) else {
            let isThere = manager.fileExists(atPath: file)
            let reason = isThere ? "cannot be read" : "does not exist; name a folder that bench run wrote"
            throw Failure(.usage, "\(file) \(reason)")
        }
        do {
            return try parse([UInt8](data), file)
        } catch {
            throw Failure(.usage, error.description + advice)
        }
    }
}
