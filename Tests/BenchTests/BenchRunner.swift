import Foundation
import Records
import TestSupport

/// What `bench --workload wake` left behind.
struct BenchRunner {
    let exit: Int32
    /// The lines on standard error, without the warning that every debug build gives.
    let complaints: [Substring]
    let rows: [RunRecord]

    /// Runs it with these options, with at most so many descriptors if a limit is given.
    init(_ options: [String], descriptorLimit: Int? = nil) throws {
        let process = try BenchProcess(
            ["--workload", "wake", "--rounds", "1", "--output", "out"] + options,
            under: descriptorLimit.map(BenchProcess.limited) ?? [])
        let outcome = process.waitBlocking()
        exit = outcome.endedBySignal ? 128 - outcome.exit : outcome.exit
        complaints = outcome.complaintLines
        let table = process.text("out/runs.csv")
        rows = table.isEmpty ? [] : try RunRecord.read(Array(table.utf8), file: "runs.csv")
    }
}
