import Foundation
import Meters
import Records
import Reports
import Runs
import Statistics

/// The runs of one scenario, block by block, until its race is decided or its time is over.
final class ChoiceRace {
    private let session: RunSession
    private let seed: UInt64
    private let isQuiet: Bool
    /// The numbers of the plans that compete, by their numbers in the race.
    private let candidates: [Int]
    private let arms: [Arm]
    private(set) var choice: Choice
    var path: String { session.folder.path }

    /// The share of the machine that others may take in a block of so many runs. A tick is a twentieth of a window of 100 ms
    /// on two processors, so that few runs tell it coarsely.
    private static func mostForeignCPU(runs: Int) -> Double { 0.1 + 0.1 / Double(max(runs, 1)) }

    private let seconds: Double

    /// - Parameters:
    ///   - given: options of `bench run` in place of the scenario's.
    ///   - seconds: how much time there is.
    init(
        _ scenario: Scenario, _ given: [(name: String, value: String)], seed: UInt64, minEffect: Double,
        seconds: Double, path: String, quiet: Bool
    ) throws {
        let arguments =
            scenario.arguments(given) + ["--rounds", "1", "--no-kernel-counts", "--quiet", "--output", path]
        let options = try RunOptions.asked(arguments, of: "choose --scenario \(scenario.name)")
        session = try RunSession(options, seed: seed)
        self.seed = seed
        self.seconds = seconds
        isQuiet = quiet
        let all = session.plans.map { Arm(RunRecord($0)) }
        // Where a wake runs on one processor and on two, those on two: one processor is another question.
        let apart = all.indices.filter { all[$0]["placement"] == "different-cpus" }
        candidates = apart.isEmpty ? Array(all.indices) : apart
        arms = candidates.map { all[$0] }
        let workers = options.network.workers.flatMap { Int($0) }
        let objective = try options.objective()
        let noun = OperationName.of(workload: options.workload)
        var settings = Race.Options(seconds: seconds)
        settings.minEffect = minEffect
        choice = Choice(
            subject: workers.map { "\(scenario.subject) on \($0) \($0 == 1 ? "worker" : "workers")" }
                ?? scenario.subject,
            score: Column.named(objective == nil ? scenario.score : "capacity_ops_per_s")!,
            phrase: objective.map { "\(noun.plural) per second within \($0.text)" } ?? scenario.phrase,
            minEffect: minEffect,
            race: Race(arms: arms.count, settings), arms: arms.map { ArmRuns(arm: $0, records: []) }, workers: workers)
        // What the user did not name may be impossible without a word: a list of all is not a request for each.
        if given.contains(where: { $0.name == "--mode" }) { choice.impossible = session.notes }
    }

    var isInterrupted: Bool { session.interrupted || session.isAskedToEnd }

    /// From so many seconds on there is time to try claims, which get ``claimSeconds`` of it.
    private static let longEnough = 20.0
    private static let claimSeconds = 5.0

    /// Runs blocks for as long as they can tell more and the time suffices for another one like the last, tries what claims
    /// say of the outcome, and stores the answer.
    func run() throws {
        let triesClaims = seconds >= Self.longEnough
        try runBlocks(seconds: triesClaims ? seconds - Self.claimSeconds : seconds)
        // Stored before the claims, so that none of them can cost the answer.
        try session.store(answer: choice.sentences + notes, claims: [])
        guard triesClaims, !isInterrupted else { return }
        do {
            choice.observed = try RelatedClaim.observe(choice, within: Self.claimSeconds) { isInterrupted }
        } catch {
            return complain("no claim was tried: \(error)")
        }
        try session.store(answer: choice.sentences + notes, claims: choice.observed.map(\.claim))
    }

    private func runBlocks(seconds: Double) throws {
        var generator = SplitMix64(seed: seed)
        let start = monotonicNanoseconds()
        var blockStart = start
        let progress = ProgressBar(total: max(Int(seconds), 1), quiet: isQuiet)
        defer { progress.clear() }
        let rows = try session.run { round, rows in
            let now = monotonicNanoseconds()
            if round > 1 { take(rows.filter { $0.round == round - 1 }) }
            let last = now - blockStart
            blockStart = now
            let isLate = Double(now - start + last) > seconds * 1e9
            // An only candidate has won, and needs a run that tells its price.
            let isOver = choice.race.isOver && (choice.race.leader != nil || choice.race.running.isEmpty)
            guard round == 1 || !isOver && !isLate else { return nil }
            progress.show(
                done: min(Int((now - start) / 1_000_000_000), Int(seconds)),
                doing: "s, block \(round), \(choice.race.running.count) candidates")
            return choice.race.running.map { candidates[$0] }.seededShuffle(using: &generator)
        }
        choice.race.finish()
        // The files of an interrupted invocation call all runs partial, also those that were whole.
        let byArm = Dictionary(grouping: rows.map(ResultFolder.asEnded)) { Arm($0) }
        choice.arms = arms.map { ArmRuns(arm: $0, records: byArm[$0] ?? []) }
    }

    /// Takes a block's scores into the race, unless other programs had so much of the machine that it shows them.
    private func take(_ rows: [RunRecord]) {
        // Of several tries at a run, the last.
        let last = Dictionary(rows.map { (Arm($0), $0) }) { $1 }
        for arm in choice.race.running where last[arms[arm]]?.status == .unsupported { choice.race.leaveOut(arm) }
        guard (median(rows.compactMap(\.foreignCpu)) ?? 0) <= Self.mostForeignCPU(runs: rows.count) else {
            choice.disturbedBlocks += 1
            return
        }
        let scores = choice.race.running.compactMap { arm in last[arms[arm]].flatMap(choice.score).map { (arm, $0) } }
        choice.race.add(Dictionary(uniqueKeysWithValues: scores))
    }

    /// What weakens the answer, and what this machine cannot show.
    var notes: [String] {
        var notes = workloadFindings(for: choice.arms.flatMap(\.records)).flatMap(\.oddities)
        if choice.disturbedBlocks > 0 {
            let blocks = choice.disturbedBlocks == 1 ? "1 block is" : "\(choice.disturbedBlocks) blocks are"
            notes.append("\(blocks) not used: other programs took more than a tenth of the machine. Stop them.")
        }
        let processors = Affinity.available().count
        if let workers = choice.workers, workers >= processors {
            notes.append(
                "\(workers) workers share \(processors) \(processors == 1 ? "processor" : "processors") with the clients "
                    + "here, so nothing is shown of how work spreads over as many: run this on a machine that has more "
                    + "than \(workers).")
        }
        if choice.arms.contains(where: { $0.arm["placement"] == "same-cpu" }) {
            notes.append("Both threads share the one processor here, which is another question than two.")
        }
        return notes
    }
}
