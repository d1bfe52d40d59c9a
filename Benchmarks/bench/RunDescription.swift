import Foundation
import Meters

/// `run.json`: what an invocation was asked for, on what machine, and what it warned of.
struct RunDescription: Codable {
    var schemaVersion: Int
    var startedAt: String
    var finishedAt: String?
    var arguments: [String]
    var seed: UInt64
    var build: String
    var gitCommit: String
    var machine: MachineFacts
    /// Modes in the order in which they ran, a list for each round.
    var order: [[String]]
    var warnings: [String]
    /// What moves measurements on this machine and how it stood when the runs began.
    var doctor: [Diagnosis]?
    var interrupted: Bool

    /// JSON with sorted keys in snake case, as the columns are named.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// Reads the description in a result folder.
    static func read(folder: String) throws -> RunDescription {
        let file = folder + "/run.json"
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(.usage, "\(file) cannot be read; name a folder that bench run wrote")
        }
        do {
            return try decoder.decode(RunDescription.self, from: data)
        } catch {
            throw Failure(.usage, "\(file) is not a description of runs that this version writes")
        }
    }
}
