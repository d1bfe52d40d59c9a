import Foundation
import Meters
import Records

/// What is stored of a machine to compare with: a result folder for each workload, and the noise floor.
struct Baseline {
    /// The folder that holds both.
    let path: String

    private static let root = "results/baseline"

    /// Of the machine.
    init(machine: MachineFacts) { self.init(machineID: machine.machineID) }

    /// Of the machine with this fingerprint.
    init(machineID: String) { path = "\(Self.root)/\(machineID)" }

    /// Of counts per operation, which do not depend on the machine.
    static let counts = Baseline(path: "\(root)/counts")

    /// In a folder that the user names.
    init(path: String) { self.path = path }

    /// The result folders, by name.
    var folders: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().filter { FileManager.default.fileExists(atPath: "\(path)/\($0)/runs.csv") }
    }

    /// The program that measured them; not kept in version control.
    var program: String { path + "/bench" }

    /// Where the noise floor lies.
    var noiseFloorFile: String { path + "/noise-floor.json" }

    /// The stored noise floor; `nil` if there is none.
    func noiseFloor() throws -> NoiseFloor? {
        guard FileManager.default.fileExists(atPath: noiseFloorFile) else { return nil }
        let bytes = try StoredFolder.contents(noiseFloorFile)
        do {
            return try NoiseFloor.read(bytes, file: noiseFloorFile)
        } catch {
            throw Failure(.usage, "\(error.description); run bench calibrate again")
        }
    }

    /// Writes the noise floor aside and renames it.
    func store(_ floor: NoiseFloor) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try makeFolder(path, advice: "name a folder that you may write with --baseline")
        let text = String(decoding: try encoder.encode(floor), as: UTF8.self) + "\n"
        try ResultFolder(path: path, rows: []).replace("noise-floor.json", text)
    }

    /// The noise floor of `machine` if it was calibrated and is still valid.
    static func noiseFloor(for machine: MachineFacts) -> NoiseFloor? {
        guard let floor = try? Baseline(machine: machine).noiseFloor() else { return nil }
        return floor.refusal(machineId: machine.machineID, kernel: machine.kernel) == nil ? floor : nil
    }
}
