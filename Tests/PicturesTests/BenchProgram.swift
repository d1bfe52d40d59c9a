import Foundation

/// The `bench` that was built beside the tests.
enum BenchProgram {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    /// - Parameter path: `PATH` of the program; that of the tests if `nil`.
    static func run(_ arguments: [String], path: String? = nil) throws -> Result {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = Bundle.main.executableURL?.deletingLastPathComponent().appending(path: "bench")
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        if let path {
            process.environment = ProcessInfo.processInfo.environment.merging(["PATH": path]) { _, new in new }
        }
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complained = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: String(decoding: said, as: UTF8.self),
            errors: String(decoding: complained, as: UTF8.self))
    }

    /// Whether there is a gnuplot; says on standard output if not.
    static let hasGnuplot: Bool = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let found = folders.contains { FileManager.default.isExecutableFile(atPath: $0 + "/gnuplot") }
        if !found { print("skipped: gnuplot is not installed; install it with: apt-get install gnuplot-nox") }
        return found
    }()
}

/// A folder that is removed with the value.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "pictures-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: "\(path)/\(name)")), as: UTF8.self)
    }

    var contents: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}
