import Foundation
import Records
import TestSupport

/// A folder of its own in which `bench` is run, several times over.
final class BenchFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path() }

    func write(_ name: String, _ text: String) throws {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func write(_ name: String, rows: [RunRecord]) throws {
        try write(name + "/runs.csv", RunRecord.csvHeader + rows.map { Self.completed($0).csvRow() }.joined())
    }

    /// The row with what its test had no need to set, without which no file that holds it is read.
    private static func completed(_ row: RunRecord) -> RunRecord {
        var row = row
        if row.status != .ok && row.reason.isEmpty { row.reason = "as the test has it" }
        if let throughput = row.throughputOpsPerS, let seconds = row.durationS, row.perWorkerOps.isEmpty {
            row.operations = UInt64((throughput * seconds).rounded())
        }
        if let samples = row.latencySamples, samples > 0, row.latencyKind == nil {
            row.latencyKind = row.ratePerS == nil ? .fromCall : .fromScheduledStart
        }
        return row
    }

    func text(_ name: String) -> String {
        (try? Data(contentsOf: url.appending(path: name))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func rows(_ folder: String) throws -> [RunRecord] {
        try RunRecord.read(Array(text(folder + "/runs.csv").utf8), file: folder)
    }

    /// Starts `bench` here.
    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> BenchProcess {
        try BenchProcess(arguments, in: url, environment: environment)
    }

    /// Runs `bench` here to its end.
    func bench(_ arguments: [String], environment: [String: String] = [:]) async throws -> BenchProcess.Outcome {
        try await start(arguments, environment: environment).wait()
    }

    func bench(_ arguments: String) async throws -> BenchProcess.Outcome {
        try await bench(arguments.split(separator: " ").map(String.init))
    }
}

/// Rows as `bench run` would write them.
func storedRows(
    _ mode: String = "epoll-et", rounds: Int = 10, cost: Double = 5_000, noise: Double = 0.01, machine: String = "m1",
    edit: (inout RunRecord) -> Void = { _ in }
) -> [RunRecord] {
    (1...rounds).map { round in
        let minute = String(100 + (10 + round) / 60).dropFirst()
        let second = String(100 + (10 + round) % 60).dropFirst()
        var record = RunRecord()
        (record.runId, record.startedAt) = ("\(mode)-\(round)", "2026-01-31T12:\(minute):\(second)Z")
        (record.gitCommit, record.machineId, record.build) = ("0123abc", machine, "release")
        (record.workload, record.mode) = ("accept", mode)
        (record.topology, record.listener) = ("set-per-worker", "shared")
        (record.workers, record.clients, record.connections) = (1, 1, 64)
        (record.round, record.orderInRound) = (round, 1)
        record.status = .ok
        record.durationS = 1
        record.operations = 100_000
        record.throughputOpsPerS = 100_000
        // Scattered, but the same every time.
        record.serverCpuNsPerOp = cost * (1 + noise * (Double(round * 37 % 11) / 5 - 1))
        record.syscallsPerOp = 3
        record.wakeupsPerOp = 1
        edit(&record)
        if ["crr", "read"].contains(record.workload) { record.protocol = "echo" }
        return record
    }
}

/// A `compare.json` as `bench compare --binaries` writes it.
let comparePlan = """
    {
      "arguments" : [], "blocks" : 10, "interrupted" : false, "max_blocks" : 20, "modes" : ["epoll-et"], "order" : [],
      "schema_version" : 1, "seed" : 1, "sides" : [
        { "binary" : "/old/bench", "modified_at" : "2026-01-31T12:00:00Z", "name" : "base", "size_bytes" : 1 },
        { "binary" : "/new/bench", "modified_at" : "2026-01-31T12:00:00Z", "name" : "new", "size_bytes" : 1 }
      ]
    }

    """

/// A `run.json` as `bench run` writes it beside ``storedRows(_:rounds:cost:noise:machine:edit:)``.
let runDescription = """
    {
      "arguments" : ["run", "--mode", "et"],
      "build" : "release",
      "git_commit" : "0123abc",
      "interrupted" : false,
      "machine" : {
        "architecture" : "x86_64", "clock_source" : "tsc", "descriptor_limit" : 20000, "kernel" : "6.18.0",
        "machine_id" : "m1", "memory_bytes" : 1000000000, "processor" : "Some", "processors" : 2, "somaxconn" : 4096
      },
      "order" : [["epoll-et"], ["epoll-et"]],
      "schema_version" : 1,
      "seed" : 7,
      "started_at" : "2026-01-31T12:00:00Z",
      "warnings" : []
    }

    """
