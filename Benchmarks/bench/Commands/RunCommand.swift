import ArgumentParser
import Records
import Reports

/// `bench run`, the default: runs every combination in every round and writes what it measured.
///
/// Its options are the command itself and not a group of it, since the parser checks each level of groups several times.
extension RunOptions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs a workload over modes; writes CSV and prints a table (default).",
        discussion: "bench run --workload W --help shows the options of that workload only.")

    func run() throws {
        let session = try resume.map(resumed) ?? RunSession(self)
        for note in session.notes where resume == nil { complain("left out: \(note)") }
        Build.warnIfDebug()
        let rows = try session.run()
        if session.interrupted {
            if !quiet { printWholeRuns(rows) }
            throw Failure(.interrupted, "interrupted; to go on: \(resumeCommand("run", session.folder.path))")
        }
        if let loss = session.agentLoss {
            if !quiet { printWholeRuns(rows) }
            throw Failure(.runFailed, "\(loss); to go on: \(resumeCommand("run", session.folder.path))")
        }
        if !quiet {
            print(summaryTable(for: rows, width: Terminal.columns, styled: Terminal.isStyled))
            for finding in findings(for: rows) { say(finding) }
            print()
            say("Results: \(session.folder.path)")
        }
        let last = RunSession.lastTries(rows)
        if last.contains(where: { $0.status == .failed || $0.status == .void }) {
            throw ExitCode(Exit.runFailed.rawValue)
        }
        if last.allSatisfy({ $0.status == .unsupported }) {
            throw Failure(.nothingSupported, last.first?.reason ?? "nothing to run")
        }
    }

    private func resumed(_ folder: String) throws -> RunSession {
        let others = CommandLine.arguments.dropFirst().filter {
            !["run", "--quiet", "--resume", folder, "--resume=\(folder)"].contains($0)
        }
        guard others.isEmpty else {
            let extra = others.joined(separator: " ")
            throw Failure(.usage, "--resume takes the options from \(folder); leave out \(extra)")
        }
        return try RunSession(resuming: folder, quiet: quiet)
    }
}
