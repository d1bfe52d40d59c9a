import Foundation
import Records

/// What is stored of a machine to compare with: a result folder for each workload, and the noise floor.
struct Baseline {
    let path: String

    private static let root = "results/baseline"

    init(path: String) { self.path = path }

    init(machineID: String) { path = "\(Self.root)/\(machineID)" }

    /// Of counts per operation, which do not depend on the machine.
    static let counts = Baseline(path: "\(root)/counts")

    var folders: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().filter { FileManager.default.fileExists(atPath: "\(path)/\($0)/runs.csv") }
    }

    /// The program that measured them; not kept in version control.
    var program: String { path + "/bench" }

    var noiseFloorFile: String { path + "/noise-floor.json" }

    func noiseFloor() throws -> NoiseFloor? {
        guard FileManager.default.fileExists(atPath: noiseFloorFile) else { return nil }
        return try StoredFolder.parsed(noiseFloorFile, advice: "; run bench calibrate again") {
            bytes, file throws(CSVError) in try NoiseFloor.read(bytes, file: file)
        }
    }

    func store(_ floor: NoiseFloor) throws {
        try makeFolder(path, option: "--baseline")
        try ResultFolder(path: path, rows: []).replace("noise-floor.json", floor.storedJSON())
    }
}
