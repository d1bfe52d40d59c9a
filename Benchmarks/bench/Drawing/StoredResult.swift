import Foundation
import Meters
import Pictures
import Records
import Reports

/// A result folder as pictures and reports take it: what of it is broken or missing is a note.
struct StoredResult {
    let stored: StoredFolder
    let folder: PicturedFolder
    /// `nil` if `run.json` is missing or broken.
    let description: RunDescription?
    /// What is broken or missing and can be done without.
    let notes: [String]
    let isWhole: Bool

    var path: String { stored.path }

    /// Reads `runs.csv`, which must be there and whole, and what else is.
    init(path: String) throws {
        stored = try StoredFolder(rowsOf: path)
        let problems = stored.problems()
        isWhole = problems.isEmpty
        description = (try? stored.description()) ?? nil
        let lacksLog = !FileManager.default.fileExists(atPath: path + "/latency.hlog")
        let hasLatencies = stored.rows.contains { ($0.latencySamples ?? 0) > 0 }
        let missing = lacksLog && hasLatencies ? ["\(path) holds no latency.hlog"] : []
        notes = (problems + missing).map { note in
            note.contains("latency.hlog") ? "\(note), so there are no pictures of latencies" : note
        }
        folder = PicturedFolder(
            name: path, records: stored.rows, intervals: (try? stored.intervals()) ?? [],
            steps: (try? stored.capacitySteps()) ?? [], kernel: description?.machine.kernel)
    }

    /// Reads all folders that can be read, each once; complains of what is broken or left out.
    static func read(_ paths: [String]) throws -> (results: [StoredResult], isWhole: Bool) {
        let (results, isWhole) = try StoredFolder.readDistinct(
            paths.map(trimmed), name: \.path, rows: \.stored.rows
        ) { try StoredResult(path: $0) }
        for note in results.flatMap(\.notes) { complain(note) }
        return (results, isWhole && results.allSatisfy(\.isWhole))
    }

    /// The folders as pictures take them; two are compared, where that is wanted, as `bench compare` does.
    static func input(_ results: [StoredResult], isCompared: Bool = true) -> PictureInput {
        let folders = results.map(\.folder)
        guard results.count == 2, isCompared, shareAnArm(folders[0], folders[1]) else { return PictureInput(folders) }
        let areInterleaved = (try? StoredFolder.wereInterleaved(results[0].path, results[1].path)) ?? false
        var options = ComparisonOptions(design: areInterleaved ? .paired : .unpaired)
        options.noiseFloor = NoiseFloors.forRuns(in: results[0].stored)
        return PictureInput(folders, comparison: options)
    }

    /// Folders of different workloads, say, lie side by side in a report and are not compared.
    private static func shareAnArm(_ one: PicturedFolder, _ other: PicturedFolder) -> Bool {
        let arms = Set(ArmRuns.group(one.records).map(\.arm))
        return ArmRuns.group(other.records).contains { arms.contains($0.arm) }
    }

    private static func trimmed(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? trimmed(String(path.dropLast())) : path
    }
}
