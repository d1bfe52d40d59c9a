import Foundation

/// Finds the best of several arms with as few measurements as that takes.
///
/// Every block gives a cost of each arm that still runs. A few blocks screen out arms that cost twice as much as the
/// cheapest in each of them. What is left races: at each look an arm is beaten if another is shown to cost less, and the
/// race is decided when all that are left are shown to cost the same within ``Options/minEffect``.
///
/// With a probability of 95 % the cheapest arm of the race is never beaten, and no arm among the last costs more than the
/// margin above it. That takes one-sided statements about the cheapest arm alone, one for each other arm and look, and not
/// about all pairs: J. Hsu, "Constrained Simultaneous Confidence Intervals for Multiple Comparisons with the Best", Annals
/// of Statistics 12, 1984, here with Bonferroni's inequality over the looks and Wilcoxon's signed ranks of the logarithms
/// of ratios within a block, in place of normal distributions.
package struct Race: Sendable {
    package struct Options: Sendable {
        /// Arms whose costs differ by less are as good as each other: 0.05 for 5 %.
        package var minEffect = 0.05
        /// The probability that anything said is wrong.
        package var error = 0.05
        package var screeningBlocks = 4
        /// What costs so much more than the cheapest in each block of the screening does not race.
        package var screeningRatio = 2.0
        /// After how many blocks of the race is looked; after the last it ends.
        package var looks = [10, 13, 17, 22, 28, 36, 47, 60]

        package init() {}
    }

    /// Why an arm no longer runs.
    package enum Fate: Equatable, Sendable {
        /// It cost far more than `by` in each block of the screening.
        case screened(by: Int)
        /// It was shown to cost more than `by`.
        case beaten(by: Int)
        /// Two blocks had no cost of it.
        case leftOut
    }

    private let options: Options
    /// The arms that the next block measures, in ascending order.
    package private(set) var running: [Int]
    package private(set) var fates: [Int: Fate] = [:]
    /// Whether all that still run are shown to cost the same, within the margin.
    package private(set) var isDecided = false
    /// The logarithms of the costs, by block and arm.
    private var screening: [[Int: Double]] = []
    private var blocks: [[Int: Double]] = []
    /// How many blocks had no cost of an arm.
    private var misses: [Int: Int] = [:]
    /// How many arms began the race.
    private var entrants = 0

    package init(arms: Int, _ options: Options = Options()) {
        self.options = options
        running = Array(0..<arms)
        isDecided = arms < 2
    }

    /// Whether another block could tell more.
    package var isOver: Bool { isDecided || blocks.count >= options.looks.last ?? 0 }

    /// How many blocks the race itself has.
    package var blockCount: Int { blocks.count }

    /// Takes the costs of a block, by arm. One that has none, or none above zero, for the second time is left out.
    package mutating func add(_ costs: [Int: Double]) {
        for arm in running where !((costs[arm] ?? 0) > 0) {
            misses[arm, default: 0] += 1
            if misses[arm] == 2 { fates[arm] = .leftOut }
        }
        running.removeAll { fates[$0] != nil }
        let block = costs.filter { $0.value > 0 }.mapValues { log($0) }
        if screening.count < options.screeningBlocks {
            screening.append(block)
            if screening.count == options.screeningBlocks { screen() }
        } else {
            blocks.append(block)
            if options.looks.contains(blocks.count) { look() }
        }
        if running.count < 2 { isDecided = true }
    }

    /// Drops an arm that cannot be measured.
    package mutating func leaveOut(_ arm: Int) {
        fates[arm] = .leftOut
        running.removeAll { $0 == arm }
        if running.count < 2 { isDecided = true }
    }

    private mutating func screen() {
        if let best = leader {
            let margin = log(options.screeningRatio)
            for arm in running where arm != best {
                let differences = differences(of: arm, to: best, in: screening)
                if differences.allSatisfy({ $0 >= margin }) { fates[arm] = .screened(by: best) }
            }
            running.removeAll { fates[$0] != nil }
        }
        entrants = running.count
    }

    /// Looks once more, with what there is, where the race has to end before its next look. What never gave a cost is
    /// left out.
    package mutating func finish() {
        let all = screening + blocks
        if !all.isEmpty { for arm in running where !all.contains(where: { $0[arm] != nil }) { leaveOut(arm) } }
        if !isDecided, !blocks.isEmpty, !options.looks.contains(blocks.count) { look() }
        if running.count < 2 { isDecided = true }
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
            let winners = running.filter { $0 != arm }.map { winner in
                (winner, chance(winner, arm, below: 0))
            }
            if let best = winners.min(by: { $0.1 < $1.1 }), best.1 <= share { beaten[arm] = best.0 }
        }
        for (arm, winner) in beaten { fates[arm] = .beaten(by: winner) }
        running.removeAll { beaten[$0] != nil }
        let margin = log(1 + options.minEffect)
        isDecided = running.allSatisfy { arm in
            running.allSatisfy { other in
                other == arm || chance(arm, other, below: margin) <= share
            }
        }
    }

    /// The error of one statement: the cheapest arm is compared with each other one, at each look and at a last one.
    private var errorShare: Double { options.error / Double(max(entrants - 1, 1) * (options.looks.count + 1)) }

    /// The arm whose median cost is the least, of those that still run.
    package var leader: Int? {
        let measured = blocks.isEmpty ? screening : blocks
        return running.compactMap { arm in median(measured.compactMap { $0[arm] }).map { (arm, $0) } }
            .min { $0.1 < $1.1 }?.0
    }

    /// How an arm's cost relates to another's in the blocks that measured both: 1.1 for a tenth more.
    package struct Ratio: Sendable {
        package var estimate: Double
        /// No more than this, as far as the race can tell; infinite while it cannot.
        package var most: Double
        /// No less than this; zero while it cannot be told.
        package var least: Double
    }

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
