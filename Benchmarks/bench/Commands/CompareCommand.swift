import ArgumentParser
import Foundation
import Loops
import Meters
import Records
import Reports

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Tells whether runs, modes or two builds of bench differ; exits with 2 if the new side regressed.",
        discussion: """
            bench compare A B                           two result folders
            bench compare --modes et,multishot DIR      two modes of one folder
            bench compare --binaries OLD NEW -- --mode et    two builds of bench, interleaved; options of bench run after --
            bench compare --servers OLD NEW -- --workload read --protocol http    two commands of servers, likewise

            A metric regressed or improved if the interval of its ratio lies wholly beyond the margin, the larger of \
            --min-effect and the noise floor of bench calibrate. Where the first blocks leave doubt, --binaries goes \
            on to --max-blocks.

            Of two folders that were not measured interleaved, what lies within --drift is inconclusive, but for counts \
            that do not depend on the load: what the machine did in between passes for a change of the code. The last \
            line names the outcome and the largest change. What one side lacks ends with 3, unless --allow-missing is \
            given.
            """)

    @Argument(help: "Result folder: the base, or with --modes the only one.")
    var base: String?

    @Argument(help: "Result folder: the new side.")
    var new: String?

    @Option(help: "Two modes of one folder, separated by a comma.")
    var modes: String?

    @Option(parsing: .upToNextOption, help: "Two programs: base and new.")
    var binaries: [String] = []

    @Option(
        parsing: .upToNextOption,
        help:
            "Two commands of servers, base and new; {port} or {socket}, {address}, {workers} and {cpus} are filled in.")
    var servers: [String] = []

    @OptionGroup(title: "Two programs") var programs: InterleavedOptions

    @Option(help: "Goes on with the interrupted comparison of programs that wrote this folder.")
    var resume: String?

    @Option(help: "Identity columns in which the sides may differ, separated by commas.")
    var ignore: String?

    @Flag(help: "No progress: only the table.")
    var quiet = false

    @OptionGroup var arguments: ComparisonArguments

    @Argument(parsing: .postTerminator, help: "With --binaries: options of bench run.")
    var runOptions: [String] = []

    func run() throws {
        let isLive = !binaries.isEmpty || !servers.isEmpty || resume != nil
        if !isLive, let option = programs.given.first ?? (runOptions.isEmpty ? nil : "--") {
            throw Failure(.usage, "\(option) belongs to --binaries and --servers; stored runs are compared as they are")
        }
        try tellingTheOutcome {
            switch (isLive, modes, base, new) {
            case (true, nil, nil, nil): try comparePrograms()
            case (false, let modes?, let folder?, nil): try compareModes(modes, folder)
            case (false, nil, let base?, let new?): try compareFolders(base, new)
            default:
                throw Failure(
                    .usage,
                    "name two result folders, or --modes A,B and one folder, or --binaries OLD NEW, or --servers OLD NEW; see "
                        + "--help")
            }
        }
    }

    private func options(_ design: ComparisonOptions.Design) throws -> ComparisonOptions {
        var options = try arguments.options(design)
        let known = Arm.columns.map(\.name)
        let names = ignore?.split(separator: ",").map(String.init) ?? []
        if let unknown = names.first(where: { !known.contains($0) }) {
            throw Failure(
                .usage,
                "--ignore: '\(unknown)' is not an identity column\(didYouMean(unknown, among: known)); there are "
                    + known.joined(separator: ", "))
        }
        options.ignoredColumns = Set(names)
        return options
    }

    private func compareFolders(_ base: String, _ new: String) throws {
        let (sides, isWhole) = try StoredFolder.readAll([base, new]) { try StoredFolder($0) }
        guard isWhole else { throw ExitCode(Exit.usage.rawValue) }
        var options = try options(StoredFolder.wereInterleaved(base, new) ? .paired : .unpaired)
        if let copy = SharedRuns(sides.map(\.rows)).copies.first {
            complain(
                "\(base) and \(new) hold the same runs, \(copy.example) for one, which says nothing of two programs; "
                    + "name two folders of different runs")
        }
        options.noiseFloor = NoiseFloors.forRuns(in: sides[0])
        for side in sides { complainOfUnusable(side.rows, side: side.path) }
        let kernels = try sides.compactMap { try $0.description()?.machine.kernel }
        if Set(kernels).count > 1 {
            complain("the sides ran on different kernels, \(kernels[0]) and \(kernels[1]): a difference may be theirs")
        }
        var comparison = try Comparison.of(base: sides[0].rows, new: sides[1].rows, options)
        comparison.callDifferences = try CallDifference.between(sides[0], sides[1])
        try end(comparison, "Base: \(base)\nNew:  \(new)")
    }

    private func compareModes(_ text: String, _ path: String) throws {
        let folder = try StoredFolder(path)
        let modes = try armNames(text, in: folder.rows)
        guard modes.count == 2, modes[0] != modes[1] else {
            throw Failure(.usage, "--modes takes two different modes, separated by a comma, not '\(text)'")
        }
        for mode in modes where !folder.rows.contains(where: { $0.mode == mode }) {
            let there = Set(folder.rows.map(\.mode)).sorted().joined(separator: ", ")
            throw Failure(.usage, "\(path) has no run of \(mode); it has \(there.isEmpty ? "no runs" : there)")
        }
        let sides = modes.map { mode in folder.rows.filter { $0.mode == mode } }
        for (side, mode) in zip(sides, modes) { complainOfUnusable(side, side: mode) }
        var options = try options(.paired)
        options.ignoredColumns.formUnion(Self.columnsThatFollow(sides))
        options.noiseFloor = NoiseFloors.forRuns(in: folder)
        try end(
            try Comparison.of(base: sides[0], new: sides[1], options), "Base: \(modes[0])\nNew:  \(modes[1])")
    }

    /// Besides the mode, the columns that a mode decides: ignored where the two modes have no value in common.
    private static func columnsThatFollow(_ sides: [[RunRecord]]) -> [String] {
        let candidates = [
            "topology", "rearm", "workers", "implementation", "listener", "close", "service_time", "service",
            "message_size_bytes",
        ]
        return ["mode"]
            + candidates.filter { name in
                let values = sides.map { side in Set(side.map { Arm($0)[name] }) }
                return values[0].isDisjoint(with: values[1])
            }
    }

    private func comparePrograms() throws {
        let given = InterleavedPlan.Criteria(
            minEffect: arguments.minEffect, metrics: arguments.metrics, failOn: arguments.failOn, ignore: ignore)
        // Mistakes in the options are reported before the runs.
        _ = try options(.paired)
        let runs = try resume.map { try InterleavedRuns(resuming: $0, quiet: quiet) } ?? newRuns(given)
        let criteria = runs.plan.criteria ?? given
        guard resume == nil || given == InterleavedPlan.Criteria() || given == criteria else {
            throw Failure(
                .usage,
                "--resume keeps to what was asked at first; leave out --min-effect, --metrics, --fail-on, --ignore")
        }
        var asked = self
        (asked.arguments.minEffect, asked.arguments.metrics) = (criteria.minEffect, criteria.metrics)
        (asked.arguments.failOn, asked.ignore) = (criteria.failOn, criteria.ignore)
        Build.warnIfDebug()
        complainOfLoopCounts()
        guard let comparison = try runs.compare(asked.options(.paired)) else {
            throw Failure(.interrupted, "interrupted; to go on: \(resumeCommand("compare", runs.path))")
        }
        try asked.end(comparison, runs.title)
    }

    private func newRuns(_ criteria: InterleavedPlan.Criteria) throws -> InterleavedRuns {
        guard binaries.isEmpty || servers.isEmpty else {
            throw Failure(.usage, "--binaries and --servers exclude each other; compare one after the other")
        }
        guard binaries.count == 2 || servers.count == 2 else {
            throw Failure(
                .usage,
                servers.isEmpty
                    ? "--binaries takes two programs, base and new, not \(binaries.count)"
                    : "--servers takes two commands, base and new, each in quotes, not \(servers.count)")
        }
        var plan = try InterleavedPlan(
            binaries: binaries, servers: servers, arguments: runOptions, seed: programs.seed ?? freshSeed(),
            blocks: programs.firstBlocks, maxBlocks: programs.mostBlocks)
        plan.criteria = criteria
        return try InterleavedRuns(plan, path: programs.output ?? ResultFolder.freshName("compare"), quiet: quiet)
    }

    private func end(_ comparison: Comparison, _ title: String) throws {
        guard comparison.rows.contains(where: \.isGating) || !comparison.absences.isEmpty else {
            throw Failure(.usage, "nothing decides: no metric of --fail-on was measured on both sides; name others")
        }
        comparison.show(title)
        try arguments.end([comparison])
    }
}
