/// Which rate to try next, to find the highest one that holds a bound.
///
/// Rates double from a start until two in a row miss, or halve until one holds. Then the interval between what held and what
/// missed is halved, on a logarithmic scale, until its ends are within ``precision``. The last runs are longer ones: from
/// the highest rate that held downwards, in growing steps, until one holds again, then upwards until one misses. A miss may
/// be the machine's, so each takes two runs.
package struct CapacitySearch: Sendable {
    /// What to run next.
    package enum Trial: Equatable, Sendable {
        /// A short run at so many operations per second.
        case probe(Double)
        /// A longer one, of which the highest that holds is the capacity.
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
    /// The lowest rate that missed in the short runs; nil if all held.
    package private(set) var missed: Double?

    private let range: ClosedRange<Double>
    private var phase = Phase.doubling
    private var held: Double?
    private var isSecondTry = false
    private var stepsDown = 0
    /// Rates in a row that missed although all that was offered was served.
    private var servedMisses = 0
    /// So many show that the latency is not one of waiting, which a lower rate would shorten.
    private static let mostServedMisses = 4

    private enum Phase {
        case doubling
        /// One rate has missed, and the double is tried to see whether that was chance.
        case doubting
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
    package mutating func take(holds: Bool, isServed: Bool = false) {
        guard let rate = next?.rate else { return }
        if !holds && !isSecondTry && phase != .doubting {
            isSecondTry = true
            return
        }
        isSecondTry = false
        switch phase {
        case .confirming where !holds: return stepDown(from: rate)
        case .confirming, .surpassing: return surpass(rate, holds)
        case .doubling, .doubting, .halving, .bisecting: break
        }
        servedMisses = !holds && isServed ? servedMisses + 1 : 0
        if holds {
            held = rate
            // What missed at a lower rate was the machine's.
            if let lower = missed, lower < rate { missed = nil }
        } else if missed.map({ rate < $0 }) ?? true {
            missed = rate
        }
        next = following(rate, holds)
    }

    private mutating func following(_ rate: Double, _ holds: Bool) -> Trial? {
        switch phase {
        case .doubling, .doubting:
            if phase == .doubting && !holds { break }
            phase = holds ? .doubling : .doubting
            if rate < range.upperBound { return .probe(min(rate * 2, range.upperBound)) }
        case .halving, .bisecting, .confirming, .surpassing: break
        }
        guard let held else {
            phase = .halving
            let lowest = missed ?? range.lowerBound
            if servedMisses >= Self.mostServedMisses { return nil }
            return lowest > range.lowerBound ? .probe(max(lowest / 2, range.lowerBound)) : nil
        }
        guard let missed, missed > held * (1 + Self.precision) else {
            phase = .confirming
            return .confirmation(held)
        }
        phase = .bisecting
        return .probe((held * missed).squareRoot())
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
