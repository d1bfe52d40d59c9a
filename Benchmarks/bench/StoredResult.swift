import Foundation
import Meters
import Pictures
import Records

/// A result folder, read back.
struct StoredResult {
    let path: String
    let folder: PicturedFolder
    let description: StoredDescription
    /// What could not be read and can be done without.
    let notes: [String]

    /// Reads `runs.csv`, and what else is there.
    ///
    /// - Throws: ``Failure`` if there is no `runs.csv`, or it is not as the program leaves it.
    init(path: String) throws {
        self.path = path
        let records = try StoredFolder.rows(path)
        var notes: [String] = []
        var intervals: [HistogramLog.Interval] = []
        let log = path + "/latency.hlog"
        let withLatencies = records.count { ($0.latencySamples ?? 0) > 0 }
        if let bytes = FileManager.default.contents(atPath: log) {
            do {
                intervals = try HistogramLog.read([UInt8](bytes), file: log)
                if intervals.count != withLatencies {
                    notes.append(
                        "\(log) holds the latencies of \(intervals.count) runs and runs.csv those of \(withLatencies)")
                }
            } catch {
                notes.append("\(error.description), so there are no pictures of latencies")
            }
        } else if withLatencies > 0 {
            notes.append("\(path) holds no latency.hlog, so there are no pictures of latencies")
        }
        description = StoredDescription.read(path + "/run.json")
        self.notes = notes
        folder = PicturedFolder(
            name: path, records: records, intervals: intervals, kernel: description.machine?.kernel)
    }

    /// Reads all folders; says what could not be read on standard error.
    static func read(_ paths: [String]) throws -> [StoredResult] {
        let results = try paths.map { try StoredResult(path: trimmed($0)) }
        for note in results.flatMap(\.notes) { complain(note) }
        return results
    }

    /// The folders as pictures take them; two are compared as `bench compare` does.
    ///
    /// - Parameter isCompared: whether a comparison is wanted; without one the noise floor is not looked for.
    static func input(_ results: [StoredResult], isCompared: Bool = true) -> PictureInput {
        let folders = results.map(\.folder)
        guard results.count == 2, isCompared, shareAnArm(folders[0], folders[1]) else { return PictureInput(folders) }
        let areInterleaved = StoredFolder.wereInterleaved(results[0].path, results[1].path)
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

/// `run.json` as far as it can be read: of another version, or by hand, it may lack anything.
struct StoredDescription: Decodable {
    struct Machine: Decodable {
        var kernel: String?
        var architecture: String?
        var processor: String?
        var processors: Int?
        var memoryBytes: UInt64?
        var machineId: String?
        var clockSource: String?
        var governor: String?
        var somaxconn: Int?
        var descriptorLimit: UInt64?
    }

    var startedAt: String?
    var finishedAt: String?
    var arguments: [String]?
    var seed: UInt64?
    var build: String?
    var gitCommit: String?
    var machine: Machine?
    var warnings: [String]?
    var doctor: [Diagnosis]?
    var interrupted: Bool?

    /// Empty for a file that is missing or is not JSON of this form.
    static func read(_ path: String) -> StoredDescription {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let bytes = FileManager.default.contents(atPath: path)
        return bytes.flatMap { try? decoder.decode(StoredDescription.self, from: $0) } ?? StoredDescription()
    }
}
