import ArgumentParser
import Foundation
import Meters
import Records
import Workloads

/// `bench compare`: whether one thing is slower than another.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Tells whether runs, modes or two builds of bench differ; exits with 2 if the new side regressed.",
        discussion: """
            bench compare A B                           two result folders
            bench compare --modes et,multishot DIR      two modes of one folder
            bench compare --binaries OLD NEW -- --mode et    two programs, interleaved; options of bench run after --

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

    @Option(help: "With --binaries: blocks, each holding every mode of both programs once.")
    var blocks = 20

    @Option(help: "With --binaries: blocks at the most; twice --blocks if not given.")
    var maxBlocks: Int?

    @Option(help: "With --binaries: seed of the order; random if not given.")
    var seed: UInt64?

    @Option(help: "With --binaries: folder for the results; results/<time>-compare if not given.")
    var output: String?

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
        let isLive = !binaries.isEmpty || resume != nil
        if !isLive, let option = optionForPrograms {
            throw Failure(.usage, "\(option) belongs to --binaries; stored runs are compared as they are")
        }
        try tellingTheOutcome {
            switch (isLive, modes, base, new) {
            case (true, nil, nil, nil): try comparePrograms()
            case (false, let modes?, let folder?, nil): try compareModes(modes, folder)
            case (false, nil, let base?, let new?): try compareFolders(base, new)
            default:
                throw Failure(
                    .usage, "name two result folders, or --modes A,B and one folder, or --binaries OLD NEW; see --help")
            }
        }
    }

    /// The first option given that only the running of programs has a use for.
    private var optionForPrograms: String? {
        let given: [(String, Bool)] = [
            ("--blocks", blocks != 20), ("--max-blocks", maxBlocks != nil), ("--seed", seed != nil),
            ("--output", output != nil), ("--", !runOptions.isEmpty),
        ]
        return given.first(where: \.1)?.0
    }

    private static func columns(_ ignore: String?) throws -> Set<String> {
        let names = ignore?.split(separator: ",").map(String.init) ?? []
        if let unknown = names.first(where: { name in !Arm.columns.contains { $0.name == name } }) {
            let known = Arm.columns.map(\.name).joined(separator: ", ")
            throw Failure(
                .usage,
                "--ignore: '\(unknown)' is not an identity column\(didYouMean(unknown, among: Arm.columns.map(\.name))); there are \(known)"
            )
        }
        return Set(names)
    }

    private func compareFolders(_ base: String, _ new: String) throws {
        let (sides, isWhole) = try StoredFolder.readAll([base, new]) { try StoredFolder.rows($0) }
        guard isWhole else { throw ExitCode(Exit.usage.rawValue) }
        var options = try arguments.options(try StoredFolder.wereInterleaved(base, new) ? .paired : .unpaired)
        options.ignoredColumns = try Self.columns(ignore)
        if let copy = SharedRuns(sides).copies.first {
            complain(
                "\(base) and \(new) hold the same runs, \(copy.example) for one, which says nothing of two programs; "
                    + "name two folders of different runs")
        }
        options.noiseFloor = NoiseFloors.forRuns(in: base, of: sides[0])
        complainOfUnusable(sides[0], side: base)
        complainOfUnusable(sides[1], side: new)
        let kernels = [base, new].compactMap { (try? RunDescription.read(folder: $0))?.machine.kernel }
        if Set(kernels).count > 1 {
            complain("the sides ran on different kernels, \(kernels[0]) and \(kernels[1]): a difference may be theirs")
        }
        try end(
            try Comparison.of(base: sides[0], new: sides[1], options), "Base: \(base)\nNew:  \(new)", arguments
        ) {
            try StoredCalls.compare(base: base, sides[0], new: new, sides[1])
        }
    }

    private func compareModes(_ text: String, _ folder: String) throws {
        let modes = try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let mode = Mode.named(String(name)) else {
                throw Failure.unknownMode(String(name))
            }
            return mode.name
        }
        guard modes.count == 2, modes[0] != modes[1] else {
            throw Failure(.usage, "--modes takes two different modes, separated by a comma, not '\(text)'")
        }
        let rows = try StoredFolder.rows(folder)
        for mode in modes where !rows.contains(where: { $0.mode == mode }) {
            let there = Set(rows.map(\.mode)).sorted().joined(separator: ", ")
            throw Failure(.usage, "\(folder) has no run of \(mode); it has \(there.isEmpty ? "no runs" : there)")
        }
        let sides = modes.map { mode in rows.filter { $0.mode == mode } }
        for (side, mode) in zip(sides, modes) { complainOfUnusable(side, side: mode) }
        var options = try arguments.options(.paired)
        options.ignoredColumns = try Self.columns(ignore).union(Self.columnsThatFollow(sides))
        options.noiseFloor = NoiseFloors.forRuns(in: folder, of: sides[0])
        let title = "Base: \(modes[0])\nNew:  \(modes[1])"
        try end(try Comparison.of(base: sides[0], new: sides[1], options), title, arguments)
    }

    /// Besides the mode, the columns that a mode decides: ignored where the two modes have no value in common.
    private static func columnsThatFollow(_ sides: [[RunRecord]]) -> [String] {
        let candidates = ["topology", "rearm", "workers"]
        return ["mode"]
            + candidates.filter { name in
                let values = sides.map { side in Set(side.map { Arm($0)[name] }) }
                return values[0].isDisjoint(with: values[1])
            }
    }

    private func comparePrograms() throws {
        var given = InterleavedPlan.Criteria()
        (given.minEffect, given.metrics, given.failOn) = (arguments.minEffect, arguments.metrics, arguments.failOn)
        given.ignore = ignore
        // What is wrong with them is to come out before the runs.
        _ = try arguments.options(.paired)
        _ = try Self.columns(ignore)
        let runs = try resume.map { try InterleavedRuns(resuming: $0, quiet: quiet) } ?? newRuns(given)
        let criteria = runs.plan.criteria ?? given
        guard resume == nil || given == InterleavedPlan.Criteria() || given == criteria else {
            throw Failure(
                .usage,
                "--resume keeps to what was asked at first; leave out --min-effect, --metrics, --fail-on, --ignore")
        }
        var arguments = arguments
        (arguments.minEffect, arguments.metrics) = (criteria.minEffect, criteria.metrics)
        arguments.failOn = criteria.failOn
        var options = try arguments.options(.paired)
        options.ignoredColumns = try Self.columns(criteria.ignore)
        options.noiseFloor = NoiseFloors.ofThisMachine()
        warnOfDebugBuild()
        complainOfLoopCounts()
        guard let comparison = try InterleavedComparison(runs: runs, options: options).compare() else {
            throw Failure(.interrupted, "interrupted; to go on: \(resumeCommand("compare", runs.path))")
        }
        runs.complain(noiseFloor: options.noiseFloor)
        try end(comparison, runs.title, arguments) {
            try StoredCalls.compare(
                base: "\(runs.path)/base", runs.rows[0], new: "\(runs.path)/new", runs.rows[1])
        }
    }

    private func newRuns(_ criteria: InterleavedPlan.Criteria) throws -> InterleavedRuns {
        guard binaries.count == 2 else {
            throw Failure(.usage, "--binaries takes two programs, base and new, not \(binaries.count)")
        }
        let sides = try zip(["base", "new"], binaries).map { try InterleavedPlan.Side(name: $0, binary: $1) }
        var plan = try InterleavedPlan(
            sides: sides, arguments: runOptions, seed: seed ?? UInt64.random(in: 1...UInt64(Int32.max)),
            blocks: blocks, maxBlocks: maxBlocks ?? 2 * blocks)
        plan.criteria = criteria
        return try InterleavedRuns(plan, path: output ?? ResultFolder.freshName("compare"), quiet: quiet)
    }

    private func end(
        _ comparison: Comparison, _ title: String, _ arguments: ComparisonArguments,
        showingCalls: () throws -> Void = {}
    ) throws {
        guard comparison.rows.contains(where: \.isGating) || !comparison.absences.isEmpty else {
            throw Failure(.usage, "nothing decides: no metric of --fail-on was measured on both sides; name others")
        }
        comparison.show(title)
        try showingCalls()
        try arguments.end([comparison])
    }
}
