import Foundation
import Testing

@testable import Statistics

/// Races among arms whose costs are known, with noise of several kinds.
@Suite struct RaceTests {
    /// How the logarithm of a cost strays.
    enum Noise: CaseIterable {
        case normal, heavyTailed, twoStates, skewedMachine

        /// - Parameter spread: the standard deviation of the first kind.
        func draw(_ spread: Double, using generator: inout SplitMix64) -> Double {
            func uniform() -> Double { (Double(generator.next() >> 11) + 0.5) / 0x1p53 }
            func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
            switch self {
            case .normal: return spread * normal()
            // Student's t with three degrees of freedom.
            case .heavyTailed:
                let squares = (0..<3).reduce(0.0) { sum, _ in sum + { $0 * $0 }(normal()) }
                return spread * normal() / (squares / 3).squareRoot()
            case .twoStates: return uniform() < 0.5 ? spread : -spread
            // Now and then something else runs, which only adds.
            case .skewedMachine: return spread / 2 * normal() + (uniform() < 0.1 ? 5 * spread : 0)
            }
        }
    }

    /// Runs a race to its end.
    ///
    /// - Parameter misses: the share of runs that give no cost.
    private func race(
        _ costs: [Double], _ noise: Noise, spread: Double, seed: UInt64, misses: Double = 0
    ) -> Race {
        var generator = SplitMix64(seed: seed)
        var race = Race(arms: costs.count)
        var drift = 0.0
        while !race.isOver {
            // The machine gets slower and faster for all arms of a block alike.
            drift += Noise.normal.draw(0.05, using: &generator)
            var block: [Int: Double] = [:]
            for arm in race.running {
                let cost = costs[arm] * exp(drift + noise.draw(spread, using: &generator))
                if Double(generator.next() >> 11) / 0x1p53 >= misses { block[arm] = cost }
            }
            race.add(block)
        }
        race.finish()
        return race
    }

    /// How many races a rate is counted over; ten thousand take minutes in a release build.
    private static let races = ProcessInfo.processInfo.environment["RACES"].flatMap { Int($0) } ?? 40

    /// The best is beaten, or an arm counts as good that is not.
    @Test(arguments: Noise.allCases, [(0.04, 0), (0.04, 0.02), (0.2, 0)]) func theAnswerIsWrongInOneOfTwentyAtMost(
        _ noise: Noise, _ disturbance: (spread: Double, misses: Double)
    ) {
        let costs = [1, 1, 1.01, 1.03, 1.08, 1.2, 3]
        var wrong = 0
        for seed in 0..<Self.races {
            let race = race(costs, noise, spread: disturbance.spread, seed: UInt64(seed), misses: disturbance.misses)
            let isBestLost = race.fates[0] != nil && race.fates[1] != nil
            let isWorseKept = race.isDecided && race.running.contains { costs[$0] > 1.05 }
            if isBestLost || isWorseKept { wrong += 1 }
        }
        #expect(20 * wrong <= Self.races)
    }

    @Test(arguments: Noise.allCases) func equalArmsAreToldApartInOneOfTwentyAtMost(_ noise: Noise) {
        let apart = (0..<Self.races).count { race([1, 1], noise, spread: 0.05, seed: UInt64($0)).running.count < 2 }
        #expect(20 * apart <= Self.races)
    }

    /// Of several that are equal, too.
    @Test(arguments: Noise.allCases) func noneOfSevenEqualArmsIsBeatenInOneOfTwentyAtMost(_ noise: Noise) {
        let equal = Array(repeating: 1.0, count: 7)
        let apart = (0..<Self.races).count { !race(equal, noise, spread: 0.04, seed: UInt64($0)).fates.isEmpty }
        #expect(20 * apart <= Self.races)
    }

    @Test func clearDifferencesAreFound() {
        let found = (0..<Self.races).count {
            race([1, 1.2, 1.3], .normal, spread: 0.04, seed: UInt64($0)).running == [0]
        }
        #expect(20 * found >= 19 * Self.races)
    }

    @Test func equalArmsAreShownToBeEqual() {
        let found = (0..<Self.races).count { seed in
            let race = race([1, 1, 1], .normal, spread: 0.03, seed: UInt64(seed))
            return race.isDecided && race.running == [0, 1, 2]
        }
        #expect(20 * found >= 19 * Self.races)
    }

    @Test func tooMuchNoiseLeavesItUndecided() {
        let race = race([1, 1.02], .normal, spread: 0.5, seed: 1)
        #expect(!race.isDecided && race.isOver && race.running == [0, 1])
    }

    /// A budget of ten minutes is no use to a race that ends after the blocks of two.
    @Test func aLongerTimeHasRoomForMoreBlocks() {
        func mostBlocks(seconds: Double) -> Int {
            var race = Race(arms: 2, Race.Options(seconds: seconds))
            var generator = SplitMix64(seed: 1)
            while !race.isOver {
                race.add([0: 1, 1: exp(Noise.normal.draw(2, using: &generator))])
            }
            return race.blockCount
        }
        let short = mostBlocks(seconds: 120)
        #expect(mostBlocks(seconds: 1) == short)
        #expect(mostBlocks(seconds: 600) >= 5 * short)
        #expect(mostBlocks(seconds: 1e9) < 1000)
    }

    @Test func whatCostsHalfAsMuchAgainIsScreenedOut() {
        var race = Race(arms: 3)
        for _ in 0..<3 { race.add([0: 10, 1: 15.1, 2: 14.9]) }
        #expect(race.running == [0, 2])
        #expect(race.fates == [1: .screened(by: 0)])
        #expect(race.ratio(of: 1, to: 0).map { abs($0.estimate - 1.51) < 1e-9 } == true)
    }

    /// A quarter more over six blocks, and clearly more in every one.
    @Test func whatAlwaysCostsAQuarterMoreIsDroppedBeforeTheFirstLook() {
        var race = Race(arms: 3)
        for block in 0..<6 { race.add([0: 10, 1: 12.6, 2: block == 4 ? 11 : 12.6]) }
        #expect(race.running == [0, 2] && race.blockCount == 0)
        #expect(race.fates == [1: .screened(by: 0)])
    }

    @Test(arguments: [nil, 0, -1, .nan] as [Double?]) func anArmWithoutACostIsLeftOutTheThirdTime(_ cost: Double?) {
        var race = Race(arms: 2)
        var block = [0: 10.0]
        block[1] = cost
        race.add(block)
        race.add(block)
        #expect(race.running == [0, 1])
        race.add(block)
        #expect(race.running == [0] && race.isDecided)
        #expect(race.fates == [1: .leftOut])
    }

    @Test func fewMissesOfManyBlocksLeaveNothingOut() {
        var race = Race(arms: 3)
        for block in 0..<20 {
            let strays = 1 + 0.1 * Double(block % 3)
            race.add(block % 10 == 9 ? [0: 10 * strays, 1: 10] : [0: 10 * strays, 1: 10, 2: 10 / strays])
        }
        #expect(race.fates[2] == nil)
    }

    /// What was beaten by an arm that turns out to be none competes again.
    @Test func whatAnArmBeatRunsAgainWhenItIsLeftOut() {
        var race = Race(arms: 3)
        for _ in 0..<3 { race.add([0: 10, 1: 21, 2: 14]) }
        #expect(race.running == [0, 2])
        race.leaveOut(0)
        #expect(race.running == [1, 2] && !race.isDecided)
        #expect(race.fates == [0: .leftOut])
    }

    @Test func anEndBeforeTheScreeningDecidesNothing() {
        var race = Race(arms: 2)
        race.add([0: 10, 1: 30])
        race.finish()
        #expect(!race.isDecided && race.leader == 0 && race.ranking == [0, 1])
        #expect(race.cost(of: 0).map { abs($0 - 10) < 1e-9 } == true)
    }

    @Test func withoutACostNothingLeads() {
        var race = Race(arms: 2)
        race.finish()
        #expect(race.leader == nil && race.running == [0, 1] && !race.isDecided)
    }

    @Test func ofNoneNothingIsBest() {
        let race = Race(arms: 0)
        #expect(race.isOver && race.leader == nil)
    }
}

@Suite struct SignedRankTests {
    /// F. Wilcoxon's table: of 8 differences a sum of 3 has a one-sided chance of 5 in 256.
    @Test func theDistributionIsTheTabledOne() {
        let ranks = SignedRank(count: 8)
        // Ranks 1 and 2 are above the bound.
        let differences = [1.0, 2, -3, -4, -5, -6, -7, -8]
        #expect(ranks.pValue(differences, below: 0) == 5.0 / 256)
        #expect(ranks.pValue(differences.map(-), below: 0) == 1 - 3.0 / 256)
    }

    /// The test against a bound and the bound are the same statement.
    @Test func theBoundIsWhereTheTestBegins() {
        var generator = SplitMix64(seed: 4)
        let values = (0..<14).map { _ in Double(generator.next() >> 40) }
        let ranks = SignedRank(count: values.count)
        let bound = ranks.upperBound(values, error: 0.01)
        #expect(ranks.pValue(values, below: bound + 1e-6) <= 0.01)
        #expect(ranks.pValue(values, below: bound - 1e-6) > 0.01)
    }

    @Test func tooFewHaveNoBound() {
        #expect(SignedRank(count: 4).upperBound([1, 2, 3, 4], error: 0.05) == .infinity)
        #expect(SignedRank(count: 5).upperBound([1, 2, 3, 4, 5], error: 0.05) == 5)
    }
}
