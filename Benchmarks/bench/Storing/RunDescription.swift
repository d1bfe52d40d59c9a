import Foundation
import Meters
import Records

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
    /// The machine of the servers; nil where it is the same.
    var serverMachine: MachineFacts?
    /// Modes in the order in which they ran, a list for each round.
    var order: [[String]]
    var warnings: [String]
    /// What moves measurements on this machine and how it stood when the runs began.
    var doctor: [Diagnosis]?
    var interrupted: Bool
    /// What `bench choose` says, the recommendation first.
    var answer: [String]?

    static func read(folder: String) throws -> RunDescription {
        guard let description = try find(folder: folder) else {
            throw Failure(.usage, "\(folder)/run.json cannot be read; name a folder that bench run wrote")
        }
        return description
    }

    /// The description in a result folder, checked to be of the invocation of `rows`; `nil` if there is none.
    static func find(folder: String, rows: [RunRecord] = []) throws -> RunDescription? {
        let file = folder + "/run.json"
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        return try StoredFolder.parsed(file) { bytes, file throws(CSVError) in
            let json = try JSONText(bytes, file: file)
            let description = try json.decode(RunDescription.self)
            try description.check(json)
            try description.check(json, rows: rows)
            return description
        }
    }

    private func check(_ json: JSONText) throws(CSVError) {
        func require(_ holds: Bool, _ path: [String], _ message: String) throws(CSVError) {
            if !holds { throw json.error(at: path, message) }
        }
        let version = RunRecord.currentSchemaVersion
        try require(
            schemaVersion == version, ["schema_version"], "is \(schemaVersion); this version of bench reads \(version)")
        let noTime = "is not a time of ISO 8601 with its offset"
        try require(Timestamp(startedAt) != nil, ["started_at"], noTime)
        try require(finishedAt.map { Timestamp($0) != nil } ?? true, ["finished_at"], noTime)
        try require(["release", "debug"].contains(build), ["build"], "is neither release nor debug")
        try require(machine.processors > 0, ["machine", "processors"], "is not above 0")
        try require(!machine.machineID.isEmpty, ["machine", "machine_id"], "is empty")
    }

    /// Rows that were left out by hand do no harm, and those of another invocation do.
    private func check(_ json: JSONText, rows: [RunRecord]) throws(CSVError) {
        for row in rows {
            let pairs: [(path: [String], here: String, there: String)] = [
                (["git_commit"], gitCommit, row.gitCommit),
                (["seed"], String(seed), row.seed.map(String.init) ?? String(seed)),
            ]
            for (path, here, there) in pairs where here != there {
                throw json.error(at: path, "is \(here), and \(there) in run \(row.runId) of runs.csv beside it")
            }
            // Written at the end, so it can lack rounds; a comparison's block holds runs of other processes too.
            guard order.indices.contains(row.round - 1), order[row.round - 1].indices.contains(row.orderInRound - 1)
            else { continue }
            let mode = order[row.round - 1][row.orderInRound - 1]
            if mode != row.mode {
                throw json.error(
                    at: ["order", String(row.round - 1), String(row.orderInRound - 1)],
                    "is \(mode), and \(row.mode) in run \(row.runId) of runs.csv beside it")
            }
        }
    }
}
