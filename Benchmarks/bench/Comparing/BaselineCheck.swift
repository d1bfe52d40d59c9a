import Foundation
import Meters
import Records
import Reports

/// `bench check`: runs what the baseline holds and compares.
struct BaselineCheck {
    let baseline: Baseline
    let machine: MachineFacts
    let arguments: ComparisonArguments
    let countsOnly: Bool
    let programs: InterleavedOptions
    let output: String
    let quiet: Bool

    static let counts = ["syscalls_per_op", "wakeups_per_op", "allocations_per_op"]

    /// Counting is repeated where a disturbance may have had a part in it.
    private static let mostCounts = 3

    /// Prints a table for each workload and what they amount to, and ends with the exit code of that. The workloads share
    /// the chance of a false verdict as the metrics of one do.
    func run() throws {
        var comparisons: [Comparison] = []
        var failures: [Failure] = []
        for name in baseline.folders {
            do {
                comparisons.append(try comparison(name))
            } catch let failure as Failure where failure.exit != .interrupted {
                // Each workload may lack the same.
                if !failures.contains(where: { $0.message == failure.message }) { failures.append(failure) }
            }
        }
        guard let worst = failures.min(by: { Self.rank($0) < Self.rank($1) }) else {
            return try arguments.end(comparisons)
        }
        let found = comparisons.isEmpty ? nil : Headline(comparisons).outcome
        // What was found outweighs what there is nothing to compare with.
        if found == .regressed || found == .failed && Self.rank(worst) > 0 {
            for failure in failures { complain(failure.message) }
            return try arguments.end(comparisons)
        }
        for failure in failures where failure.message != worst.message { complain(failure.message) }
        if found != nil, Self.rank(worst) > 0 { print("\(Outcome.notCompared.rawValue) \(worst.message)") }
        throw worst
    }

    /// The rank of a failure, the most severe first: what went wrong while it ran, then what cannot be compared.
    private static func rank(_ failure: Failure) -> Int {
        switch failure.exit {
        case .runFailed, .nothingSupported, .internalError: 0
        case .noBaseline: 2
        default: 1
        }
    }

    private func comparison(_ name: String) throws -> Comparison {
        let stored = try StoredFolder("\(baseline.path)/\(name)")
        let description = try RunDescription.read(folder: stored.path)
        try refuseOtherMachine(stored.rows)
        let hasProgram = FileManager.default.isExecutableFile(atPath: baseline.program)
        let comparison =
            countsOnly || !hasProgram
            ? try compareStored(stored, description, name) : try comparePrograms(description, name)
        comparison.show("\(name): base is \(stored.path), new is this program")
        return comparison
    }

    /// Counts are the same on every machine, but not in every build.
    private func refuseOtherMachine(_ stored: [RunRecord]) throws {
        guard let first = stored.first, !arguments.force else { return }
        if !countsOnly, first.machineId != machine.machineID {
            throw Failure(
                .noBaseline,
                "the baseline in \(baseline.path) is of \(first.machineId), this is \(machine.machineID); store one "
                    + "with bench check --update, or use --force")
        }
        if first.build != Build.name {
            throw Failure(
                .noBaseline,
                "the baseline in \(baseline.path) is of a \(first.build) build, this is a \(Build.name) build; build "
                    + "with -c \(first.build)")
        }
    }

    /// The options of a comparison; the workloads share α.
    private func options(_ design: ComparisonOptions.Design) throws -> ComparisonOptions {
        var options = try arguments.options(design)
        options.alpha /= Double(baseline.folders.count)
        if !arguments.hasGating { options.gating = ComparisonOptions.defaultGating + ["allocations_per_op"] }
        return options
    }

    /// Both programs, interleaved: what changed on the machine since the baseline was stored touches both.
    private func comparePrograms(_ description: RunDescription, _ name: String) throws -> Comparison {
        let plan = try InterleavedPlan(
            binaries: [baseline.program, ownProgram], arguments: InterleavedPlan.shared(description.arguments),
            seed: programs.seed ?? freshSeed(), blocks: programs.firstBlocks, maxBlocks: programs.mostBlocks)
        let runs = try InterleavedRuns(plan, path: "\(output)/\(name)", quiet: quiet)
        guard let comparison = try runs.compare(options(.paired)) else {
            throw Failure(.interrupted, "interrupted; nothing was compared")
        }
        return comparison
    }

    /// This program alone against stored numbers. Its times are compared as those of two folders are.
    private func compareStored(
        _ stored: StoredFolder, _ description: RunDescription, _ name: String
    ) throws -> Comparison {
        complainOfUnusable(stored.rows, side: "the baseline")
        var options = try options(.unpaired)
        if countsOnly { return try compareCounts(stored, description, name, options) }
        options.noiseFloor = NoiseFloors.ofThisMachine()
        complain(
            "the baseline's program is not in \(baseline.program), so times within the machine's drift decide "
                + "nothing; bench check --update stores both")
        return try Comparison.of(base: stored.rows, new: measured(description, name).rows, options)
    }

    /// Counts that do not depend on the machine or its load.
    private func compareCounts(
        _ stored: StoredFolder, _ description: RunDescription, _ name: String, _ given: ComparisonOptions
    ) throws -> Comparison {
        var options = given
        if !arguments.hasGating { options.gating = Self.counts }
        options.metrics = options.gating
        options.comparesSteadyCountsOnly = true
        options.allowsDifferentMachines = true
        // What was counted in each go, and those of its runs that are compared.
        let first = try measured(description, name)
        var counts = [(folder: first, runs: first.rows)]
        func compare() throws -> Comparison {
            var comparison = try Comparison.of(base: stored.rows, new: counts.flatMap(\.runs), options)
            comparison.callDifferences = CallDifference.between(
                base: stored.rows, try stored.calls(), new: try counts.map { ($0.runs, try $0.folder.calls()) })
            comparison.newCallsRegress = true
            return comparison
        }
        var comparison = try compare()
        for attempt in 2...Self.mostCounts where [.regressed, .failed, .inconclusive].contains(comparison.outcome) {
            // A disturbance seldom affects the same mode three times; a change of the program does.
            complain("\(name): counts differ; counting again")
            let open = comparison.openArms
            let again = try measured(description, "\(name)-\(attempt)")
            for place in counts.indices { counts[place].runs.removeAll { open.contains(Arm($0)) } }
            counts.append((again, again.rows.filter { open.contains(Arm($0)) }))
            comparison = try compare()
        }
        comparison.warnings = comparison.warnings.filter { $0.contains("syscalls_source") }
        for phrase in Omission.phrases(comparison.omissions) { complain("\(name): not compared, since \(phrase)") }
        guard !comparison.rows.isEmpty || !comparison.absences.isEmpty else {
            throw Failure(
                .noBaseline, "\(name): no count was compared; store steady ones with bench check --update --counts-only"
            )
        }
        return comparison
    }

    /// What this program measures with the options of a stored invocation.
    private func measured(_ description: RunDescription, _ name: String) throws -> StoredFolder {
        let folder = try measureAgain(
            InterleavedPlan.shared(description.arguments, keepingRounds: true), try RunOptions.stored(description),
            seed: programs.seed, output: "\(output)/\(name)", quiet: true)
        complainOfUnusable(folder.rows, side: "this program's runs")
        return folder
    }
}
