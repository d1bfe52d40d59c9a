import Foundation
import Meters
import Records

/// `bench check`: runs what the baseline holds and compares.
struct BaselineCheck {
    let baseline: Baseline
    let machine: MachineFacts
    let arguments: ComparisonArguments
    let countsOnly: Bool
    let seed: UInt64?
    let blocks: Int
    let maxBlocks: Int
    let output: String
    let quiet: Bool

    /// The counts that gate unless others are named.
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
        guard let gravest = failures.min(by: { Self.gravity($0) < Self.gravity($1) }) else {
            return try arguments.end(comparisons)
        }
        let found = comparisons.isEmpty ? nil : Headline(comparisons).outcome
        // What was found outweighs what there is nothing to compare with.
        if found == .regressed || found == .failed && Self.gravity(gravest) > 0 {
            for failure in failures { bench.complain(failure.message) }
            return try arguments.end(comparisons)
        }
        for failure in failures where failure.message != gravest.message { bench.complain(failure.message) }
        if found != nil, Self.gravity(gravest) > 0 { print("\(Outcome.notCompared.rawValue) \(gravest.message)") }
        throw gravest
    }

    /// The place among failures, the gravest first: what went wrong while it ran, then what cannot be compared.
    private static func gravity(_ failure: Failure) -> Int {
        switch failure.exit {
        case .runFailed, .nothingSupported, .internalError: 0
        case .noBaseline: 2
        default: 1
        }
    }

    private func comparison(_ name: String) throws -> Comparison {
        let folder = "\(baseline.path)/\(name)"
        let stored = try StoredFolder.rows(folder)
        let description = try RunDescription.read(folder: folder)
        try refuseOtherMachine(stored)
        let comparison =
            countsOnly || !hasProgram
            ? try compareStored(stored, description, name) : try comparePrograms(description, name)
        comparison.show("\(name): base is \(folder), new is this program")
        StoredCalls.show(comparison.callDifferences)
        return comparison
    }

    private var hasProgram: Bool { FileManager.default.isExecutableFile(atPath: baseline.program) }

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

    /// Both programs, interleaved: what changed on the machine since the baseline was stored touches both.
    private func comparePrograms(_ description: RunDescription, _ name: String) throws -> Comparison {
        let sides = [
            try InterleavedPlan.Side(name: "base", binary: baseline.program),
            try InterleavedPlan.Side(name: "new", binary: ownProgram),
        ]
        let plan = try InterleavedPlan(
            sides: sides, arguments: InterleavedPlan.shared(description.arguments),
            seed: seed ?? UInt64.random(in: 1...UInt64(Int32.max)), blocks: blocks, maxBlocks: maxBlocks)
        let runs = try InterleavedRuns(plan, path: "\(output)/\(name)", quiet: quiet)
        var options = try arguments.options(.paired)
        options.alpha /= Double(baseline.folders.count)
        if !arguments.hasGating { options.gating = ComparisonOptions.defaultGating + ["allocations_per_op"] }
        options.noiseFloor = NoiseFloors.ofThisMachine()
        guard var comparison = try InterleavedComparison(runs: runs, options: options).compare() else {
            throw Failure(.interrupted, "interrupted; nothing was compared")
        }
        runs.complain(noiseFloor: options.noiseFloor)
        comparison.callDifferences = CallDifference.between(
            base: runs.rows[0], try StoredCalls.rows("\(runs.path)/base", of: runs.rows[0]), new: runs.rows[1],
            try StoredCalls.rows("\(runs.path)/new", of: runs.rows[1]))
        return comparison
    }

    /// This program alone against stored numbers. Its times are compared as those of two folders are.
    private func compareStored(
        _ stored: [RunRecord], _ description: RunDescription, _ name: String
    ) throws -> Comparison {
        complainOfUnusable(stored, side: "the baseline")
        var options = try arguments.options(.unpaired)
        options.alpha /= Double(baseline.folders.count)
        if countsOnly { return try compareCounts(stored, description, name, options) }
        if !arguments.hasGating { options.gating = ComparisonOptions.defaultGating + ["allocations_per_op"] }
        options.noiseFloor = NoiseFloors.ofThisMachine()
        bench.complain(
            "the baseline's program is not in \(baseline.program), so times within the machine's drift decide "
                + "nothing; bench check --update stores both")
        return try Comparison.of(base: stored, new: measured(description, name), options)
    }

    /// Counts that do not depend on the machine or its load.
    private func compareCounts(
        _ stored: [RunRecord], _ description: RunDescription, _ name: String, _ given: ComparisonOptions
    ) throws -> Comparison {
        var options = given
        if !arguments.hasGating { options.gating = Self.counts }
        options.metrics = options.gating
        options.comparesSteadyCountsOnly = true
        options.allowsDifferentMachines = true
        var counts = [Count(folder: "\(output)/\(name)", runs: try measured(description, name))]
        func compare() throws -> Comparison {
            var comparison = try Comparison.of(base: stored, new: counts.flatMap(\.runs), options)
            comparison.callDifferences = try callDifferences(name, stored, counts)
            comparison.newCallsRegress = true
            return comparison
        }
        var comparison = try compare()
        for attempt in 2...Self.mostCounts where [.regressed, .failed, .inconclusive].contains(comparison.outcome) {
            // A disturbance seldom strikes the same mode thrice; a change of the program does.
            bench.complain("\(name): counts differ; counting again")
            let open = comparison.openArms
            let again = try measured(description, "\(name)-\(attempt)")
            for place in counts.indices { counts[place].runs.removeAll { open.contains(Arm($0)) } }
            counts.append(
                Count(folder: "\(output)/\(name)-\(attempt)", runs: again.filter { open.contains(Arm($0)) }))
            comparison = try compare()
        }
        comparison.warnings = comparison.warnings.filter { $0.contains("syscalls_source") }
        for phrase in Omission.phrases(comparison.omissions) {
            bench.complain("\(name): not compared, since \(phrase)")
        }
        guard !comparison.rows.isEmpty || !comparison.absences.isEmpty else {
            throw Failure(
                .noBaseline, "\(name): no count was compared; store steady ones with bench check --update --counts-only"
            )
        }
        return comparison
    }

    private func measured(_ description: RunDescription, _ name: String) throws -> [RunRecord] {
        let options = try RunOptions.stored(description)
        let arguments = InterleavedPlan.shared(description.arguments, keepingRounds: true)
        let rows = try measureAgain(arguments, options, seed: seed, output: "\(output)/\(name)", quiet: true)
        complainOfUnusable(rows, side: "this program's runs")
        return rows
    }
}
