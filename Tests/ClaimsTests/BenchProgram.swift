import Foundation

/// The program as a user runs it.
enum Bench {
    struct Run {
        var status: Int32
        var output: String
        var error: String
    }

    /// - Parameters:
    ///   - descriptors: how many it may have; as many as this process if nil.
    ///   - isOffline: in a network namespace of its own, whose loopback interface is down.
    static func run(_ arguments: [String], descriptors: Int? = nil, isOffline: Bool = false) throws -> Run {
        // It is built beside the tests.
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        let program = try program(above: tests)
        if isOffline {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
            process.arguments = ["-n", program.path] + arguments
        } else if let descriptors {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\"", program.path] + arguments
        } else {
            process.executableURL = program
            process.arguments = arguments
        }
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        // Errors are a line or two, and fit into the pipe.
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        let errors = try error.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Run(
            status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            error: String(decoding: errors, as: UTF8.self))
    }

    private static func program(above tests: String) throws -> URL {
        let candidates = [tests] + CommandLine.arguments
        for candidate in candidates {
            var folder = URL(fileURLWithPath: candidate).deletingLastPathComponent()
            for _ in 0..<4 {
                let program = folder.appending(path: "bench")
                if FileManager.default.isExecutableFile(atPath: program.path) && !isFolder(program) { return program }
                folder.deleteLastPathComponent()
            }
        }
        throw CocoaError(.fileNoSuchFile)
    }

    private static func isFolder(_ url: URL) -> Bool {
        (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
    }
}
