import Foundation

/// The built `bench`, run as a process of its own.
public final class BenchProcess: Sendable {
    /// Beside the test bundle, where the package manager puts all products of a build.
    public static let path: String = {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = tests.appending(path: "bench").path()
        print("bench under test: \(path)")
        return path
    }()

    /// How a process ended and what it said.
    public struct Outcome: Sendable {
        /// The exit code, or less than 0: the signal that ended it.
        public let exit: Int32
        /// Standard output.
        public let output: String
        /// Standard error.
        public let complaints: String

        /// What a test composes of the outcomes of several processes.
        public init(exit: Int32, output: String, complaints: String) {
            (self.exit, self.output, self.complaints) = (exit, output, complaints)
        }

        /// True if it did not end with an exit code.
        public var endedBySignal: Bool { exit < 0 }

        /// The lines on standard error but for those that a debug build, a busy machine and a user without privileges
        /// give rise to, and for the last line of standard output, which is repeated where they lead to different places.
        public var complaintLines: [Substring] {
            let expected = [
                "this is a debug build", "no noise floor is known", "counted by the loops", " is void: ",
            ]
            return complaints.split(separator: "\n").filter { line in
                !expected.contains { line.contains($0) } && line != lastLine
            }
        }

        /// The last line on standard output; empty if there is none.
        public var lastLine: Substring { output.split(separator: "\n").last ?? "" }
    }

    /// Where it runs.
    public let folder: URL
    private let ownsFolder: Bool
    private let process: Process
    private let ended: AsyncStream<Void>
    private let files: [URL]

    /// Starts `bench` with the arguments.
    ///
    /// - Parameters:
    ///   - command: stands in front of the program and its arguments.
    ///   - folder: where it runs; a folder of its own, which is removed with this value, if not given.
    ///   - environment: is added to that of the tests.
    public init(
        _ arguments: [String], under command: [String] = [], in folder: URL? = nil, environment: [String: String] = [:]
    ) throws {
        ownsFolder = folder == nil
        self.folder = folder ?? FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command + [Self.path] + arguments
        process.currentDirectoryURL = self.folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.standardInput = FileHandle.nullDevice
        // To files, since a full pipe would stop the process.
        let suffix = ownsFolder ? "" : "-\(UUID().uuidString)"
        files = ["stdout", "stderr"].map { [folder = self.folder] in folder.appending(path: $0 + suffix) }
        for file in files { try Data().write(to: file) }
        let handles = try files.map { try FileHandle(forWritingTo: $0) }
        (process.standardOutput, process.standardError) = (handles[0], handles[1])
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        ended = stream
        process.terminationHandler = { _ in continuation.finish() }
        try process.run()
        for handle in handles { try handle.close() }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        if ownsFolder { try? FileManager.default.removeItem(at: folder) }
    }

    /// Names it to the kernel.
    public var processID: Int32 { process.processIdentifier }
    /// True until it has ended.
    public var isRunning: Bool { process.isRunning }

    /// Sends it a signal.
    public func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end.
    public func wait() async -> Outcome {
        for await _ in ended {}
        return waitBlocking()
    }

    /// Waits for the end, and blocks the thread until then.
    public func waitBlocking() -> Outcome {
        process.waitUntilExit()
        let texts = files.map { String(decoding: (try? Data(contentsOf: $0)) ?? Data(), as: UTF8.self) }
        let status = process.terminationStatus
        return Outcome(
            exit: process.terminationReason == .exit ? status : -status, output: texts[0], complaints: texts[1])
    }

    /// The text of a file in the process's folder, empty if there is none.
    public func text(_ name: String) -> String {
        (try? Data(contentsOf: folder.appending(path: name))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Runs to the end.
    public static func run(
        _ arguments: [String], under command: [String] = [], environment: [String: String] = [:]
    ) async throws -> (process: BenchProcess, outcome: Outcome) {
        let process = try BenchProcess(arguments, under: command, environment: environment)
        return (process, await process.wait())
    }

    /// Runs to the end, and blocks the thread until then.
    public static func outcome(
        _ arguments: [String], under command: [String] = [], environment: [String: String] = [:]
    ) throws -> Outcome {
        try BenchProcess(arguments, under: command, environment: environment).waitBlocking()
    }

    /// What stands in front of a program that may have so many descriptors.
    public static func limited(descriptors: Int) -> [String] {
        ["sh", "-c", "ulimit -n \(descriptors) && exec \"$0\" \"$@\""]
    }
}

/// True if the path's programs have this one; said on standard output if not.
public func isInstalled(_ program: String) -> Bool {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let found = folders.contains { access("\($0)/\(program)", X_OK) == 0 }
    if !found { print("skipped: \(program) is not installed") }
    return found
}
