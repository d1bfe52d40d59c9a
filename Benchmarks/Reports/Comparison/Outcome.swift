import Foundation
package import Records
import Statistics

/// What a comparison amounts to, the gravest first.
package enum Outcome: String, Sendable, CaseIterable {
    case regressed = "REGRESSED"
    case failed = "FAILED"
    case notCompared = "NOT COMPARED"
    case inconclusive = "INCONCLUSIVE"
    case improved = "IMPROVED"
    case same = "SAME"
}

extension Comparison {
    package var outcome: Outcome {
        if verdict == .regressed { return .regressed }
        if !allowsMissing || !rows.contains(where: \.isGating) {
            if absences.contains(where: { $0.kind == .failed }) { return .failed }
            if !absences.isEmpty || rows.isEmpty { return .notCompared }
        }
        switch verdict {
        case .regressed: return .regressed
        case .inconclusive: return .inconclusive
        case .improved: return .improved
        case .same: return .same
        }
    }

    /// What decides or alarms, is in doubt, and would be settled by more runs.
    package var open: [MetricComparison] {
        rows.filter { ($0.isGating && $0.verdict == .inconclusive || $0.counts && $0.isSuspect) && $0.doubt == nil }
    }

    /// The arms of which a gating metric is worse or in doubt, or a run failed.
    package var openArms: Set<Arm> {
        let doubtful = rows.filter { $0.isGating && [.regressed, .inconclusive].contains($0.verdict) }.map(\.arm)
        return Set(doubtful + absences.filter { $0.kind == .failed }.map(\.arm) + regressingCalls.map(\.arm))
    }

    /// The rows that the outcome rests on.
    var deciding: [MetricComparison] {
        switch outcome {
        case .failed, .notCompared: []
        case .regressed: rows.filter { $0.counts && $0.verdict == .regressed }
        case .inconclusive: rows.filter { $0.isGating && $0.verdict == .inconclusive || $0.counts && $0.isSuspect }
        case .improved: rows.filter { $0.counts && $0.verdict == .improved }
        case .same: rows.filter(\.isGating)
        }
    }
}

/// The one line that tells what comparisons amount to: outcome, workload, mode, metric and size of the largest change.
package struct Headline: Sendable {
    package let outcome: Outcome
    /// `REGRESSED accept/epoll-lt server_cpu_ns_per_op +11.5 % [4.8, 24.2] and 3 more`
    package let text: String

    /// Of comparisons that are judged together, one for each workload.
    package init(_ comparisons: [Comparison]) {
        let outcomes = Set(comparisons.map(\.outcome))
        outcome = Outcome.allCases.first(where: outcomes.contains) ?? .notCompared
        let arms = comparisons.flatMap { $0.rows.map(\.arm) + $0.absences.map(\.arm) }
        // What differs between workloads does not tell the arms of one apart.
        let varying = Dictionary(grouping: arms) { $0["workload"] }.mapValues(Arm.varyingColumns)
        let newMode = comparisons.compactMap(\.newMode).first
        func name(_ arm: Arm) -> String {
            let against = newMode.flatMap { $0 == arm["mode"] ? nil : "\($0) against " } ?? ""
            return "\(arm["workload"])/\(against)\(arm.label(varying: varying[arm["workload"]] ?? []))"
        }
        let judged = comparisons.filter { [outcome] in $0.outcome == outcome }
        var parts: [String] = []
        var allowed = comparisons.filter(\.allowsMissing).flatMap(\.absences)
        switch outcome {
        case .failed, .notCompared:
            let absences = judged.flatMap(\.absences)
            allowed = []
            if let first = absences.first(where: { [outcome] in outcome == .notCompared || $0.kind == .failed }) {
                parts = [name(first.arm)] + [first.metric].compactMap { $0 }
                parts[parts.count - 1] += more(absences.count) + ": \(first.reason)"
            }
        default:
            let rows = judged.flatMap(\.deciding)
            let worst = rows.enumerated().max { ($0.element.size, -$0.offset) < ($1.element.size, -$1.offset) }?.element
            if let worst {
                let reason = worst.doubt.map { ": \($0)" } ?? ""
                parts = [name(worst.arm), worst.metric, worst.change + more(rows.count) + reason]
            } else if let call = judged.flatMap(\.regressingCalls).first {
                parts = [name(call.arm), "syscalls_per_op", call.text]
            } else if let arm = judged.flatMap(\.armsWithoutTimes).first {
                parts = [name(arm) + ": no time was measured on both sides"]
            }
        }
        if !allowed.isEmpty { parts.append("(allowed: \(allowed.count) not compared)") }
        let omitted = comparisons.reduce(0) { $0 + $1.omissions.count }
        if omitted > 0 { parts.append("(\(omitted) count\(omitted == 1 ? "" : "s") not compared)") }
        text = ([outcome.rawValue] + parts).joined(separator: " ")
    }
}

private func more(_ count: Int) -> String { count > 1 ? " and \(count - 1) more" : "" }

extension MetricComparison {
    var size: Double { ratio > 0 ? abs(log(ratio)) : .infinity }

    /// `+11.5 % [4.8, 24.2]`, or what it was and is where there is no interval or no ratio.
    var change: String {
        func percent(_ ratio: Double) -> String { Decimal.fixed(100 * (ratio - 1), digits: 1) }
        let values = "\(HumanUnits.of(base, column: metric)) to \(HumanUnits.of(new, column: metric))"
        guard base > 0 && new > 0 || ratio == 1 else { return values }
        let size = "\(ratio >= 1 ? "+" : "")\(percent(ratio)) %"
        guard let interval else { return "\(size) (\(values))" }
        return "\(size) [\(percent(interval.lower)), \(percent(interval.upper))]"
    }
}
