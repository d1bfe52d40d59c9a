package import Foundation

/// Runs the scripts in `Scripts/` where a Python with the package they need is installed.
package enum Python {
    package static let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts")

    /// What `.ci/python` makes.
    private static let own = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../.build/python/bin/python3").standardized.path()

    /// A Python that can import `module`: that of `make test`, or the path's `python3`; `nil`, said on standard output,
    /// if neither can.
    package static func with(_ module: String) -> String? {
        let candidates = [own, "python3"]
        let found = candidates.first { (try? run([$0, "-c", "import \(module)"])) != nil }
        if found == nil {
            print("skipped: no python3 with the module \(module); .ci/python installs it")
        }
        return found
    }

    package struct Failure: Error {}

    /// Standard output of a command that succeeds.
    package static func run(_ command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
        return String(decoding: data, as: UTF8.self)
    }

    /// Calls `body` with the path of a new file that holds `text`, and removes the file.
    package static func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        return try body(file.path())
    }
}
