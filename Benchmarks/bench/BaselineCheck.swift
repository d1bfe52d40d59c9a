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

    private static let counts = ["syscalls_per_op", "wakeups_per_op", "allocations_per_op"]

    /// Prints a table for each workload, then ends with the worst exit code.
    func run() throws {
        var exits: [Exit] = []
        for name in baseline.folders {
            let folder = "\(baseline.path)/\(name)"
            let stored = try StoredFolder.rows(folder)
            let description = try RunDescription.read(folder: folder)
            try refuseOtherMachine(stored)
            let (comparison, fresh) =
                countsOnly || !hasProgram
                ? try compareStored(stored, description, name) : try comparePrograms(description, name)
            comparison.show("\(name): base is \(folder), new is this program")
            exits.append(arguments.exit(comparison.verdict))
            if hasFailedRuns(fresh) { exits.append(.runFailed) }
        }
        if exits.contains(.regressed) { throw Failure(.regressed, "regressed against \(baseline.path)") }
        if exits.contains(.runFailed) { throw Failure(.runFailed, "a run failed; the table leaves it out") }
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
    private func comparePrograms(_ description: RunDescription, _ name: String) throws -> (Comparison, [RunRecord]) {
        let sides = [
            try InterleavedPlan.Side(name: "base", binary: baseline.program),
            try InterleavedPlan.Side(name: "new", binary: ownProgram),
        ]
        let plan = try InterleavedPlan(
            sides: sides, arguments: InterleavedPlan.shared(description.arguments),
            seed: seed ?? UInt64.random(in: 1...UInt64(Int32.max)), blocks: blocks, maxBlocks: maxBlocks)
        let runs = try InterleavedRuns(plan, path: "\(output)/\(name)", quiet: quiet)
        var options = try arguments.options(.paired)
        if !arguments.hasGating { options.gating = ComparisonOptions.defaultGating + ["allocations_per_op"] }
        options.noiseFloor = NoiseFloors.ofThisMachine()
        guard let comparison = try InterleavedComparison(runs: runs, options: options).compare() else {
            throw Failure(.interrupted, "interrupted; nothing was compared")
        }
        runs.complain(noiseFloor: options.noiseFloor)
        return (comparison, runs.rows.flatMap { $0 })
    }

    /// This program alone against stored numbers, of which only counts keep their meaning over time.
    private func compareStored(
        _ stored: [RunRecord], _ description: RunDescription, _ name: String
    ) throws -> (Comparison, [RunRecord]) {
        complainOfUnusable(stored, side: "the baseline")
        var options = try arguments.options(.unpaired)
        if !arguments.hasGating { options.gating = Self.counts }
        options.noiseFloor = NoiseFloors.ofThisMachine()
        guard countsOnly else {
            complain(
                "the baseline's program is not in \(baseline.program), so counts decide and times are only shown; "
                    + "bench check --update stores both")
            let fresh = try measured(description, name)
            return (try Comparison.of(base: stored, new: fresh, options), fresh)
        }
        options.metrics = options.gating
        options.comparesSteadyCountsOnly = true
        options.allowsDifferentMachines = true
        var fresh = try measured(description, name)
        var comparison = try Comparison.of(base: stored, new: fresh, options)
        if comparison.verdict == .regressed {
            // A disturbance seldom strikes twice; a change of the program does.
            complain("\(name): counts differ; counting again")
            fresh = try measured(description, name + "-again")
            comparison = try Comparison.of(base: stored, new: fresh, options)
        }
        comparison.warnings = []
        return (comparison, fresh)
    }

    private func measured(_ description: RunDescription, _ name: String) throws -> [RunRecord] {
        let options = try RunOptions.stored(description)
        let arguments = InterleavedPlan.shared(description.arguments, keepingRounds: true)
        let rows = try measureAgain(arguments, options, seed: seed, output: "\(output)/\(name)", quiet: true)
        complainOfUnusable(rows, side: "this program's runs")
        return rows
    }
}
