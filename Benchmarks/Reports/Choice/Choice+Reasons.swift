package import Records
import Statistics

/// A count of which a candidate has more than the best one, as a reason why it costs more.
private struct Reason: Sendable {
    let value: @Sendable (RunRecord) -> Double?
    /// By how much, and how many times, it must lie above the best one's.
    let least: Double
    var leastRatio = 1.0
    /// What a candidate with this much does for each operation, of which `noun` is the name.
    let phrase: @Sendable (_ amount: String, _ noun: String) -> String

    /// What explains most first: an empty call is a system call as well.
    static let all = [
        Reason(value: \.spuriousWakeupsPerOp, least: 0.1) { amount, noun in
            "woken for nothing \(amount) times a \(noun)"
        },
        Reason(value: \.emptyCallsPerOp, least: 0.2) { amount, noun in
            "\(amount) calls a \(noun) that find nothing"
        },
        Reason(value: \.syscallsPerOp, least: 0.3, leastRatio: 1.15) { amount, noun in
            "\(amount) system calls a \(noun)"
        },
        Reason(value: \.voluntarySwitchesPerOp, least: 0.2, leastRatio: 1.3) { amount, noun in
            "asleep \(amount) times a \(noun)"
        },
    ]

    func exceeds(_ own: Double, _ other: Double) -> Bool { own >= other + least && own >= other * leastRatio }
}

extension Choice {
    /// What was counted of those that cost more, where it tells them from the cheapest: `What costs: 4.00 system calls a
    /// connection (epoll-oneshot), where epoll-lt has 3.00.`
    var reasons: String? {
        // A tail is queueing, and capacities are of rates of their own, at which counts do not compare.
        guard let leader = race.leader, score.name == "server_cpu_ns_per_op" else { return nil }
        let noun = OperationName.of(workload: arms[leader].arm["workload"]).singular
        var rest = beaten(behind: leader).map(\.arm)
        let texts = Reason.all.compactMap { reason -> String? in
            guard let usual = median(arms[leader].values(reason.value)) else { return nil }
            let amounts = rest.compactMap { arm in median(arms[arm].values(reason.value)).map { (arm: arm, amount: $0) }
            }
            let found = amounts.filter { reason.exceeds($0.amount, usual) }.sorted { $0.amount > $1.amount }
            guard let most = found.first?.amount, let least = found.last?.amount else { return nil }
            rest.removeAll { arm in found.contains { $0.arm == arm } }
            let (from, to) = (HumanUnits.perOperation(least), HumanUnits.perOperation(most))
            let amount = from == to ? from : "\(from) to \(to)"
            let names = Answer.list(found.map { name($0.arm) })
            return
                "\(reason.phrase(amount, noun)) (\(names)), where \(name(leader)) has \(HumanUnits.perOperation(usual))"
        }
        return texts.isEmpty ? nil : "What costs: \(texts.joined(separator: "; "))."
    }

    /// What of the recommended takes twice as much memory for a connection as another candidate, or more.
    var memory: String? {
        let all = arms.indices.compactMap { arm in
            median(arms[arm].values(\.bytesPerConnection)).map { (arm: arm, bytes: $0) }
        }
        guard let least = all.min(by: { $0.bytes < $1.bytes }), least.bytes > 0 else { return nil }
        let heavy = all.filter { best.contains($0.arm) && $0.bytes >= 2 * least.bytes }
        guard let most = heavy.map(\.bytes).max() else { return nil }
        return
            "Memory: \(Answer.list(heavy.map { name($0.arm) })) up to \(HumanUnits.count(most)) bytes a connection, where "
            + "\(name(least.arm)) takes \(HumanUnits.count(least.bytes))."
    }

    /// What claims, tried on this kernel, tell of arms: `On this kernel, epoll-lt: 4 of 4 waiting threads woke for one
    /// connection (claim accept-lt-set-per-worker).`
    var observations: [String] {
        observed.map { observation in
            let names = Answer.list(observation.arms.map(name))
            let finding =
                observation.claim.finding.hasSuffix(".")
                ? observation.claim.finding.dropLast() : observation.claim.finding[...]
            return "On this kernel, \(names): \(finding) (claim \(observation.claim.claim))."
        }
    }

    /// A claim that was tried, and the arms of which it tells.
    package struct Observation {
        package var arms: [Int]
        package var claim: ClaimRecord

        package init(arms: [Int], claim: ClaimRecord) {
            self.arms = arms
            self.claim = claim
        }
    }
}
