/// Which rate to try next, to find one that holds a bound again, and above which it is missed.
///
/// Short runs find about where it lies. Rates double from a start until one is too much to be served: below that a
/// bound may be missed at a low rate and held at a higher one, since what idles wakes slowly. A start that is too much
/// is halved until one holds. Then the interval between the highest rate that held and the next that missed is halved,
/// on a logarithmic scale, until its ends are within ``precision``. A miss may be the machine's, so each takes two
/// runs, but for those on the way up that served all, which end nothing.
///
/// Long runs decide. Near the limit a rate holds in some runs and misses in others, and the highest of several that
/// held is one that was lucky. So they look for the rate at which about half of them hold: from what the short runs
/// found down in growing steps until one holds, or up until one misses, then between the two until they are within
/// ``bracket``. The capacity is so far below their middle that ``margin`` more is as far above it. Both are run. The
/// capacity has two tries, since a higher rate has held; where the margin holds too, what missed missed by chance, and
/// they go up from there.
package struct CapacitySearch: Sendable {
    /// What to run next.
    package struct Trial: Sendable, Equatable {
        package let kind: Kind
        /// Operations per second.
        package let rate: Double

        package init(_ kind: Kind, _ rate: Double) { (self.kind, self.rate) = (kind, rate) }
    }

    package enum Kind: String, Sendable, CaseIterable {
        /// A short run.
        case probe
        /// A long one, of those that decide.
        case confirmation
    }

    /// How close the short runs come: the last rates that held and missed differ by so much.
    package static let precision = 0.02
    /// How close the long runs come.
    package static let bracket = 0.05
    /// How far above the capacity a long run misses.
    package static let margin = 0.1
    /// The first two steps from one long run to the next; each further one is twice as large.
    private static let firstStep = 0.04

    /// Nil when the search is over.
    package private(set) var next: Trial?
    /// The rate that holds; nil while it is not known, and if there is none.
    package private(set) var capacity: Double?

    private let range: ClosedRange<Double>
    private var phase = Phase.doubling
    /// The highest rate that held, of the short runs and later of the long ones.
    private var held: Double?
    /// The lowest rate above ``held`` that missed, of the same runs.
    private var missed: Double?
    private var isSecondTry = false
    /// Steps that the long runs took.
    private var steps = 0
    /// Rates that missed although all that was offered was served.
    private var servedMisses = 0
    /// So many of them show that the latency is not one of waiting.
    private static let mostServedMisses = 3

    private enum Phase {
        case doubling
        case halving
        case bisecting
        /// Long runs: one that holds and one that misses, close together.
        case bracketing
        /// The capacity itself.
        case confirming
        /// More than the capacity, which has to miss.
        case surpassing
    }

    /// - Parameters:
    ///   - start: the first rate.
    ///   - range: the rates that can be tried.
    package init(start: Double, range: ClosedRange<Double>) {
        self.range = range
        next = Trial(.probe, min(max(start, range.lowerBound), range.upperBound))
    }

    /// Takes what came of ``next``.
    ///
    /// - Parameter isServed: whether all that was offered was served, be it too late.
    package mutating func take(holds: Bool, isServed: Bool) {
        guard let rate = next?.rate else { return }
        if !holds, !isSecondTry, hasTwoTries(isServed: isServed) {
            isSecondTry = true
            return
        }
        isSecondTry = false
        switch phase {
        case .doubling, .halving, .bisecting: next = probe(after: rate, holds, isServed)
        case .bracketing: next = bracket(rate, holds)
        case .confirming: next = confirm(rate, holds)
        case .surpassing where holds:
            // It lies higher, and what follows has to show where.
            capacity = nil
            next = bracket(rate, holds)
        case .surpassing: next = nil
        }
    }

    private func hasTwoTries(isServed: Bool) -> Bool {
        switch phase {
        case .doubling: !isServed
        case .halving, .bisecting, .confirming: true
        // Beside each of these another long run tells of the same.
        case .bracketing, .surpassing: false
        }
    }

    private mutating func probe(after rate: Double, _ holds: Bool, _ isServed: Bool) -> Trial? {
        if holds {
            held = rate
            // What missed at a lower rate did not miss by too much load.
            if let lower = missed, lower < rate { missed = nil }
        } else {
            if isServed { servedMisses += 1 }
            missed = min(missed ?? rate, rate)
        }
        if phase == .doubling, holds || isServed, rate < range.upperBound {
            return Trial(.probe, min(rate * 2, range.upperBound))
        }
        guard let held else { return lower(than: rate) }
        guard let missed, missed > held * (1 + Self.precision) else {
            phase = .bracketing
            (self.held, self.missed) = (nil, nil)
            return Trial(.confirmation, held)
        }
        phase = .bisecting
        return Trial(.probe, (held * missed).squareRoot())
    }

    /// What to try while nothing has held; nil if a lower rate would not either.
    private mutating func lower(than rate: Double) -> Trial? {
        phase = .halving
        // Below the start where even that was served.
        let lowest = missed ?? rate
        guard servedMisses < Self.mostServedMisses, lowest > range.lowerBound else { return nil }
        return Trial(.probe, max(lowest / 2, range.lowerBound))
    }

    private mutating func bracket(_ rate: Double, _ holds: Bool) -> Trial? {
        phase = .bracketing
        if holds {
            held = rate
            if let missed, missed <= rate { self.missed = nil }
        } else {
            missed = rate
            if let held, held >= rate { self.held = nil }
        }
        guard let held else {
            return rate > range.lowerBound ? Trial(.confirmation, max(rate / step(), range.lowerBound)) : nil
        }
        guard let missed else {
            if rate < range.upperBound { return Trial(.confirmation, min(rate * step(), range.upperBound)) }
            capacity = rate
            return nil
        }
        let middle = (held * missed).squareRoot()
        guard missed <= held * (1 + Self.bracket) else { return Trial(.confirmation, middle) }
        steps = 0
        phase = .confirming
        return Trial(.confirmation, max(middle / (1 + Self.margin).squareRoot(), range.lowerBound))
    }

    private mutating func step() -> Double {
        defer { steps += 1 }
        return 1 + min(Self.firstStep * Double(1 << min(max(steps - 1, 0), 5)), 1)
    }

    private mutating func confirm(_ rate: Double, _ holds: Bool) -> Trial? {
        // What held above it was lucky.
        guard holds else { return bracket(rate, holds) }
        capacity = rate
        phase = .surpassing
        return Trial(.confirmation, min(rate * (1 + Self.margin), range.upperBound))
    }
}
