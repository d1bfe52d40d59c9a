package import Records

package struct Absence: Sendable {
    package enum Kind: Sendable {
        /// Only one side has it, or it means something else there.
        case missing
        case unsupported
        case failed
    }

    package var arm: Arm
    /// The metric's column name; `nil` for the whole arm.
    package var metric: String?
    package var kind: Kind
    package var reason: String
}

extension Absence {
    /// What `base` and `new`, the runs of one arm, lack; at least one of them is there.
    static func all(base: ArmRuns?, new: ArmRuns?, design: ComparisonOptions.Design) -> [Absence] {
        guard let arm = (base ?? new)?.arm else { return [] }
        guard let base else { return [Absence(arm: arm, kind: .missing, reason: "only the new side has it")] }
        guard let new else { return [Absence(arm: arm, kind: .missing, reason: "only the base has it")] }
        let both = [base, new].map(unsupported)
        if let old = both[0], let now = both[1] {
            let reason = old == now ? old : "\(old); \(now)"
            return [Absence(arm: arm, kind: .unsupported, reason: "not supported: \(reason)")]
        }
        let lost = zip([base, new], ["the base", "the new side"]).compactMap { runs, side in
            if let reason = unsupported(runs) {
                return Absence(arm: arm, kind: .unsupported, reason: "not supported on \(side): \(reason)")
            }
            return failed(runs, side).map { Absence(arm: arm, kind: .failed, reason: $0) }
        }
        guard lost.isEmpty, let reason = MatchedArm(base: base, new: new).imbalance(design) else { return lost }
        return [Absence(arm: arm, kind: .missing, reason: reason)]
    }

    private static func unsupported(_ runs: ArmRuns) -> String? {
        guard runs.records.allSatisfy({ $0.status == .unsupported }), let first = runs.records.first else { return nil }
        return first.reason.isEmpty ? "no reason is given" : first.reason
    }

    /// Which runs of an arm went wrong and were not made up for by a later try in the same round.
    private static func failed(_ runs: ArmRuns, _ side: String) -> String? {
        let tries = Dictionary(runs.records.map { ($0.round, $0) }) { $1 }.sorted { $0.key < $1.key }.map(\.value)
        let lost = tries.filter { $0.status != .ok }
        guard let first = lost.first else { return nil }
        let states = Status.allCases.compactMap { status in
            let count = lost.count { $0.status == status }
            return count > 0
                ? "\(count) of \(tries.count) runs \(status == .failed ? "" : "are ")\(status.rawValue)" : nil
        }
        let reason = lost.map(\.reason).first { !$0.isEmpty }.map { ": \($0)" } ?? ""
        return "\(states.joined(separator: ", ")) on \(side)\(first.status == .partial ? " (interrupted)" : reason)"
    }

    /// What the metrics of an arm with usable runs on both sides lack.
    static func all(_ arm: MatchedArm, metrics: [Column], options: ComparisonOptions) -> [Absence] {
        guard !arm.base.usable.isEmpty, !arm.new.usable.isEmpty else { return [] }
        var absences: [Absence] = []
        for column in metrics where arm.samples(column, design: options.design) == nil {
            guard let reason = reason(arm, column, options: options) else { continue }
            if let place = absences.firstIndex(where: { $0.reason == reason }) {
                absences[place].metric? += ", \(column.name)"
            } else {
                absences.append(Absence(arm: arm.base.arm, metric: column.name, kind: .missing, reason: reason))
            }
        }
        return absences
    }

    private static func reason(_ arm: MatchedArm, _ column: Column, options: ComparisonOptions) -> String? {
        guard arm.compares(column) else {
            guard isNamed(column, options) else { return nil }
            return column.name == "capacity_ops_per_s"
                ? "no rate was searched for" : "of searches for a rate capacity_ops_per_s alone is compared"
        }
        let isMeasured = [arm.base, arm.new].map { !$0.values { column.number(of: $0) }.isEmpty }
        if column.isLatency, isMeasured == [true, true], let saturation = arm.saturation {
            switch saturation {
            case .base: return "the base did not keep the rate that was offered, the new side did"
            case .new: return "the new side did not keep the rate that was offered, the base did"
            case .both: return isNamed(column, options) ? "neither side kept the rate that was offered" : nil
            }
        }
        guard options.gating.contains(column.name) else { return nil }
        switch (isMeasured[0], isMeasured[1]) {
        case (true, true): return options.design == .paired ? "no block has it on both sides" : nil
        case (true, false): return "only the base has it"
        // A baseline need not know what later versions count.
        case (false, true): return options.comparesSteadyCountsOnly ? nil : "only the new side has it"
        case (false, false): return isNamed(column, options) ? "neither side has it" : nil
        }
    }

    /// Whether the user named the metric as one that decides, beside which nothing else counts.
    private static func isNamed(_ column: Column, _ options: ComparisonOptions) -> Bool {
        !options.othersCount && options.gating.contains(column.name)
    }
}
