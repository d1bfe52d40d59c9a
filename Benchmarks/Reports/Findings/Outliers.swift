import Records
import Statistics

/// A mode that is this many times slower than its neighbours is a finding, or a fault.
let outlierFactor = 10.0

/// Arms that serve less by an order of magnitude, or keep operations waiting longer by one, than the median of the other
/// modes that ran with the same options.
func outliers(_ groups: [ArmRuns]) -> [String] {
    let varying = Arm.varyingColumns(of: groups.map(\.arm))
    let usable = groups.filter { !$0.usable.isEmpty }
    let neighbours = Dictionary(grouping: usable) { $0.arm.optionsBesideMode }
    return usable.compactMap { group in
        let others = neighbours[group.arm.optionsBesideMode, default: []].filter { $0.arm["mode"] != group.arm["mode"] }
        let found = [
            slowness(group, others, \.throughputOpsPerS, isHigherBetter: true) { rate, usual in
                "serves \(HumanUnits.count(rate))/s, where the other modes serve \(HumanUnits.count(usual))/s"
            },
            slowness(group, others, { $0.latencyP50Ns.map { Double($0) } }, isHigherBetter: false) { time, usual in
                "takes \(HumanUnits.time(nanoseconds: time)) (p50), where the other modes take "
                    + HumanUnits.time(nanoseconds: usual)
            },
        ].compactMap { $0 }
        guard let worst = found.max(by: { $0.factor < $1.factor }) else { return nil }
        let label = group.arm.label(varying: varying)
        let factor = HumanUnits.count(worst.factor.rounded())
        return "\(label) \(worst.text): \(factor) times \(worst.isRate ? "less" : "longer"). "
            + (cause(group).map { "Its rows say: \($0)." } ?? "Find out why before you use its figures: bench doctor.")
    }
}

/// How much worse than the median of the others an arm's median is, if that is an order of magnitude.
private func slowness(
    _ group: ArmRuns, _ others: [ArmRuns], _ value: (RunRecord) -> Double?, isHigherBetter: Bool,
    text: (Double, Double) -> String
) -> (factor: Double, isRate: Bool, text: String)? {
    guard let own = median(group.values(value)), own > 0,
        let usual = median(others.compactMap { median($0.values(value)) }), usual > 0
    else { return nil }
    let factor = isHigherBetter ? usual / own : own / usual
    return factor >= outlierFactor ? (factor, isHigherBetter, text(own, usual)) : nil
}

private func cause(_ group: ArmRuns) -> String? {
    let lists = group.usable.map(\.warningList)
    let common = (lists.first ?? []).filter { warning in lists.allSatisfy { $0.contains(warning) } }
    return common.isEmpty ? nil : common.joined(separator: ", ")
}

/// What rows warn of, each kind once: warnings that differ only in their numbers are of one kind.
func rowWarnings(_ groups: [ArmRuns]) -> [String] {
    var kinds: [(key: String, example: String, isSame: Bool, arms: Set<Arm>)] = []
    for group in groups {
        for warning in group.records.flatMap(\.warningList) {
            let key = String(warning.map { $0.isNumber ? "#" : $0 }).replacing(/[#. ]+/, with: "#")
            if let place = kinds.firstIndex(where: { $0.key == key }) {
                kinds[place].arms.insert(group.arm)
                if kinds[place].example != warning { kinds[place].isSame = false }
            } else {
                kinds.append((key, warning, true, [group.arm]))
            }
        }
    }
    return kinds.compactMap { kind in
        names(groups) { kind.arms.contains($0.arm) }.map {
            "\($0): \(kind.isSame ? "" : "for example ")\(kind.example)."
        }
    }
}

extension Arm {
    /// What a mode can be compared by: everything but the mode, and what depends on it.
    fileprivate var optionsBesideMode: [String] {
        // Every mode has its own usual topology, and blocking reads as many threads as connections.
        let ofMode = ["mode", "topology", "rearm"] + (self["workload"] == "read" ? ["workers"] : [])
        return zip(Arm.columns, values).map { ofMode.contains($0.name) ? "" : $1 }
    }
}
