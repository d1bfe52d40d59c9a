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
    var interrupted: Bool

    /// JSON with sorted keys in snake case, as the columns are named.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
