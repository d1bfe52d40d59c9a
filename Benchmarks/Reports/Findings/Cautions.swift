import Records
import Statistics

/// What has to be known before the answer to "which mode is best" is used.
struct Cautions {
    let groups: [ArmRuns]
    let noun: OperationName

    var sentences: [String] { [unused, tooMuchOffered, slow, warned].compactMap { $0 } }

    private func label(_ group: ArmRuns) -> String { group.label(among: groups) }

    /// `3 of 39 runs are not used: 2 failed (blocking), 1 void (poll).`
    private var unused: String? {
        let all = groups.flatMap(\.records)
        let states = Status.allCases.filter { $0 != .ok }.compactMap { status -> String? in
            let affected = groups.filter { $0.records.contains { $0.status == status } }
            guard !affected.isEmpty else { return nil }
            let number = affected.reduce(0) { $0 + $1.records.count { $0.status == status } }
            return "\(number) \(status.rawValue) (\(Answer.list(affected.map(label))))"
        }
        guard !states.isEmpty else { return nil }
        let number = all.count { $0.status != .ok }
        return
            "\(number) of \(all.count) runs \(number == 1 ? "is" : "are") not used: \(states.joined(separator: ", "))."
    }

    private var tooMuchOffered: String? {
        let used = groups.filter { !$0.usable.isEmpty }
        let saturated = used.filter { !$0.keptItsRate }
        guard !saturated.isEmpty else { return nil }
        let texts = saturated.map { group in
            let served = median(group.values(\.throughputOpsPerS)).map(HumanUnits.count) ?? "?"
            let offered = median(group.values(\.offeredPerS)).map(HumanUnits.count) ?? "?"
            return "\(label(group)) served \(served) of \(offered) \(noun.plural) per second"
        }
        let who =
            saturated.count == used.count
            ? "No mode kept the rate that it was offered"
            : "Not ranked, for they did not keep the rate that was offered"
        return "\(who): \(Answer.list(texts)). Latencies grow with the length of such a run."
    }

    /// A mode that serves a small part of what its neighbours do waits for something.
    private var slow: String? {
        let slow = groups.filter { $0.isFarSlower(thanMostOf: groups) }
        guard !slow.isEmpty else { return nil }
        let texts = slow.map { group in
            let own = median(group.values(\.throughputOpsPerS)).map(HumanUnits.count) ?? "?"
            let usual = median(group.neighbours(in: groups).flatMap { $0.values(\.throughputOpsPerS) })
            return
                "\(label(group)) served \(own) \(noun.plural) per second where \(usual.map(HumanUnits.count) ?? "?") "
                + "is usual"
        }
        return "Not ranked, for something delays them: \(Answer.list(texts))."
    }

    private var warned: String? {
        let texts = groups.compactMap { group -> String? in
            let rows = group.usable.filter { !$0.warnings.isEmpty }
            let said = rows.map(\.warnings).distinct
            guard let first = said.first else { return nil }
            return "\(label(group)) in \(rows.count) of \(group.usable.count) rounds (\(first))"
        }
        return texts.isEmpty ? nil : "Rows carry warnings: \(Answer.list(texts))."
    }
}

extension ArmRuns {
    fileprivate func neighbours(in groups: [ArmRuns]) -> [ArmRuns] {
        let varying = Arm.varyingColumns(of: groups.map(\.arm))
        return groups.filter { other in varying.allSatisfy { other.arm[$0] == arm[$0] } }
    }

    /// Whether a closed loop serves less than a tenth of what the median of three modes or more does.
    func isFarSlower(thanMostOf groups: [ArmRuns]) -> Bool {
        let rates = neighbours(in: groups).compactMap { median($0.values(\.throughputOpsPerS)) }
        guard !arm.hasSchedule, rates.count > 2, let own = median(values(\.throughputOpsPerS)),
            let usual = median(rates)
        else { return false }
        return own < usual / outlierFactor
    }
}
