package import Records
package import Statistics

/// What a race of modes and servers says: which to take, what that rests on, and what to keep away from.
package struct Choice {
    /// What the question was: `short connections on 4 workers`.
    package var subject: String
    /// What decides. The race compares costs: where more is better, the inverse.
    package var score: Column
    /// How ``score`` reads after a figure: `of server CPU per transaction`.
    package var phrase: String
    /// Arms whose scores differ by less are equal: 0.05 for 5 %.
    package var minEffect: Double
    package var race: Race
    /// The runs of each arm that raced, by its number there.
    package var arms: [ArmRuns]
    /// The server threads that were asked for; nil where none are.
    package var workers: Int?
    /// Blocks that the race did not get, since other programs had too much of the machine.
    package var disturbedBlocks = 0
    /// Combinations that were asked for and cannot be, with the reason.
    package var impossible: [String] = []
    /// What claims that were tried tell of the arms.
    package var observed: [Observation] = []

    package init(
        subject: String, score: Column, phrase: String, minEffect: Double, race: Race, arms: [ArmRuns],
        workers: Int? = nil
    ) {
        self.subject = subject
        self.score = score
        self.phrase = phrase
        self.minEffect = minEffect
        self.race = race
        self.arms = arms
        self.workers = workers
    }

    /// The recommendation first, then its price and the runner-up, what to avoid and why, what this kernel does, and what
    /// could not be measured.
    package var sentences: [String] {
        [recommendation, price, avoided, reasons, memory].compactMap { $0 } + observations + [leftOut].compactMap { $0 }
    }

    /// What an arm is called; one with other threads than were asked for has their number, as `blocking` where each
    /// connection has one.
    func name(_ arm: Int) -> String {
        let label = arms[arm].label(among: arms)
        guard let workers, let own = arms[arm].records.first?.workers, own != workers else { return label }
        return "\(label) (\(own) \(own == 1 ? "thread" : "threads"))"
    }

    /// Those that are recommended, the cheapest first.
    package var best: [Int] { race.ranking }

    /// Of which a reader should know more: the first of the recommended, what to avoid, and what was not ranked.
    package var notable: [Int] {
        guard race.leader != nil || race.isDecided else { return [] }
        let measured = withoutScore.filter { !arms[$0].usable.isEmpty }
        return Array(best.prefix(3)) + farBehind.map(\.arm) + measured
    }

    private var recommendation: String {
        let names = best.map(name)
        let advice = "Give it a longer --budget, or a quieter machine."
        if names.isEmpty { return "For \(subject): nothing could be measured." }
        if race.isDecided {
            let list =
                names.dropLast().joined(separator: ", ") + (names.count > 1 ? " or " : "") + names[names.count - 1]
            return "For \(subject): \(list)\(names.count > 1 ? " (equal within \(margin))" : "")."
        }
        guard let leader = race.leader else {
            let reason = disturbedBlocks > 0 ? "other programs had too much of the machine" : "no run was measured"
            return "For \(subject): undecided; \(reason)."
        }
        guard race.blockCount > 0 else {
            let best = prefersMore ? "held most" : "cost least"
            return "For \(subject): undecided after a first look, in which \(name(leader)) \(best). \(advice)"
        }
        let blocks = "\(race.blockCount) \(race.blockCount == 1 ? "block" : "blocks")"
        let span = farthest.map { "; they may differ by up to \($0)" } ?? ""
        return "For \(subject): undecided after \(blocks) among \(Answer.list(names))\(span). \(advice)"
    }

    /// `5 %`, `0.4 %`
    private var margin: String {
        let percent = 100 * minEffect
        return Decimal.fixed(percent, digits: percent == percent.rounded() ? 0 : 1) + " %"
    }

    /// How far those that are left may lie from each other; nil while nothing can be said.
    private var farthest: String? {
        let most = best.flatMap { arm in best.compactMap { $0 == arm ? nil : race.ratio(of: arm, to: $0)?.most } }.max()
        return most.flatMap { $0.isFinite ? HumanUnits.percent($0 - 1) : nil }
    }

    /// `7.90 µs to 8.02 µs of server CPU per connection; next is uring-multishot, +11 % [8, 15].`
    private var price: String? {
        let costs = (race.isDecided ? best : Array(best.prefix(1))).compactMap(race.cost)
        guard let least = costs.min(), let most = costs.max() else { return nil }
        let (from, to) = (format(least), format(most))
        var text = "\(from == to ? from : "\(from) to \(to)") \(phrase)"
        if let leader = race.leader, let next = beaten(behind: leader).first {
            text += "; next is \(name(next.arm)), \(difference(next.ratio))"
        }
        return text + "."
    }

    /// The arms that were dropped because they cost more, the cheapest first.
    func beaten(behind leader: Int) -> [(arm: Int, ratio: Race.Ratio)] {
        race.fates.compactMap { arm, fate in
            if case .leftOut = fate { return nil }
            return race.ratio(of: arm, to: leader).map { (arm, $0) }
        }
        .sorted { $0.ratio.estimate < $1.ratio.estimate }
    }

    /// `+11 % [8, 15]`, `-1 % [-3, 2]`, or `25 times as much`.
    private func difference(_ ratio: Race.Ratio) -> String {
        guard ratio.estimate < 2 else { return "\(times(ratio)) times as much" }
        let estimate = scored(ratio.estimate)
        let text = (estimate < 1 ? "-" : "+") + HumanUnits.percent(abs(estimate - 1))
        guard ratio.most.isFinite, ratio.least > 0 else { return text }
        let bounds = [ratio.least, ratio.most].map(scored).sorted().map { Decimal.fixed(100 * ($0 - 1), digits: 0) }
        return "\(text) [\(bounds[0]), \(bounds[1])]"
    }

    private func times(_ ratio: Race.Ratio) -> String { HumanUnits.perOperation(scored(ratio.estimate)) }

    /// Those that cost at least twice as much, or do half at the most, which nobody should take unknowingly.
    private var avoided: String? {
        let far = farBehind
        guard let worst = far.last else { return nil }
        let names = Answer.list(far.reversed().map { name($0.arm) })
        return far.count == 1
            ? "Avoid \(names): \(times(worst.ratio)) times as much."
            : "Avoid \(names): \(times(far[0].ratio)) to \(times(worst.ratio)) times as much."
    }

    private var farBehind: [(arm: Int, ratio: Race.Ratio)] {
        race.leader.map { leader in beaten(behind: leader).filter { $0.ratio.estimate >= 2 } } ?? []
    }

    private var withoutScore: [Int] { race.fates.keys.filter { race.fates[$0] == .leftOut }.sorted() }

    private var leftOut: String? {
        let byReason = Dictionary(grouping: withoutScore) { reason($0) }
        let texts = byReason.sorted { $0.value[0] < $1.value[0] }.map { reason, arms in
            "\(Answer.list(arms.map(name))) (\(reason))"
        }
        let all = texts + impossible
        return all.isEmpty ? nil : "Not ranked: \(all.joined(separator: "; "))."
    }

    /// Why an arm's runs gave no score: what most of those that did not have in common.
    private func reason(_ arm: Int) -> String {
        let reasons = arms[arm].records.compactMap(refusal)
        let counts = Dictionary(grouping: reasons) { $0 }.mapValues(\.count)
        if let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) { return most.key }
        return arms[arm].records.isEmpty ? "did not run" : "\(score.name) was not measured"
    }

    /// Why a run may not be ranked; nil if it may. One that did not keep its rate did less for each operation than the
    /// others, and one that leaves its workers idle is no server on so many workers.
    private func refusal(_ row: RunRecord) -> String? {
        if row.status != .ok { return row.state }
        if !row.slo.isEmpty, row.capacityOpsPerS ?? 0 == 0 {
            return "kept \(row.slo) at no rate\(row.capacityOpsPerS == nil ? " for long" : "")"
        }
        if row.saturated == "yes" { return "did not keep the rate" }
        guard row.leavesWorkersIdle else { return nil }
        // The least of equal shares counts as served from a tenth on.
        let total = row.perWorkerOps.reduce(0, +)
        let served = row.perWorkerOps.count { 10 * $0 * UInt64(row.workers) >= total }
        return "gave nearly all to \(served) of \(row.workers) workers"
    }

    /// What a run says for its arm in a race; nil if it may not be ranked.
    package func score(_ row: RunRecord) -> Double? { refusal(row) == nil ? score.number(of: row).map(scored) : nil }

    private var prefersMore: Bool { score.better == .higher }

    /// The score of a cost, the cost of a score, and likewise of ratios.
    private func scored(_ cost: Double) -> Double { prefersMore ? 1 / cost : cost }

    private func format(_ cost: Double) -> String { HumanUnits.of(scored(cost), column: score.name) }

    /// The evidence: each arm with its score, how that relates to the best, and how it left the race.
    package func table(width: Int, styled: Bool) -> String {
        let extras = Self.extras.filter { extra in arms.contains { !$0.values(extra.value).isEmpty } }
        var table = TextTable(
            headings: [
                .init(title: "mode", alignment: .left), .init(title: "score"), .init(title: "to the best", rank: 1),
            ] + extras.map { .init(title: $0.title, unit: $0.unit, rank: $0.rank) }
                + [.init(title: "standing", alignment: .left, rank: 2)])
        let leader = race.leader
        let order = best + (leader.map { beaten(behind: $0).map(\.arm) } ?? [])
        for arm in order {
            let ratio = leader.flatMap { $0 == arm ? nil : race.ratio(of: arm, to: $0) }
            let figures = extras.map { extra in median(arms[arm].values(extra.value)).map(extra.format) ?? "–" }
            table.lines.append(
                .cells(
                    [name(arm), race.cost(of: arm).map(format) ?? "–", ratio.map(difference) ?? "–"] + figures
                        + [standing(arm)]))
        }
        return table.render(width: width, styled: styled)
    }

    private func standing(_ arm: Int) -> String {
        switch race.fates[arm] {
        case nil: race.isDecided ? "best" : "undecided"
        case .screened: "dropped early"
        case .beaten(let winner): "behind \(name(winner))"
        case .leftOut: "not ranked"
        }
    }

    private static var extras: [SummaryMetric] {
        [
            SummaryMetric(
                title: "calls", unit: "/op", rank: 4, value: \.syscallsPerOp, format: HumanUnits.perOperation),
            SummaryMetric(title: "p99", rank: 3, value: { $0.latencyP99Ns?.number }, format: HumanUnits.time),
            SummaryMetric(title: "p99.9", rank: 5, value: { $0.latencyP999Ns?.number }, format: HumanUnits.time),
            SummaryMetric(
                title: "fair", unit: "Jain", rank: 6, value: { $0.workers > 1 ? $0.fairnessJain : nil },
                format: HumanUnits.perOperation),
            SummaryMetric(
                title: "bytes", unit: "/conn", rank: 7, value: \.bytesPerConnection, format: HumanUnits.count),
        ]
    }
}
