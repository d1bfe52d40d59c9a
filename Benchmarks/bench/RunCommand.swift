import ArgumentParser
import Foundation
import Meters
import Records
import Workloads

/// `bench run`, the default: runs every combination in every round and writes what it measured.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs a workload over modes; writes CSV and prints a table (default).")

    @OptionGroup var options: RunOptions

    func run() throws {
        let seed = options.seed ?? UInt64.random(in: 1...UInt64(Int32.max))
        let arms = try Arms(options, seed: seed)
        let machine = MachineFacts.read()
        try Preflight.check(arms.plans, machine: machine)
        if Build.name == "debug" {
            complain("this is a debug build, whose numbers mean nothing; build with -c release")
        }
        for note in arms.notes { complain("left out: \(note)") }

        let session = try RunSession(options, arms.plans, seed: seed, machine: machine)
        let rows = try session.run()
        if !options.quiet {
            print(summaryTable(for: rows, width: Terminal.columns, styled: Terminal.isStyled))
            for finding in findings(for: rows) { print(finding) }
            print("\nResults: \(session.folder.path)")
        }
        if session.interrupted { throw ExitCode(Exit.interrupted.rawValue) }
        let last = RunSession.lastTries(rows)
        if last.contains(where: { $0.status == .failed || $0.status == .void }) {
            throw ExitCode(Exit.runFailed.rawValue)
        }
        if last.allSatisfy({ $0.status == .unsupported }) {
            throw Failure(.nothingSupported, last.first?.reason ?? "nothing to run")
        }
    }
}

/// How this program was built.
enum Build {
    #if DEBUG
        static let name = "debug"
    #else
        static let name = "release"
    #endif
}
