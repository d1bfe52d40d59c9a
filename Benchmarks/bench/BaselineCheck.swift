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

    /// Prints a table for each workload, then ends with the worst exit code. The workloads share the chance of a false
    /// verdict as the metrics of one do.
    func run() throws {
        var exits: [Exit] = []
        for name in baseline.folders {
            let folder = "\(baseline.path)/\(name)"
            let stored = try StoredFolder.rows(folder)
            let description = try RunDescription.read(folder: folder)
            try refuseOtherMachine(stored)
            let (comparison, base, fresh) =
                countsOnly || !hasProgram
                ? try compareStored(stored, description, name) : try comparePrograms(description, name)
            comparison.show("\(name): base is \(folder), new is this program")
            exits.append(arguments.exit(comparison.verdict))
            if hasFailedRuns(fresh) || !lacksOnlyUnsupported(base, fresh, name) { exits.append(.runFailed) }
        }
        if exits.contains(.regressed) { throw Failure(.regressed, "regressed against \(baseline.path)") }
        if exits.contains(.runFailed) {
            throw Failure(.runFailed, "not everything was checked: a run failed or was not made")
        }
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
    private func comparePrograms(
        _ description: RunDescription, _ name: String
    ) throws -> (Comparison, base: [RunRecord], new: [RunRecord]) {
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
        guard let comparison = try InterleavedComparison(runs: runs, options: options).compare() else {
            throw Failure(.interrupted, "interrupted; nothing was compared")
        }
        runs.complain(noiseFloor: options.noiseFloor)
        return (comparison, runs.rows[0], runs.rows[1])
    }

    /// This program alone against stored numbers, of which only counts keep their meaning over time.
    private func compareStored(
        _ stored: [RunRecord], _ description: RunDescription, _ name: String
    ) throws -> (Comparison, base: [RunRecord], new: [RunRecord]) {
        complainOfUnusable(stored, side: "the baseline")
        var options = try arguments.options(.unpaired)
        options.alpha /= Double(baseline.folders.count)
        if !arguments.hasGating { options.gating = Self.counts }
        if !countsOnly { options.noiseFloor = NoiseFloors.ofThisMachine() }
        guard countsOnly else {
            bench.complain(
                "the baseline's program is not in \(baseline.program), so counts decide and times are only shown; "
                    + "bench check --update stores both")
            let fresh = try measured(description, name)
            return (try Comparison.of(base: stored, new: fresh, options), stored, fresh)
        }
        options.metrics = options.gating
        options.comparesSteadyCountsOnly = true
        options.allowsDifferentMachines = true
        var fresh = try measured(description, name)
        var comparison = try Comparison.of(base: stored, new: fresh, options)
        if [.regressed, .inconclusive].contains(comparison.verdict) {
            // A disturbance seldom strikes twice; a change of the program does.
            bench.complain("\(name): counts differ; counting again")
            fresh = try measured(description, name + "-again")
            comparison = try Comparison.of(base: stored, new: fresh, options)
        }
        comparison.warnings = []
        complain(of: comparison.omissions, name)
        guard !comparison.rows.isEmpty else {
            throw Failure(
                .noBaseline, "\(name): no count was compared; store steady ones with bench check --update --counts-only"
            )
        }
        return (comparison, stored, fresh)
    }

    /// Says which counts do not gate although the baseline holds them.
    private func complain(of omissions: [Omission], _ name: String) {
        for (reason, phrase) in [
            (Omission.Reason.unsteady, "they vary among the baseline's own runs"),
            (.unmeasured, "this program has none"),
        ] {
            let varying = Arm.varyingColumns(of: omissions.map(\.arm))
            let some = omissions.filter { $0.reason == reason }
            let list = some.map { "\($0.metric) of \($0.arm.label(varying: varying))" }.joined(separator: ", ")
            if !list.isEmpty { bench.complain("\(name): not compared, since \(phrase): \(list)") }
        }
    }

    /// Names the arms of the baseline that this program did not measure; false if any is missing for another reason
    /// than that this system does not support it.
    private func lacksOnlyUnsupported(_ stored: [RunRecord], _ fresh: [RunRecord], _ name: String) -> Bool {
        let measured = Set(fresh.filter { $0.status == .ok }.map(Arm.init))
        let unsupported = Dictionary(fresh.filter { $0.status == .unsupported }.map { (Arm($0), $0.reason) }) { $1 }
        let wanted = stored.filter { $0.status == .ok }.map(Arm.init)
        let lacking = wanted.filter { !measured.contains($0) }.reduce(into: [Arm]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        let varying = Arm.varyingColumns(of: lacking)
        let list = lacking.map { "\($0.label(varying: varying)) (\(unsupported[$0] ?? "no usable run"))" }
        if !list.isEmpty { bench.complain("\(name): not checked: \(list.joined(separator: ", "))") }
        return lacking.allSatisfy { unsupported[$0] != nil }
    }

    private func measured(_ description: RunDescription, _ name: String) throws -> [RunRecord] {
        let options = try RunOptions.stored(description)
        let arguments = InterleavedPlan.shared(description.arguments, keepingRounds: true)
        let rows = try measureAgain(arguments, options, seed: seed, output: "\(output)/\(name)", quiet: true)
        complainOfUnusable(rows, side: "this program's runs")
        return rows
    }
}
