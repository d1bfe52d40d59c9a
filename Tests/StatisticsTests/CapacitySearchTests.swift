import Statistics
import Testing

/// Searches against servers whose capacity is known.
@Suite struct CapacitySearchTests {
    private let range = 100.0...1e8
    /// How far below the highest rate that holds a search may end: the margin and the bracket are split in halves.
    private let tolerance = 1.001 * ((1 + CapacitySearch.bracket) * (1 + CapacitySearch.margin)).squareRoot()

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

    @Test(arguments: [100, 130.5, 999, 1000, 1001, 45_678, 3_000_000]) func endsBetweenWhatHoldsAndAMarginBelow(
        _ highest: Double
    ) throws {
        let (search, trials) = search { $0.rate <= highest }
        let found = try #require(search.capacity)
        #expect(found <= highest && found > highest / tolerance, "\(found)")
        // A longer run has shown it, and the last that more is too much.
        #expect(trials.contains(.init(.confirmation, found)))
        #expect(trials.last == .init(.confirmation, found * (1 + CapacitySearch.margin)))
        #expect(trials.count < 50, "\(trials.count)")
        #expect(trials.count { $0.kind == .confirmation } <= 6)
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
        // The first short run at each rate misses.
        let (search, _) = search { trial in
            trial.rate <= 50_000 && (trial.kind == .confirmation || !misses.insert(trial.rate).inserted)
        }
        #expect(try #require(search.capacity) > 50_000 / tolerance)
    }

    /// One long run tells the opposite of what is true.
    @Test(arguments: 1...6) func oneLongRunDecidesNothing(_ number: Int) throws {
        var count = 0
        let (search, _) = search { trial in
            if trial.kind == .confirmation { count += 1 }
            return (trial.rate <= 50_000) != (trial.kind == .confirmation && count == number)
        }
        let found = try #require(search.capacity)
        #expect(found <= 50_000 && found * (1 + CapacitySearch.margin) > 50_000, "\(found)")
    }

    @Test(arguments: [[1000], [4000], [1000, 2000, 4000, 8000]]) func whatIsMissedAtALowRateEndsNothing(
        _ misses: Set<Double>
    ) throws {
        let (search, _) = search(ceiling: 80_000) { $0.rate <= 50_000 && !misses.contains($0.rate) }
        #expect(try #require(search.capacity) > 50_000 / tolerance)
    }

    @Test func theLongerRunDecides() throws {
        // Short runs end before the queue has grown.
        let (search, trials) = search { $0.rate <= ($0.kind == .probe ? 40_000 : 35_000) }
        let found = try #require(search.capacity)
        #expect(found <= 35_000 && found > 35_000 / tolerance, "\(found)")
        #expect(trials.contains(.init(.confirmation, found)))
    }
}
