import Foundation
import Meters
import Pictures
import Records

/// A result folder, read back.
struct StoredResult {
    let path: String
    let folder: PicturedFolder
    /// `nil` if `run.json` is missing or broken.
    let description: RunDescription?
    /// What is broken or missing and can be done without.
    let notes: [String]
    /// What of it is broken.
    let problems: [String]

    /// Reads `runs.csv`, and what else is there and not broken.
    ///
    /// - Throws: ``Failure`` if there is no `runs.csv`, or it is not as the program leaves it.
    init(path: String) throws {
        self.path = path
        let records = try StoredFolder.table(path)
        let check = FolderCheck(path, records)
        problems = check.problems()
        let intervals = try? check.intervals()
        description = (try? RunDescription.find(folder: path, rows: records)) ?? nil
        let lacksLog = !FileManager.default.fileExists(atPath: path + "/latency.hlog")
        let hasLatencies = records.contains { ($0.latencySamples ?? 0) > 0 }
        let missing = lacksLog && hasLatencies ? ["\(path) holds no latency.hlog"] : []
        notes = (problems + missing).map { note in
            note.contains("latency.hlog") ? "\(note), so there are no pictures of latencies" : note
        }
        folder = PicturedFolder(
            name: path, records: records, intervals: intervals ?? [], kernel: description?.machine.kernel)
    }

    /// Reads all folders that can be read, each once; says on standard error what is broken or left out.
    ///
    /// - Throws: ``ExitCode`` if none can be read.
    static func read(_ paths: [String]) throws -> (results: [StoredResult], isWhole: Bool) {
        let read = try StoredFolder.readAll(paths.map(trimmed)) { try StoredResult(path: $0) }
        let left = StoredFolder.withoutCopies(read.values, name: \.path) { $0.folder.records }
        for note in left.values.flatMap(\.notes) { complain(note) }
        let areWhole = left.values.allSatisfy(\.problems.isEmpty)
        return (left.values, read.isWhole && left.isWhole && areWhole)
    }

    /// The folders as pictures take them; two are compared as `bench compare` does.
    ///
    /// - Parameter isCompared: whether a comparison is wanted; without one the noise floor is not looked for.
    static func input(_ results: [StoredResult], isCompared: Bool = true) -> PictureInput {
        let folders = results.map(\.folder)
        guard results.count == 2, isCompared, shareAnArm(folders[0], folders[1]) else { return PictureInput(folders) }
        let areInterleaved = (try? StoredFolder.wereInterleaved(results[0].path, results[1].path)) ?? false
        var options = ComparisonOptions(design: areInterleaved ? .paired : .unpaired)
        options.noiseFloor = NoiseFloors.forRuns(in: results[0].path, of: folders[0].records)
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
