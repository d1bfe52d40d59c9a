/// Which rate to try next, to find the highest one that holds a bound.
///
/// Rates double from a start until one is too much to be served: below that a bound may be missed at a low rate and held at
/// a higher one, since what idles wakes slowly. A start that is too much is halved until one holds. Then the interval between
/// the highest rate that held and the next that missed is halved, on a logarithmic scale, until its ends are within
/// ``precision``. The last runs are longer ones: from the highest rate that held downwards, in growing steps, until one holds
/// again, then upwards until one misses. A miss may be the machine's, so each takes two runs, but for those on the way up
/// that served all, which end nothing.
package struct CapacitySearch: Sendable {
    /// What to run next.
    package enum Trial: Equatable, Sendable {
        /// A short run at so many operations per second.
        case probe(Double)
        /// A longer one; the highest that holds is the capacity.
        case confirmation(Double)

        /// Operations per second.
        package var rate: Double {
            switch self {
            case .probe(let rate), .confirmation(let rate): rate
            }
        }
    }

    /// How close the search comes: the last rates that held and missed differ by so much.
    package static let precision = 0.02
    /// How far above the capacity a longer run misses.
    package static let margin = 0.05

    /// Nil when the search is over.
    package private(set) var next: Trial?
    /// The highest rate that held, confirmed; nil while it is not known, and if none held.
    package private(set) var capacity: Double?

    private let range: ClosedRange<Double>
    private var phase = Phase.doubling
    private var held: Double?
    /// The lowest rate above ``held`` that missed in the short runs.
    private var missed: Double?
    private var isSecondTry = false
    private var stepsDown = 0
    /// Rates that missed although all that was offered was served.
    private var servedMisses = 0
    /// So many of them show that the latency is not one of waiting.
    private static let mostServedMisses = 3

    private enum Phase {
        case doubling
        case halving
        case bisecting
        case confirming
        /// A longer run has held, and one at a higher rate has to miss.
        case surpassing
    }

    /// - Parameters:
    ///   - start: the first rate.
    ///   - range: the rates that can be tried.
    package init(start: Double, range: ClosedRange<Double>) {
        self.range = range
        next = .probe(min(max(start, range.lowerBound), range.upperBound))
    }

    /// Takes what came of ``next``.
    ///
    /// - Parameter isServed: whether all that was offered was served, be it too late.
    package mutating func take(holds: Bool, isServed: Bool) {
        guard let rate = next?.rate else { return }
        let endsNothing = phase == .doubling && isServed
        if !holds && !endsNothing && !isSecondTry {
            isSecondTry = true
            return
        }
        isSecondTry = false
        switch phase {
        case .confirming where !holds: return stepDown(from: rate)
        case .confirming, .surpassing: return surpass(rate, holds)
        case .doubling, .halving, .bisecting: break
        }
        if holds {
            held = rate
            // What missed at a lower rate did not miss by too much load.
            if let lower = missed, lower < rate { missed = nil }
        } else {
            if isServed { servedMisses += 1 }
            missed = min(missed ?? rate, rate)
        }
        next = following(rate, isServed: holds || isServed)
    }

    private mutating func following(_ rate: Double, isServed: Bool) -> Trial? {
        if phase == .doubling, isServed, rate < range.upperBound { return .probe(min(rate * 2, range.upperBound)) }
        guard let held else { return lower(than: rate) }
        guard let missed, missed > held * (1 + Self.precision) else {
            phase = .confirming
            return .confirmation(held)
        }
        phase = .bisecting
        return .probe((held * missed).squareRoot())
    }

    /// What to try while nothing has held; nil if a lower rate would not either.
    private mutating func lower(than rate: Double) -> Trial? {
        phase = .halving
        // Below the start where even that was served.
        let lowest = missed ?? rate
        guard servedMisses < Self.mostServedMisses, lowest > range.lowerBound else { return nil }
        return .probe(max(lowest / 2, range.lowerBound))
    }

    private mutating func stepDown(from rate: Double) {
        let step = min(Self.precision * Double(1 << min(stepsDown, 5)), 0.5)
        stepsDown += 1
        next = rate > range.lowerBound ? .confirmation(max(rate * (1 - step), range.lowerBound)) : nil
    }

    private mutating func surpass(_ rate: Double, _ holds: Bool) {
        phase = .surpassing
        if holds { capacity = rate }
        let higher = min(rate * (1 + Self.margin), range.upperBound)
        next = holds && higher > rate ? .confirmation(higher) : nil
    }
}
