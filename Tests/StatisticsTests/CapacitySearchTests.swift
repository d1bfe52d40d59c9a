import Statistics
import Testing

/// Searches against servers whose capacity is known.
@Suite struct CapacitySearchTests {
    private let range = 100.0...1e8
    /// How far below the capacity a search may end.
    private let tolerance = 1.001 + CapacitySearch.precision

    /// Runs a search; `holds` says what comes of each run. All is served below `ceiling`.
    private func search(
        from start: Double = 1000, ceiling: Double = 0, _ holds: (CapacitySearch.Trial) -> Bool
    ) -> (search: CapacitySearch, trials: [CapacitySearch.Trial]) {
        var search = CapacitySearch(start: start, range: range)
        var trials: [CapacitySearch.Trial] = []
        while let trial = search.next, trials.count < 1000 {
            trials.append(trial)
            search.take(holds: holds(trial), isServed: trial.rate < ceiling)
        }
        return (search, trials)
    }

    @Test(arguments: [100, 130.5, 999, 1000, 1001, 45_678, 3_000_000]) func findsTheHighestThatHolds(
        _ capacity: Double
    ) throws {
        let (search, trials) = search { $0.rate <= capacity }
        let found = try #require(search.capacity)
        #expect(found <= capacity && found > capacity / tolerance, "\(found)")
        // A longer run has shown it, and another that more is too much.
        #expect(
            trials.contains(.confirmation(found)) && trials.last == .confirmation(found * (1 + CapacitySearch.margin)))
        #expect(trials.count < 50, "\(trials.count)")
    }

    @Test func whatNothingHoldsHasNoCapacity() {
        let (search, trials) = search { _ in false }
        #expect(search.capacity == nil && search.next == nil)
        #expect(trials.map(\.rate).min() == range.lowerBound)
    }

    @Test func whatIsNotWaitingIsNotSoughtAtLowerRates() {
        let high = search(ceiling: 6000) { _ in false }
        #expect(high.trials.map(\.rate) == [1000, 2000, 4000, 8000, 8000] && high.search.capacity == nil)
        let low = search(ceiling: 600) { _ in false }
        #expect(low.trials.map(\.rate) == [1000, 1000, 500, 500, 250, 250, 125, 125] && low.search.capacity == nil)
    }

    @Test func aStartThatIsServedTooLateIsNotTheLowest() throws {
        let (search, _) = search(ceiling: 1100) { $0.rate <= 850 }
        #expect(try #require(search.capacity) > 850 / tolerance)
    }

    @Test func whatEverythingHoldsEndsAtTheUpperEnd() {
        let (search, _) = search { _ in true }
        #expect(search.capacity == range.upperBound)
    }

    @Test func aMissByChanceIsTriedAgain() throws {
        var misses: Set<Double> = []
        // The first run at each rate misses.
        let (search, _) = search { $0.rate <= 50_000 && !misses.insert($0.rate).inserted }
        #expect(try #require(search.capacity) > 50_000 / tolerance)
    }

    @Test(arguments: [[1000], [4000], [1000, 2000, 4000, 8000]]) func whatIsMissedAtALowRateEndsNothing(
        _ misses: Set<Double>
    ) throws {
        let (search, _) = search(ceiling: 80_000) { $0.rate <= 50_000 && !misses.contains($0.rate) }
        #expect(try #require(search.capacity) > 50_000 / tolerance)
    }

    @Test func theLongerRunDecides() throws {
        // Short runs end before the queue has grown.
        let (search, trials) = search { trial in
            if case .probe(let rate) = trial { return rate <= 40_000 }
            return trial.rate <= 35_000
        }
        let found = try #require(search.capacity)
        #expect(found <= 35_000 && found > 30_000, "\(found)")
        #expect(trials.contains(.confirmation(found)))
    }

    @Test func chanceMovesItLittle() {
        // A tenth of the runs below the capacity miss, a twentieth of those above hold.
        var generator = SplitMix64(seed: 7)
        let found = (0..<1000).map { _ in
            search(ceiling: 33_000) { Double.random(in: 0..<1, using: &generator) < ($0.rate <= 30_000 ? 0.9 : 0.05) }
                .search.capacity
                ?? 0
        }
        let near = found.count { (27_000...33_000).contains($0) }
        #expect(near >= 900, "\(near) of 1000 within a tenth")
    }
}
