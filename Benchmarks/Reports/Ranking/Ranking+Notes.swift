package import Records
import Statistics

extension Ranking {
    /// What the order of a table is by, what equal numbers under `#` mean, and who has none; of the rankings of its
    /// conditions, whose arms are among `groups`.
    package static func notes(_ rankings: [Ranking], among groups: [ArmRuns]) -> [String] {
        let ranked = rankings.filter { $0.count > 1 }
        guard !ranked.isEmpty else { return [] }
        let order = ranked.map(\.question.order).distinct.joined(separator: ", or ")
        let marked = ranked.filter(\.hasPlaces)
        guard let rounds = marked.map(\.rounds).min() else { return ["\(order)."] }
        let few = rounds == 1 ? "a single round ranks" : "\(rounds) rounds rank"
        let meaning =
            rounds < fewestRounds
            ? "those with the same # overlap with the first of them; \(few) none for certain."
            : "those with the same # cannot be told apart from the first of them."
        return ["\(order); \(meaning)"] + [unranked(rankings, among: groups)].compactMap { $0 }
    }

    private static func unranked(_ rankings: [Ranking], among groups: [ArmRuns]) -> String? {
        let all = rankings.flatMap(\.excluded).filter { !$0.group.usable.isEmpty }
        let varying = Arm.varyingColumns(of: groups.map(\.arm))
        let texts = Exclusion.allCases.compactMap { reason -> String? in
            let names = all.filter { $0.reason == reason }.map { $0.group.arm.label(varying: varying) }
            return names.isEmpty ? nil : "\(Answer.list(names)) (\(reason.rawValue))"
        }
        return texts.isEmpty ? nil : "Not ranked: \(texts.joined(separator: ", "))."
    }
}
