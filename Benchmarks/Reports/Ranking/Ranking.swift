package import Records
import Statistics

/// The arms of one condition in the order of what decides between them.
package struct Ranking {
    /// An arm, and what its rounds say to the question.
    struct Entry {
        /// Which of the arms it is.
        let index: Int
        let group: ArmRuns
        let values: [Double]
        let middle: Double

        var name: String { group.arm["mode"] }

        /// Whether the interval of the difference holds zero; of rounds too few for one, whether the ranges overlap.
        ///
        /// - Parameter count: how many are compared with the first of them, which share an error of 5 %: one of a dozen
        ///   modes is the lowest by chance too. Of a few the error is 1 %.
        func equals(_ other: Entry, of count: Int) -> Bool {
            let confidence = max(0.99, 1 - 0.05 / Double(max(count - 1, 1)))
            if let shift = HodgesLehmann(base: values, new: other.values)?.interval(confidence: confidence) {
                return shift.lower <= 0 && shift.upper >= 0
            }
            guard let least = values.min(), let most = values.max(), let low = other.values.min(),
                let high = other.values.max()
            else { return true }
            return low <= most && least <= high
        }
    }

    /// Why an arm has no place.
    enum Exclusion: String, CaseIterable {
        case saturated = "did not keep the rate"
        case slow = "far slower than most"
        case unfair = "left workers idle"
        case unmeasured = "without the figure"
    }

    /// Of fewer there is no interval, and of two equal modes every tenth pair has ranges apart.
    static let fewestRounds = 5

    let question: Question
    /// The best first. Those that cannot be told apart from the first of them are together.
    let tiers: [[Entry]]
    /// In the order of the figure; those without one come last.
    let excluded: [(index: Int, group: ArmRuns, reason: Exclusion)]

    /// Ranks arms that had the same to do by their own question, without those that do not compare with the others.
    package init(_ groups: [ArmRuns]) {
        let question = Question(groups)
        let reasons = Self.exclusions(groups)
        let entries = Self.entries(groups, by: question)
        let unmeasured = groups.indices.filter { index in !entries.contains { $0.index == index } }
        self.question = question
        tiers = Self.tiers(entries.filter { reasons[$0.index] == nil })
        excluded =
            (entries.map(\.index) + unmeasured.sorted { !groups[$0].usable.isEmpty && groups[$1].usable.isEmpty })
            .compactMap { index in
                let reason = reasons[index] ?? (unmeasured.contains(index) ? .unmeasured : nil)
                return reason.map { (index, groups[index], $0) }
            }
    }

    /// Ranks all of `groups`.
    init(all groups: [ArmRuns], by question: Question) {
        self.question = question
        tiers = Self.tiers(Self.entries(groups, by: question))
        excluded = []
    }

    /// Those that compare with the others, or all if none does.
    static func comparable(_ groups: [ArmRuns]) -> [ArmRuns] {
        let excluded = exclusions(groups)
        let kept = groups.indices.filter { excluded[$0] == nil }.map { groups[$0] }
        return kept.isEmpty ? groups : kept
    }

    private static func exclusions(_ groups: [ArmRuns]) -> [Int: Exclusion] {
        var reasons: [Int: Exclusion] = [:]
        for (index, group) in groups.enumerated() where !group.usable.isEmpty {
            if !group.keptItsRate {
                reasons[index] = .saturated
            } else if group.isFarSlower(thanMostOf: groups) {
                reasons[index] = .slow
            } else if group.leavesWorkersIdle {
                reasons[index] = .unfair
            }
        }
        return reasons
    }

    static func entries(_ groups: [ArmRuns], by question: Question) -> [Entry] {
        let sign: Double = question.prefersMore ? -1 : 1
        return entries(groups, question.value).sorted { (sign * $0.middle, $0.index) < (sign * $1.middle, $1.index) }
    }

    /// In the order of the arms.
    static func entries(_ groups: [ArmRuns], _ value: (RunRecord) -> Double?) -> [Entry] {
        groups.enumerated().compactMap { index, group in
            let values = group.values(value)
            return median(values).map { Entry(index: index, group: group, values: values, middle: $0) }
        }
    }

    private static func tiers(_ entries: [Entry]) -> [[Entry]] {
        var tiers: [[Entry]] = []
        for entry in entries {
            if let first = tiers.last?.first, first.equals(entry, of: entries.count) {
                tiers[tiers.count - 1].append(entry)
            } else {
                tiers.append([entry])
            }
        }
        return tiers
    }

    var count: Int { tiers.reduce(0) { $0 + $1.count } }

    /// Rounds of the arm that has fewest.
    var rounds: Int { tiers.joined().map(\.values.count).min() ?? 0 }

    /// Whether places say more than the order does: a single round tells nobody apart.
    package var hasPlaces: Bool { count > 1 && tiers.joined().contains { $0.values.count > 1 } }

    /// Every arm by its number, in the order of the ranking, and its place; nil for one that is not ranked.
    ///
    /// Arms that cannot be told apart share a place: 1, 1, 3.
    package var order: [(index: Int, place: Int?)] {
        var all: [(index: Int, place: Int?)] = []
        for tier in tiers {
            let place = all.count + 1
            all += tier.map { ($0.index, place) }
        }
        return all + excluded.map { ($0.index, nil) }
    }
}
