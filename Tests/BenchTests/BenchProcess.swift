import Foundation
import Records

/// The built `bench`, run as a process of its own in a folder of its own.
final class BenchProcess: Sendable {
    /// Beside the test bundle, where the package manager puts all products of a build.
    static let path: String = {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = tests.appending(path: "bench").path()
        print("bench under test: \(path)")
        return path
    }()

    /// What every short run is given: a drain, because a window of time can go by without a processor.
    static let short = ["--drain", "20", "--rounds", "1", "--output", "out"]

    let folder: URL
    private let process: Process
    private let ended: AsyncStream<Void>

    /// What a process that ended left behind.
    struct Outcome {
        let exit: Int32
        let endedBySignal: Bool
        let output: String
        let complaints: String

        /// The lines on standard error, without the warning that every debug build gives, and without those of runs
        /// that are repeated because another program let an accept queue overflow.
        var complaintLines: [Substring] {
            complaints.split(separator: "\n").filter { line in
                !["debug build", " is void: ", "counted by the loops"].contains { line.contains($0) }
            }
        }
    }

    /// Starts `bench` with the arguments, or with `command` in front of them.
    init(_ arguments: [String], under command: [String] = [], environment: [String: String] = [:]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command + [Self.path] + arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let files = try ["stdout", "stderr"].map { [folder] name in
            let file = folder.appending(path: name)
            try Data().write(to: file)
            return try FileHandle(forWritingTo: file)
        }
        (process.standardOutput, process.standardError) = (files[0], files[1])
        process.standardInput = FileHandle.nullDevice
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        ended = stream
        process.terminationHandler = { _ in continuation.finish() }
        try process.run()
        for file in files { try file.close() }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    var processID: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end.
    func wait() async -> Outcome {
        for await _ in ended {}
        process.waitUntilExit()
        return Outcome(
            exit: process.terminationStatus, endedBySignal: process.terminationReason == .uncaughtSignal,
            output: text("stdout"), complaints: text("stderr"))
    }

    /// The text of a file in the process's folder, empty if there is none.
    func text(_ name: String) -> String {
        (try? Data(contentsOf: folder.appending(path: name))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The rows that it has written, read with the strict reader; of runs that were repeated, the last.
    func rows() throws -> [RunRecord] {
        try RunRecord.read(Array(text("out/runs.csv").utf8), file: "runs.csv").filter { $0.status != .void }
    }

    /// Waits until so many rows are on disk, or the process has ended.
    func waitForRows(_ count: Int) async throws {
        while isRunning && text("out/runs.csv").filter({ $0 == "\n" }).count <= count {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// True if `run.json` is JSON.
    var describesItself: Bool {
        let object = try? JSONSerialization.jsonObject(with: Data(text("out/run.json").utf8))
        return (object as? [String: Any])?["schema_version"] != nil
    }

    /// Runs to the end.
    static func run(
        _ arguments: [String], under command: [String] = [], environment: [String: String] = [:]
    ) async throws -> (process: BenchProcess, outcome: Outcome) {
        let process = try BenchProcess(arguments, under: command, environment: environment)
        return (process, await process.wait())
    }
}

/// True if the path's programs have this one; said on standard output if not.
func isInstalled(_ program: String) -> Bool {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let found = folders.contains { access("\($0)/\(program)", X_OK) == 0 }
    if !found { print("skipped: \(program) is not installed") }
    return found
}

/// True if a command succeeds here; said on standard output if not.
func succeeds(_ command: [String], need: String) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let worked = (try? process.run()) != nil
    if worked { process.waitUntilExit() }
    if worked && process.terminationStatus == 0 { return true }
    print("skipped: \(need)")
    return false
}
