import ArgumentParser
import Foundation
import Meters

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compares this program with the stored baseline; exits with 2 if it regressed. For CI.",
        discussion: """
            bench check --update                stores a baseline: this program and what it measures
            bench check                         runs both, interleaved, and compares
            bench check --counts-only           system calls, wakeups and allocations per operation only: fast, and
                                                the same on every machine

            Without the baseline's program, as in a fresh clone, the stored numbers are compared as compare does with \
            two folders. What this system cannot run ends with 3, unless --allow-missing is given. The last line names \
            the outcome and the largest change.
            """)

    @Flag(help: "Stores a new baseline instead of comparing with the old one.")
    var update = false

    @Flag(help: "Only counts per operation, in short runs with one connection.")
    var countsOnly = false

    @Option(help: "Folder of the baseline; results/baseline/<machine> or, for counts, results/baseline/counts.")
    var baseline: String?

    @OptionGroup var programs: InterleavedOptions

    @Flag(help: "No progress: only the table.")
    var quiet = false

    @OptionGroup var arguments: ComparisonArguments

    @Argument(parsing: .postTerminator, help: "With --update: options of bench run, for one workload.")
    var runOptions: [String] = []

    func run() throws {
        let machine = MachineFacts.read()
        let stored =
            baseline.map(Baseline.init(path:)) ?? (countsOnly ? .counts : Baseline(machineID: machine.machineID))
        guard update || runOptions.isEmpty else {
            throw Failure(
                .usage, "options of bench run belong to check --update; the baseline holds those it was made with")
        }
        if update || countsOnly, let option = programs.given.first(where: { !["--seed", "--output"].contains($0) }) {
            throw Failure(
                .usage,
                "\(option) belongs to a check that runs both programs; \(update ? "--update" : "--counts-only") takes "
                    + "its rounds from the options of bench run that are stored; leave it out")
        }
        Build.warnIfDebug()
        if update {
            return try BaselineUpdate(baseline: stored, countsOnly: countsOnly, seed: programs.seed, quiet: quiet)
                .run(runOptions)
        }
        guard !stored.folders.isEmpty else {
            throw Failure(.noBaseline, "no baseline in \(stored.path); bench check --update stores one")
        }
        let scratch = programs.output ?? FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())").path
        defer { if programs.output == nil { try? FileManager.default.removeItem(atPath: scratch) } }
        complainOfLoopCounts()
        let check = BaselineCheck(
            baseline: stored, machine: machine, arguments: arguments, countsOnly: countsOnly,
            programs: programs, output: scratch, quiet: quiet)
        try tellingTheOutcome { try check.run() }
    }
}
