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

    @Option(
        help: "Goes on with the interrupted invocation that wrote this folder, with its options, seed and order.")
    var resume: String?

    func run() throws {
        let session = try resume.map(resumed) ?? newSession()
        let rows = try session.run()
        if session.interrupted {
            if !options.quiet { printWholeRuns(rows) }
            throw Failure(.interrupted, "interrupted; to go on: \(resumeCommand("run", session.folder.path))")
        }
        if !options.quiet {
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

    private func newSession() throws -> RunSession {
        let seed = options.seed ?? UInt64.random(in: 1...UInt64(Int32.max))
        let arms = try Arms(options, seed: seed)
        let machine = MachineFacts.read()
        for note in arms.notes { complain("left out: \(note)") }
        // A comparison runs one mode at a time: the row tells it why there is no other.
        let plans = try Preflight.checked(arms.plans, machine: machine, keepsRefused: options.only != nil)
        warnOfDebugBuild()
        return try RunSession(options, plans, seed: seed, machine: machine)
    }

    /// The rest of an invocation. What it ran before and what it runs now must be comparable.
    private func resumed(_ folder: String) throws -> RunSession {
        let others = CommandLine.arguments.dropFirst().filter {
            !["run", "--quiet", "--resume", folder, "--resume=\(folder)"].contains($0)
        }
        guard others.isEmpty else {
            let extra = others.joined(separator: " ")
            throw Failure(.usage, "--resume takes the options from \(folder); leave out \(extra)")
        }
        let description = try RunDescription.read(folder: folder)
        let machine = MachineFacts.read()
        guard description.machine.machineID == machine.machineID else {
            throw Failure(
                .noBaseline, "\(folder) was begun on \(description.machine.machineID), this is \(machine.machineID)")
        }
        guard description.gitCommit == builtCommit, description.build == Build.name else {
            throw Failure(
                .usage,
                "\(folder) was begun with the \(description.build) build of \(description.gitCommit), this is the "
                    + "\(Build.name) build of \(builtCommit); begin anew")
        }
        var options = try RunOptions.stored(description)
        options.output = folder
        options.quiet = self.options.quiet
        let arms = try Arms(options, seed: description.seed)
        let plans = try Preflight.checked(arms.plans, machine: machine)
        return try RunSession(options, plans, resuming: ResultFolder(resuming: folder), description)
    }
}

/// Says so where the numbers will be those of a debug build.
func warnOfDebugBuild() {
    if Build.name == "debug" { complain("this is a debug build, whose numbers mean nothing; build with -c release") }
}

extension RunOptions {
    /// The options that an invocation was given.
    static func stored(_ description: RunDescription) throws -> RunOptions {
        let stored = description.arguments
        let arguments = stored.first == "run" ? stored.dropFirst() : stored[...]
        do {
            return try RunOptions.parse(Array(arguments))
        } catch {
            let asked = arguments.joined(separator: " ")
            throw Failure(.usage, "this version does not take the stored options '\(asked)'; measure anew")
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
