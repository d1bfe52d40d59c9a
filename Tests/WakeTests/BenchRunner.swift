import Foundation
import Records

/// The built `bench`, run to its end in a folder of its own.
struct BenchRunner {
    let exit: Int32
    /// The lines on standard error, without the warning that every debug build gives.
    let complaints: [Substring]
    let rows: [RunRecord]

    /// Beside the test bundle, where the package manager puts all products of a build.
    private static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "bench").path()

    /// Runs `bench --workload wake` with these options, with at most so many descriptors if a limit is given.
    init(_ options: [String], descriptorLimit: Int? = nil) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "wake-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let errors = folder.appending(path: "stderr")
        try Data().write(to: errors)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let limit = descriptorLimit.map { "ulimit -n \($0) && " } ?? ""
        process.arguments =
            ["-c", limit + "exec \"$0\" \"$@\"", Self.path, "--workload", "wake", "--rounds", "1", "--output", "out"]
            + options
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        exit = process.terminationStatus
        complaints = String(decoding: try Data(contentsOf: errors), as: UTF8.self).split(separator: "\n")
            .filter { !$0.contains("debug build") }
        let file = folder.appending(path: "out/runs.csv")
        rows = try (try? Data(contentsOf: file)).map { try RunRecord.read([UInt8]($0), file: "runs.csv") } ?? []
    }
}
