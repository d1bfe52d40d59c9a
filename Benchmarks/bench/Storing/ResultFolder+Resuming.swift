import Foundation
import Records

extension ResultFolder {
    /// Why a finished run is marked partial while its invocation goes on.
    static let notEnded = "the invocation had not ended when this row was written"
    /// Why a finished run is marked partial after its invocation was interrupted.
    static let interruptedAfter = "the invocation was interrupted; this run is whole"

    /// Opens the folder of an interrupted invocation, keeps its finished runs, and takes out what was written of a run
    /// that had no row yet.
    convenience init(resuming path: String) throws {
        let rows = try StoredFolder(rowsOf: path, mayBeCutOff: true).rows.map(Self.asEnded).map(\.repeatable)
        self.init(path: path, rows: rows)
        let withLatencies = rows.filter { ($0.latencySamples ?? 0) > 0 }
        let names = Set(withLatencies.map(\.runId))
        // Ids hold neither comma nor quote, so the first field is what stands before the first comma.
        try keepLines("percentiles.csv") { line, number in
            number == 0 || names.contains(String(line.prefix { $0 != "," }))
        }
        let ids = Set(rows.map(\.runId))
        let files = [(StoredFolder.callsFile, CallRow.csvHeader), (StoredFolder.capacityFile, CapacityStep.csvHeader)]
        for (name, header) in files {
            try keepLines(name, header: header) { line, _ in ids.contains(String(line.prefix { $0 != "," })) }
        }
        var intervals = 0
        try keepLines("latency.hlog") { line, _ in
            guard line.hasPrefix("Tag=") else { return true }
            intervals += 1
            return intervals <= withLatencies.count
        }
        try replace("runs.csv", RunRecord.csvHeader + rows.map { Self.whileRunning($0).csvRow() }.joined())
    }

    /// A row as it stands in the file while the invocation goes on.
    static func whileRunning(_ record: RunRecord) -> RunRecord {
        guard record.status == .ok else { return record }
        var record = record
        (record.status, record.reason) = (.partial, notEnded)
        return record
    }

    /// A row with the status that the run itself had.
    static func asEnded(_ record: RunRecord) -> RunRecord {
        guard [notEnded, interruptedAfter].contains(record.reason) else { return record }
        var record = record
        (record.status, record.reason) = (.ok, "")
        return record
    }

    /// Rewrites a file with the whole lines for which `isKept` holds, under a header if that is given.
    private func keepLines(_ name: String, header: String = "", isKept: (Substring, Int) -> Bool) throws {
        let text = (try? String(contentsOfFile: path + "/" + name, encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let kept = lines.enumerated().filter { isKept($0.element, $0.offset) }.map { $0.element + "\n" }
        try replace(name, header + kept.joined())
    }
}
