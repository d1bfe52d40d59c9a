import Foundation
import Pictures

struct Gnuplot {
    private let program: String

    static let missing = "gnuplot is not installed; install it with: apt-get install gnuplot-nox"

    init?() {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let found = folders.map { $0 + "/gnuplot" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else { return nil }
        program = found
    }

    static func write(_ pictures: [Picture], into folder: String) throws {
        try makeFolder(folder, option: "--output")
        for picture in pictures {
            for (suffix, text) in [("dat", picture.data), ("gnuplot", picture.script)] {
                let file = "\(folder)/\(picture.name).\(suffix)"
                try writeFile(text, to: file, option: "--output", naming: "folder")
            }
        }
    }

    /// Writes and runs the scripts of pictures, each set in its folder, a few at a time.
    func draw(_ sets: [(folder: String, pictures: [Picture])]) throws {
        for (folder, pictures) in sets { try Self.write(pictures, into: folder) }
        let scripts = sets.flatMap { folder, pictures in pictures.map { (folder, "\($0.name).gnuplot") } }
        let parallel = max(2, ProcessInfo.processInfo.activeProcessorCount)
        for start in stride(from: 0, to: scripts.count, by: parallel) {
            let batch = scripts[start..<min(start + parallel, scripts.count)]
            let runs = try batch.map { folder, script in ("\(folder)/\(script)", try self.start(script, in: folder)) }
            for (script, process) in runs { try Self.finish(process, script) }
        }
    }

    private func start(_ script: String, in folder: String) throws -> ChildProcess.Running {
        do {
            // -d: without the user's own start-up files, which could change any picture.
            let child = ChildProcess(program: program, arguments: ["-d", script], folder: folder)
            return try ChildProcess.Running(child)
        } catch {
            throw Failure(.internalError, "\(program) cannot be run: \(error)")
        }
    }

    private static func finish(_ process: ChildProcess.Running, _ script: String) throws {
        // A picture takes a fraction of a second.
        let limitSeconds = 120.0
        let outcome = process.finish(limit: limitSeconds, nil)
        if outcome.ending == .exited(0) { return }
        let lines = outcome.complaints.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let said = lines.last { !$0.isEmpty && $0 != "^" }
        var reason = "it \(outcome.ending.phrase(limit: limitSeconds))"
        if case .exited = outcome.ending, let said { reason = said }
        throw Failure(.internalError, "gnuplot cannot draw \(script): \(reason)")
    }
}
