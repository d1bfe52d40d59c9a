import Foundation
import Pictures

/// The gnuplot that is installed.
struct Gnuplot {
    private let program: String

    /// What to say where there is none.
    static let missing = "gnuplot is not installed; install it with: apt-get install gnuplot-nox"

    /// `nil` if the path has no gnuplot.
    init?() {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let found = folders.map { $0 + "/gnuplot" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else { return nil }
        program = found
    }

    /// Writes the scripts and data of `pictures` into a folder.
    static func write(_ pictures: [Picture], into folder: String) throws {
        let advice = "name a folder that you may write with --output"
        try makeFolder(folder, advice: advice)
        for picture in pictures {
            for (suffix, text) in [("dat", picture.data), ("gnuplot", picture.script)] {
                try writeFile(text, to: "\(folder)/\(picture.name).\(suffix)", advice: advice)
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
            let runs = try batch.map { try Run(program, script: $0.1, in: $0.0) }
            for run in runs { try run.finish() }
        }
    }

    /// A picture takes a fraction of a second.
    private static let limitSeconds = 120.0

    private struct Run {
        private let process: ChildProcess.Running
        private let script: String

        init(_ program: String, script: String, in folder: String) throws {
            self.script = "\(folder)/\(script)"
            // -d: without the user's own start-up files, which could change any picture.
            let child = ChildProcess(program: program, arguments: ["-d", script], folder: folder)
            do {
                process = try child.start()
            } catch {
                throw Failure(.internalError, "\(program) cannot be run: \(error)")
            }
        }

        func finish() throws {
            let outcome = process.finish(limit: Gnuplot.limitSeconds, nil)
            let lines = outcome.complaints.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            let said = lines.last { !$0.isEmpty && $0 != "^" }
            let reason: String
            switch outcome.ending {
            case .exited(0): return
            case .exited(let code): reason = said ?? "exit code \(code)"
            case .signalled(let signal): reason = "it was ended by signal \(signal)"
            case .notStarted: reason = Gnuplot.missing
            case .tooLong, .tooMuch, .interrupted: reason = "it did not end within \(Int(Gnuplot.limitSeconds)) s"
            }
            throw Failure(.internalError, "gnuplot cannot draw \(script): \(reason)")
        }
    }
}
