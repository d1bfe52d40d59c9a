import Foundation
import Meters
import Records
import Reports
import Runs
import Statistics

/// The runs of one scenario, block by block, until its race is decided or its time is over.
final class ChoiceRace {
    private let scenario: Scenario
    private let session: RunSession
    private let options: RunOptions
    private let seed: UInt64
    private let minEffect: Double
    private let isQuiet: Bool
    /// Blocks that are not used, since other programs had more of the machine than ``mostForeignCPU``.
    private var disturbedBlocks = 0

    /// The share of the machine that others may take in a block; `foreign_cpu` is unreliable far below it in short runs.
    private static let mostForeignCPU = 0.1

    init(
        _ scenario: Scenario, _ given: [(name: String, value: String)], seed: UInt64, minEffect: Double, path: String,
        quiet: Bool
    ) throws {
        self.scenario = scenario
        self.seed = seed
        self.minEffect = minEffect
        let arguments =
            scenario.arguments(given) + ["--rounds", "1", "--no-kernel-counts", "--quiet", "--output", path]
        options = try RunOptions.asked(arguments, of: "choose --scenario \(scenario.name)")
        session = try RunSession(options, seed: seed, arguments: ["run"] + arguments)
        isQuiet = quiet
    }

    var isInterrupted: Bool { session.interrupted }

    /// Runs blocks for as long as they can tell more and the time suffices for another one like the last.
    func run(seconds: Double) throws -> Choice {
        let plans = candidatePlans
        let candidates = plans.map { Arm(RunRecord(session.plans[$0])) }
        let column = Column.named(scenario.score)!
        var settings = Race.Options()
        settings.minEffect = minEffect
        var race = Race(arms: candidates.count, settings)
        var generator = SplitMix64(seed: seed)
        let start = monotonicNanoseconds()
        var blockStart = start
        let progress = ProgressBar(total: max(Int(seconds), 1), quiet: isQuiet)
        defer { progress.clear() }
        let rows = try session.run { round, rows in
            let now = monotonicNanoseconds()
            take(rows.filter { $0.round == round - 1 }, candidates, column, into: &race)
            let last = now - blockStart
            blockStart = now
            let isLate = Double(now - start + last) > seconds * 1e9
            guard round == 1 || !race.isOver && !isLate else { return nil }
            progress.show(
                done: min(Int((now - start) / 1_000_000_000), Int(seconds)),
                doing: "s, block \(round), \(race.running.count) candidates")
            return race.running.map { plans[$0] }.seededShuffle(using: &generator)
        }
        race.finish()
        let byArm = Dictionary(grouping: rows) { Arm($0) }
        return Choice(
            subject: subject, score: column, phrase: scenario.phrase, minEffect: minEffect, race: race,
            arms: candidates.map { ArmRuns(arm: $0, records: byArm[$0] ?? []) })
    }

    /// Takes a block's scores into the race, unless other programs had so much of the machine that it shows them.
    private func take(_ rows: [RunRecord], _ candidates: [Arm], _ column: Column, into race: inout Race) {
        guard !rows.isEmpty else { return }
        let last = Dictionary(rows.map { (Arm($0), $0) }) { $1 }
        for arm in race.running where last[candidates[arm]]?.status == .unsupported { race.leaveOut(arm) }
        guard (median(rows.compactMap(\.foreignCpu)) ?? 0) <= Self.mostForeignCPU else {
            disturbedBlocks += 1
            return
        }
        let scores = race.running.compactMap { arm in
            last[candidates[arm]].flatMap { Choice.score($0, column) }.map { (arm, $0) }
        }
        race.add(Dictionary(uniqueKeysWithValues: scores))
    }

    /// The plans that compete: where a wake runs on one processor and on two, those on two, which are another question.
    private var candidatePlans: [Int] {
        let places = session.plans.map { Arm(RunRecord($0))["placement"] }
        let apart = places.indices.filter { places[$0] == "different-cpus" }
        return apart.isEmpty ? Array(places.indices) : apart
    }

    private var subject: String {
        guard let workers = options.network.workers else { return scenario.subject }
        return "\(scenario.subject) on \(workers) \(workers == "1" ? "worker" : "workers")"
    }

    /// What weakens the answer, and what this machine cannot show.
    func notes(_ choice: Choice) -> [String] {
        let found = workloadFindings(for: choice.arms.flatMap(\.records))
        var notes = found.flatMap(\.oddities)
        if disturbedBlocks > 0 {
            notes.append(
                "\(disturbedBlocks) \(disturbedBlocks == 1 ? "block is" : "blocks are") not used: other programs took more "
                    + "than a tenth of the machine. Stop them.")
        }
        let processors = Affinity.available().count
        if let workers = options.network.workers.flatMap({ Int($0) }), workers >= processors {
            notes.append(
                "\(workers) workers share \(processors) \(processors == 1 ? "processor" : "processors") with the clients "
                    + "here, so nothing is shown of how work spreads over as many: run this on a machine that has more "
                    + "than \(workers).")
        }
        return notes
    }
}
