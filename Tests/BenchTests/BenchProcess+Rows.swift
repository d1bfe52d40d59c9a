import Foundation
import Records
import TestSupport

extension BenchProcess {
    /// What every short run is given: a drain, because a window of time can go by without a processor.
    static let short = ["--drain", "20", "--rounds", "1", "--output", "out"]

    /// The rows that it has written, read with the strict reader; of runs that were repeated, the last.
    func rows() throws -> [RunRecord] {
        try RunRecord.read(Array(text("out/runs.csv").utf8), file: "runs.csv").filter { $0.status != .void }
    }

    /// Waits until so many rows are on disk, or the process has ended.
    func waitForRows(_ count: Int) async throws {
        while isRunning && text("out/runs.csv").filter({ $0 == "\n" }).count <= count {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// True if `run.json` is JSON.
    var describesItself: Bool {
        let object = try? JSONSerialization.jsonObject(with: Data(text("out/run.json").utf8))
        return (object as? [String: Any])?["schema_version"] != nil
    }
}
