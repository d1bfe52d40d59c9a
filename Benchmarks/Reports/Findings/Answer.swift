import Records
import Statistics

/// Which modes are best, of those that were run under the same conditions: what decides is their question's affair.
struct Answer {
    private let ranking: Ranking
    private let costs: Ranking
    private let calls: [Ranking.Entry]
    /// The bound of a search.
    private let bound: String
    private let namesBound: Bool
    private let noun: OperationName

    /// - Parameter namesBound: Whether the answer says which bound was kept, or what stands before it does.
    init(_ groups: [ArmRuns], noun: OperationName, namesBound: Bool) {
        self.namesBound = namesBound
        self.noun = noun
        let comparable = Ranking.comparable(groups)
        ranking = Ranking(all: comparable, by: Question(groups))
        costs = Ranking(all: comparable, by: .serverCPU)
        calls = Ranking.entries(comparable, \.syscallsPerOp).sorted { $0.middle < $1.middle }
        bound = groups.first?.arm["slo"] ?? ""
    }

    /// The answer without a full stop; `nil` if nothing was measured that decides, and no system calls.
    var text: String? {
        switch ranking.question {
        case .capacity: capacity
        case .p999: joined(tail("99.9th"), cost)
        case .p99: joined(tail("99th"), cost)
        // Of an open loop throughput is the rate, so nobody serves most.
        case .serverCPU, .throughput: cost
        }
    }

    private func joined(_ sentences: String?...) -> String? {
        let said = sentences.compactMap { $0 }
        return said.isEmpty ? nil : said.joined(separator: ". ")
    }

    /// Costs at rates of their own are not compared.
    private var capacity: String? {
        guard let best = ranking.tiers.first?.first else { return "no rate within \(bound) was confirmed" }
        guard best.middle > 0 else { return "no rate kept \(bound)" }
        return sentence(ranking, verbs: ("holds", "hold"), most: "most, ", otherwise: "") { leaders in
            "\(Self.span(leaders.map(\.middle), HumanUnits.count)) \(noun.plural) per second"
                + (namesBound ? " within \(bound)" : "")
        }
    }

    private func tail(_ percentile: String) -> String? {
        let object = "the \(percentile) percentile of latency"
        return sentence(
            ranking, verbs: ("keeps", "keep"), most: object + " lowest, at ", otherwise: object + " at "
        ) { Self.span($0.map(\.middle), HumanUnits.time) }
    }

    private var cost: String? {
        guard let leaders = costs.tiers.first else { return fewestCalls }
        let text = sentence(
            costs, verbs: ("costs", "cost"), most: "the server least, ", otherwise: "the server ", price)
        guard let text, costs.count > 1, let fewest = fewestCalls,
            !leaders.contains(where: { $0.name == calls.first?.name })
        else { return text }
        return "\(text). \(fewest)"
    }

    /// `a and b cost the server least, 11.4 µs to 12.6 µs, and cannot be told apart; c follows with 15.0 µs`
    ///
    /// - Parameters:
    ///   - most: What stands before the figure; where all are equal, or there is one, none is the best, and `otherwise` does.
    private func sentence(
        _ ranking: Ranking, verbs: (one: String, several: String), most: String, otherwise: String,
        _ figure: ([Ranking.Entry]) -> String
    ) -> String? {
        guard let leaders = ranking.tiers.first else { return nil }
        let verb = leaders.count > 1 ? verbs.several : verbs.one
        let hasOthers = ranking.count > leaders.count
        var text = "\(Self.list(leaders.map(\.name))) \(verb) \(hasOthers ? most : otherwise)\(figure(leaders))"
        if leaders.count > 1 { text += ", and cannot be told apart" }
        text += follower(ranking)
        let rounds = ranking.rounds
        if rounds == 1 && ranking.count > 1 || rounds < Ranking.fewestRounds && hasOthers {
            text += "; \(rounds == 1 ? "a single round" : "\(rounds) rounds") cannot rank them for certain"
        }
        return text
    }

    private func price(_ leaders: [Ranking.Entry]) -> String {
        let names = Set(leaders.map(\.name))
        let number = calls.filter { names.contains($0.name) }.map(\.middle)
        let cpu = Self.span(leaders.map(\.middle), HumanUnits.time) + " of CPU time"
        let calls = number.isEmpty ? "" : " and \(Self.span(number, HumanUnits.perOperation)) system calls"
        return "\(cpu)\(calls) per \(noun.singular)"
    }

    /// `; b follows with 12.3 µs, which cannot be told apart from c and d`
    private func follower(_ ranking: Ranking) -> String {
        guard let tier = ranking.tiers.dropFirst().first else { return "" }
        let equals = tier.dropFirst().map(\.name)
        let text = "; \(tier[0].name) follows with \(ranking.question.format(tier[0].middle))"
        return equals.isEmpty ? text : "\(text), which cannot be told apart from \(Self.list(equals))"
    }

    /// Of a mode that makes clearly fewer than every other.
    private var fewestCalls: String? {
        guard let first = calls.first, calls.dropFirst().allSatisfy({ !$0.equals(first, of: calls.count) }) else {
            return nil
        }
        let number = "\(HumanUnits.perOperation(first.middle)) per \(noun.singular)"
        return calls.count == 1 ? nil : "\(first.name) makes the fewest system calls, \(number)"
    }

    /// `11.4 µs`, or `11.4 µs to 12.6 µs`
    private static func span(_ values: [Double], _ format: (Double) -> String) -> String {
        let (least, most) = (format(values.min() ?? 0), format(values.max() ?? 0))
        return least == most ? least : "\(least) to \(most)"
    }

    /// `a, b and c`; of more than four, `a, b, c and 2 more`.
    static func list(_ names: [String]) -> String {
        var shown = names
        if names.count > 4 { shown = names.prefix(3) + ["\(names.count - 3) more"] }
        return shown.dropLast().joined(separator: ", ") + (shown.count > 1 ? " and " : "") + (shown.last ?? "")
    }
}
