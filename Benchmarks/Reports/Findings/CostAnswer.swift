import Records
import Statistics

/// Which modes cost the server least, of those that were run under the same conditions.
struct CostAnswer {
    private let ranked: [Entry]
    private let calls: [Entry]
    private let noun: OperationName

    private struct Entry {
        let name: String
        let values: [Double]
        let middle: Double

        init?(_ name: String, _ values: [Double]) {
            guard let middle = median(values) else { return nil }
            (self.name, self.values, self.middle) = (name, values, middle)
        }

        /// One of a dozen modes is the lowest by chance too, so the interval is wider than for a single comparison.
        private static let confidence = 0.99

        /// Whether the interval of the difference holds zero; of fewer than 5 rounds, which have none, whether the ranges
        /// overlap.
        func equals(_ other: Entry) -> Bool {
            if let shift = HodgesLehmann(base: values, new: other.values)?.interval(confidence: Self.confidence) {
                return shift.lower <= 0 && shift.upper >= 0
            }
            guard let least = values.min(), let most = values.max(), let low = other.values.min(),
                let high = other.values.max()
            else { return true }
            return low <= most && least <= high
        }
    }

    /// Of fewer there is no interval, and of two equal modes every tenth pair has ranges apart.
    private static let fewestRounds = 5

    init(_ groups: [ArmRuns], noun: OperationName) {
        self.noun = noun
        func entries(_ value: (RunRecord) -> Double?) -> [Entry] {
            groups.compactMap { Entry($0.arm["mode"], $0.values(value)) }.sorted { $0.middle < $1.middle }
        }
        ranked = entries(\.serverCpuNsPerOp)
        calls = entries(\.syscallsPerOp)
    }

    /// The answer without a full stop; `nil` if neither CPU time nor system calls were measured.
    var text: String? {
        guard let first = ranked.first else { return fewestCalls }
        let leaders = [first] + ranked.dropFirst().prefix(while: first.equals)
        let verb = leaders.count > 1 ? "cost" : "costs"
        // Where all are equal, or there is one, none is the cheapest.
        let least = ranked.count > leaders.count ? "the server least," : "the server"
        var text = "\(Self.list(leaders.map(\.name))) \(verb) \(least) \(price(leaders)) per \(noun.singular)"
        if leaders.count > 1 { text += ", and cannot be told apart" }
        text += follower(behind: leaders)
        let rounds = ranked.map(\.values.count).min() ?? 0
        if rounds == 1 && ranked.count > 1 || rounds < Self.fewestRounds && ranked.count > leaders.count {
            text += "; \(rounds == 1 ? "a single round" : "\(rounds) rounds") cannot rank them for certain"
        }
        guard ranked.count > 1, let fewest = fewestCalls, !leaders.contains(where: { $0.name == calls.first?.name })
        else { return text }
        return "\(text). \(fewest)"
    }

    private func price(_ leaders: [Entry]) -> String {
        let names = Set(leaders.map(\.name))
        let number = calls.filter { names.contains($0.name) }.map(\.middle)
        let cpu = Self.span(leaders.map(\.middle), HumanUnits.time) + " of CPU time"
        return number.isEmpty ? cpu : "\(cpu) and \(Self.span(number, HumanUnits.perOperation)) system calls"
    }

    /// `; b follows with 12.3 µs, which cannot be told apart from c and d`
    private func follower(behind leaders: [Entry]) -> String {
        let taken = Set(leaders.map(\.name))
        let rest = ranked.filter { !taken.contains($0.name) }
        guard let next = rest.first else { return "" }
        let equals = rest.dropFirst().filter(next.equals)
        let text = "; \(next.name) follows with \(HumanUnits.time(nanoseconds: next.middle))"
        return equals.isEmpty ? text : "\(text), which cannot be told apart from \(Self.list(equals.map(\.name)))"
    }

    /// Of a mode that makes clearly fewer than every other.
    private var fewestCalls: String? {
        guard let first = calls.first, calls.dropFirst().allSatisfy({ !$0.equals(first) }) else { return nil }
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
