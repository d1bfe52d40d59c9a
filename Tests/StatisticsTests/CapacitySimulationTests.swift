import Foundation
import Statistics
import Testing

/// What a rate that was found is worth: searches against servers that hold more and more seldom towards their limit.
@Suite struct CapacitySimulationTests {
    /// A server, and the machine on which it runs.
    struct Server: Sendable, CustomTestStringConvertible {
        /// How far apart the rates lie at which nine and at which one of ten long runs hold, as a share of them.
        var width: Double
        /// Long runs that miss whatever the rate, since the machine stalled; of short ones half as many do.
        var stalls: Double
        /// How much more a server holds in short runs than in long ones.
        var shift: Double

        var testDescription: String { "width \(width), stalls \(stalls), shift \(shift)" }

        /// The probability that a run at `ratio` of the rate at which half of the long ones hold does so, no stall given.
        func holds(_ ratio: Double, _ kind: CapacitySearch.Kind = .confirmation) -> Double {
            // Short runs stray more.
            let (middle, width) = kind == .probe ? (1 + shift, width + 0.02) : (1, width)
            return 1 / (1 + pow(ratio / middle, 2 * log(9) / width))
        }
    }

    /// Means over searches.
    struct Figures {
        /// Probability that the capacity holds in another long run in which the machine does not stall.
        var holdsAgain = 0.0
        /// Probability that a long run misses with the margin on top.
        var missesAbove = 0.0
        var longRuns = 0.0
    }

    private static let searches = 1000

    private func simulate(_ server: Server) throws -> Figures {
        var sum = Figures()
        for seed in 0..<Self.searches {
            var generator = SplitMix64(seed: UInt64(seed))
            let middle = 30_000 * Double.random(in: 1..<2, using: &generator)
            var search = CapacitySearch(start: 1000, range: 6...1e8)
            while let trial = search.next {
                let stalls = trial.kind == .probe ? server.stalls / 2 : server.stalls
                let chance = (1 - stalls) * server.holds(trial.rate / middle, trial.kind)
                search.take(
                    holds: Double.random(in: 0..<1, using: &generator) < chance, isServed: trial.rate < middle * 1.2)
                if trial.kind == .confirmation { sum.longRuns += 1 }
            }
            let found = try #require(search.capacity) / middle
            sum.holdsAgain += server.holds(found)
            sum.missesAbove += 1 - (1 - server.stalls) * server.holds(found * 1.1)
        }
        let count = Double(Self.searches)
        return Figures(
            holdsAgain: sum.holdsAgain / count, missesAbove: sum.missesAbove / count, longRuns: sum.longRuns / count)
    }

    @Test(arguments: [0.01, 0.02, 0.04, 0.06], [0.02, 0.05, 0.1]) func whatIsFoundHoldsAndATenthMoreDoesNot(
        _ width: Double, _ stalls: Double
    ) throws {
        let figures = try simulate(Server(width: width, stalls: stalls, shift: 0))
        #expect(figures.holdsAgain >= 0.9 && figures.missesAbove >= 0.9, "\(figures)")
        #expect(figures.longRuns <= 5.6, "\(figures)")
    }

    /// A queue takes time to grow, and a moment without a stall is more often found than ten seconds.
    @Test(arguments: [-0.05, 0.05, 0.15], [0.01, 0.04]) func shortRunsMayMislead(
        _ shift: Double, _ width: Double
    ) throws {
        let figures = try simulate(Server(width: width, stalls: 0.05, shift: shift))
        #expect(figures.holdsAgain >= 0.9 && figures.missesAbove >= 0.9, "\(figures)")
        #expect(figures.longRuns <= 9, "\(figures)")
    }
}
