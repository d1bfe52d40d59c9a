import Foundation

/// Finds the best of several arms with as few measurements as that takes.
///
/// Every block gives a cost of each arm that still runs. Screenings drop what costs far more than the cheapest in the
/// first blocks. What is left races in fresh ones: at each look an arm is beaten if another is shown to cost less, and the
/// race is decided when all that are left are shown to cost the same within ``Options/minEffect``.
///
/// Two things are right with a probability of 1 - ``Options/error`` each. No arm that raced is wrongly said to cost less than
/// another. And the best of those that raced is among those that are left at a decision, none of which costs more than the
/// margin above it. Either is a set of one-sided statements about ordered pairs, one at each look, by Wilcoxon's signed
/// ranks of the logarithms of ratios within a block, which are taken to be distributed symmetrically; Bonferroni's inequality
/// bounds them. The first set has every ordered pair. The second can be wrong only in pairs that hold the best, so that it
/// shares the error by arms (J. C. Hsu, Constrained simultaneous confidence intervals for multiple comparisons with the
/// best, 1984). The screenings and arms that are left out have no such bound.
package struct Race: Sendable {
    package struct Options: Sendable {
        /// Arms whose costs differ by less are as good as each other: 0.05 for 5 %.
        package var minEffect = 0.05
        /// The probability that anything said of the arms that race is wrong.
        package var error = 0.05
        /// What costs about `ratio` times as much as the cheapest or more over the first `blocks`, and clearly more in each of
        /// them, does not race.
        package var screenings: [(blocks: Int, ratio: Double)] = [(3, 1.5), (6, 1.25)]
        /// How often is looked; the race ends with the last look.
        package var looks = 8

        package init() {}

        /// Options for a race that has so much time: two minutes are enough for eight looks, and each other one needs a third
        /// more blocks than the one before. From fourteen on, which are some five hundred blocks, ranks take longer than runs.
        package init(seconds: Double) {
            let more = (log(max(seconds / 120, 1)) / log(Race.growth)).rounded(.up)
            looks += Int(min(more, 6))
        }
    }

    /// Why an arm no longer runs.
    package enum Fate: Equatable, Sendable {
        /// It cost clearly more than `by` in each block up to a screening, and far more by the estimate.
        case screened(by: Int)
        /// It was shown to cost more than `by`.
        case beaten(by: Int)
        /// More than a quarter of its blocks, and three at the least, had no cost of it.
        case leftOut
    }

    /// How many times as many blocks as a look the next one has.
    private static let growth = 1.35

    private let options: Options
    /// The arms that the next block measures, in ascending order.
    package private(set) var running: [Int]
    package private(set) var fates: [Int: Fate] = [:]
    /// Whether all that still run are shown to cost the same, within the margin.
    package private(set) var isDecided = false
    /// The logarithms of the costs, by block and arm.
    private var screening: [[Int: Double]] = []
    private var blocks: [[Int: Double]] = []
    /// After how many blocks of the race is looked.
    private var looks: [Int] = []
    /// How many arms took part in the race.
    private var entrants = 0
    private var runs: [Int: Int] = [:]
    private var misses: [Int: Int] = [:]

    package init(arms: Int, _ options: Options = Options()) {
        self.options = options
        running = Array(0..<arms)
        isDecided = arms < 2
    }

    /// Whether another block could tell nothing more.
    package var isOver: Bool { isDecided || blocks.count >= looks.last ?? .max }

    /// How many blocks the race itself has.
    package var blockCount: Int { blocks.count }

    /// Takes the costs of a block, by arm; nil or none above zero is a miss.
    package mutating func add(_ costs: [Int: Double]) {
        let block = costs.filter { $0.value > 0 }.mapValues { log($0) }
        let isScreening = looks.isEmpty
        if isScreening { screening.append(block) } else { blocks.append(block) }
        for arm in running {
            runs[arm, default: 0] += 1
            if block[arm] == nil { misses[arm, default: 0] += 1 }
        }
        for arm in running where isMissing(arm) { leaveOut(arm) }
        if isScreening {
            for (blocks, ratio) in options.screenings where blocks == screening.count { screen(atLeast: ratio) }
            if screening.count >= options.screenings.last?.blocks ?? 0 { beginRace() }
        } else if looks.contains(blocks.count) {
            look()
        }
    }

    private func isMissing(_ arm: Int) -> Bool {
        let missed = misses[arm] ?? 0
        return missed >= 3 && 4 * missed > runs[arm] ?? 0
    }

    /// Drops an arm that cannot be measured. Those that it beat run again: it is no answer any more.
    package mutating func leaveOut(_ arm: Int) {
        fates[arm] = .leftOut
        let revived = fates.filter { $0.value == .beaten(by: arm) || $0.value == .screened(by: arm) }.map(\.key)
        for other in revived { fates[other] = nil }
        running = (running.filter { $0 != arm } + revived).sorted()
        if !looks.isEmpty {
            let beaten = fates.values.count { if case .beaten = $0 { true } else { false } }
            entrants = max(entrants, running.count + beaten)
        }
        isDecided = running.count < 2
    }

    /// Drops what cost `ratio` times as much as the leader or more, by the estimate over all blocks, and half of that, on a
    /// logarithmic scale, in every one.
    private mutating func screen(atLeast ratio: Double) {
        guard let leader else { return }
        for arm in running where arm != leader {
            let differences = differences(of: arm, to: leader, in: screening)
            guard differences.count == screening.count, differences.allSatisfy({ $0 >= log(ratio) / 2 }),
                let estimate = SignedRank.estimate(differences), estimate >= log(ratio)
            else { continue }
            fates[arm] = .screened(by: leader)
        }
        running.removeAll { fates[$0] != nil }
        isDecided = running.count < 2
    }

    private mutating func beginRace() {
        entrants = running.count
        // The first look is at the fewest blocks that can show anything; each other one has about a third more.
        var next = Int(-log2(equalityShare).rounded(.down)) + 1
        for _ in 0..<options.looks {
            looks.append(next)
            next = max(next + 1, Int((Double(next) * Self.growth).rounded()))
        }
    }

    /// Looks once more, with what there is, where the race has to end before its next look. What never gave a cost is
    /// left out.
    package mutating func finish() {
        let all = screening + blocks
        if !all.isEmpty { for arm in running where !all.contains(where: { $0[arm] != nil }) { leaveOut(arm) } }
        if !isDecided, !blocks.isEmpty, !looks.contains(blocks.count) { look() }
    }

    private mutating func look() {
        let share = errorShare
        var ranks: [Int: SignedRank] = [:]
        /// The chance of these costs, were `arm` no cheaper than `other` by the factor whose logarithm is `bound`.
        func chance(_ arm: Int, _ other: Int, below bound: Double) -> Double {
            let differences = differences(of: arm, to: other, in: blocks)
            let distribution = ranks[differences.count] ?? SignedRank(count: differences.count)
            ranks[differences.count] = distribution
            return distribution.pValue(differences, below: bound)
        }
        var beaten: [Int: Int] = [:]
        for arm in running {
            let winners = running.filter { $0 != arm }.map { ($0, chance($0, arm, below: 0)) }
            if let best = winners.min(by: { $0.1 < $1.1 }), best.1 <= share { beaten[arm] = best.0 }
        }
        // Chance could let each be beaten by another one.
        if beaten.count == running.count, let leader { beaten[leader] = nil }
        for (arm, winner) in beaten { fates[arm] = .beaten(by: winner) }
        running.removeAll { beaten[$0] != nil }
        let margin = log(1 + options.minEffect)
        isDecided = running.allSatisfy { arm in
            running.allSatisfy { other in other == arm || chance(arm, other, below: margin) <= equalityShare }
        }
    }

    /// The error of the statement that one arm costs less than another, at one of the looks or the last one.
    private var errorShare: Double { equalityShare / Double(max(entrants, 1)) }

    /// The error of the statement that one arm costs no more than the margin above another. It is wrong of the best one
    /// wherever it is called dearer than one that costs more by the margin, so that it covers that statement as well.
    private var equalityShare: Double { options.error / Double(max(entrants - 1, 1) * (options.looks + 1)) }

    /// The arm that costs least of those that still run, each compared in the blocks that measured both; nil if none has a
    /// cost.
    package var leader: Int? {
        running.filter { cost(of: $0) != nil }.reduce(nil) { best, arm in
            guard let best else { return arm }
            return ratio(of: arm, to: best).map { $0.estimate < 1 } ?? false ? arm : best
        }
    }

    /// The arms that still run, the cheapest first; what has no cost is last.
    package var ranking: [Int] {
        guard let leader else { return running }
        let ratios = running.map { arm in
            (arm, arm == leader ? 0 : ratio(of: arm, to: leader)?.estimate ?? .infinity)
        }
        return ratios.sorted { $0.1 < $1.1 }.map(\.0)
    }

    /// The median of an arm's costs in the race, or in the screening if that is all there is.
    package func cost(of arm: Int) -> Double? {
        let raced = blocks.compactMap { $0[arm] }
        return median(raced.isEmpty ? screening.compactMap { $0[arm] } : raced).map { exp($0) }
    }

    /// How an arm's cost relates to another's in the blocks that measured both: 1.1 for a tenth more.
    package struct Ratio: Sendable {
        package var estimate: Double
        /// No more than this, as far as the race can tell; infinite while it cannot.
        package var most: Double
        /// No less than this; zero while it cannot be told.
        package var least: Double
    }

    /// Nil if no block measured both. The bounds are those of the statements at a look.
    package func ratio(of arm: Int, to other: Int) -> Ratio? {
        let raced = differences(of: arm, to: other, in: blocks)
        let found = raced.isEmpty ? differences(of: arm, to: other, in: screening) : raced
        guard let estimate = SignedRank.estimate(found) else { return nil }
        let ranks = SignedRank(count: found.count)
        let error = errorShare
        return Ratio(
            estimate: exp(estimate), most: exp(ranks.upperBound(found, error: error)),
            least: exp(-ranks.upperBound(found.map(-), error: error)))
    }

    private func differences(of arm: Int, to other: Int, in blocks: [[Int: Double]]) -> [Double] {
        blocks.compactMap { block in
            guard let cost = block[arm], let base = block[other] else { return nil }
            return cost - base
        }
    }
}
