package import Records
import Statistics

/// What the numbers of a run show, in plain sentences: of each workload first which mode is best, then what weakens
/// that, then what is odd.
///
/// A sentence ranks two modes only where the intervals of their rounds lie apart, and says so where there was a single
/// round; what the sample cannot support is not said.
package func findings(for records: [RunRecord]) -> [String] {
    let all = workloadFindings(for: records)
    return all.flatMap { found in
        let others = found.cautions + found.oddities
        return found.answers + (all.count > 1 ? others.map { "\(found.workload): \($0)" } : others)
    }
}

package struct WorkloadFindings: Sendable {
    package var workload: String
    /// Which modes are best by what the workload is about, a sentence for each condition; empty if nothing that decides was
    /// measured.
    package var answers: [String]
    /// What has to be known beside the answer: runs that are not used, did not keep their rate or carry warnings.
    package var cautions: [String]
    package var oddities: [String]
}

/// The findings, workload by workload in the order of first appearance.
package func workloadFindings(for records: [RunRecord]) -> [WorkloadFindings] {
    let workloads = records.map(\.workload).distinct
    return workloads.map { workload in
        let groups = ArmRuns.group(records.filter { $0.workload == workload })
        let noun = OperationName.of(workload: workload)
        let usable = groups.filter { !$0.usable.isEmpty }
        return WorkloadFindings(
            workload: workload, answers: answers(usable, workload: workload, noun: noun),
            cautions: Cautions(groups: groups, noun: noun).sentences,
            oddities: Findings(groups: usable, noun: noun).sentences)
    }
}

/// More conditions than this are left to the tables.
private let mostAnswers = 6

/// A sentence for each condition and machine: modes rank only among those that had the same to do.
private func answers(_ groups: [ArmRuns], workload: String, noun: OperationName) -> [String] {
    let name = workload.prefix(1).uppercased() + workload.dropFirst()
    let found = groups.byCondition.sorted { Condition.precede($0.condition, $1.condition) }.compactMap {
        part -> String? in
        let namesBound = !part.condition.columns.contains("slo")
        guard let text = Answer(part.members, noun: noun, namesBound: namesBound).text else { return nil }
        return ([name] + part.condition.phrases).joined(separator: ", ") + ": \(text)."
    }
    let more = found.count - mostAnswers
    return more > 0 ? found.prefix(mostAnswers) + ["\(name): \(more) more conditions are in the tables."] : found
}

private struct Findings {
    let groups: [ArmRuns]
    let noun: OperationName

    var sentences: [String] { [herd, unfairness].compactMap { $0 } }

    private func label(_ group: ArmRuns) -> String { group.label(among: groups) }

    private func over(_ group: ArmRuns) -> String {
        group.usable.count == 1 ? "in one round" : "median of \(group.usable.count) rounds"
    }

    private var herd: String? { spurious ?? takenBack }

    private var spurious: String? {
        let ranked = groups.compactMap { group in
            median(group.values(\.spuriousWakeupsPerOp)).map { (group: group, value: $0) }
        }
        guard let worst = ranked.max(by: { $0.value < $1.value }), worst.value >= 0.05 else { return nil }
        let amount = HumanUnits.perOperation(worst.value)
        return "\(label(worst.group)) woke workers for nothing: \(amount) wakeups per \(noun.singular) "
            + "brought no work (\(over(worst.group)))."
    }

    /// The wakeups that the kernel takes back: the worker ran and went to sleep again inside the system call.
    private var takenBack: String? {
        let ranked = groups.compactMap { group -> (group: ArmRuns, sleeps: Double, wakeups: Double)? in
            // These go to sleep for reasons of their own.
            guard group.arm["service"] != "sleep", group.arm["mode"] != "dispatcher",
                let sleeps = median(group.values(\.voluntarySwitchesPerOp)),
                let wakeups = median(group.values(\.wakeupsPerOp)), wakeups > 0,
                sleeps >= 1.5 * wakeups, sleeps - wakeups >= 0.25
            else { return nil }
            return (group, sleeps, wakeups)
        }
        guard let worst = ranked.max(by: { $0.sleeps - $0.wakeups < $1.sleeps - $1.wakeups }) else { return nil }
        return "\(label(worst.group)): workers went to sleep \(HumanUnits.perOperation(worst.sleeps)) times per "
            + "\(noun.singular) but saw only \(HumanUnits.perOperation(worst.wakeups)) wakeups (\(over(worst.group))), "
            + "as when the kernel wakes several and takes the event back from all but one."
    }

    /// The run, of all usable ones, whose least served worker got the smallest part of an equal share.
    private var unfairness: String? {
        let poorest = groups.compactMap { group in
            group.usable.compactMap(Self.smallestShare).min().map { (group: group, share: $0) }
        }.min { $0.share < $1.share }
        guard let poorest, poorest.share < 0.5 else { return starvation }
        let runs = poorest.group.usable
        let affected = runs.filter { (Self.smallestShare($0) ?? 1) < 0.5 }.count
        let rounds = runs.count == 1 ? "in its only round" : "in \(affected) of \(runs.count) rounds"
        if poorest.share == 0 {
            let idle = runs.map { run in run.perWorkerOps.count { $0 == 0 } }.reduce(0, max)
            let workers = runs[0].perWorkerOps.count
            return "\(label(poorest.group)) left workers without work: up to \(idle) of \(workers) got no "
                + "\(noun.singular) at all (below half an equal share \(rounds)).\(Self.placement(runs))"
        }
        return "\(label(poorest.group)) shared unevenly: its least served worker got "
            + "\(HumanUnits.percent(poorest.share)) of an equal share (below half of it \(rounds))."
            + Self.placement(runs)
    }

    /// Workers on one processor take turns; what each gets says nothing of workers that run at the same time.
    private static func placement(_ runs: [RunRecord]) -> String {
        let servers = runs.compactMap { run in
            run.pinning.split(separator: " ").first { $0.hasPrefix("server=") }?.dropFirst("server=".count)
        }
        let areAlone = servers.count == runs.count && servers.allSatisfy { Int($0) != nil }
        return areAlone ? " All of them shared one processor, which decides that as much as the mode does." : ""
    }

    /// `nil` for a single worker, and for too few operations to tell a share from chance.
    private static func smallestShare(_ run: RunRecord) -> Double? {
        let total = run.perWorkerOps.reduce(0.0) { $0 + Double($1) }
        let workers = Double(run.perWorkerOps.count)
        guard workers > 1, total >= 50 * workers, let least = run.perWorkerOps.min() else { return nil }
        return Double(least) * workers / total
    }

    private var starvation: String? {
        let waits = groups.compactMap { group -> (group: ArmRuns, wait: Double, window: Double)? in
            let worst = group.usable.compactMap { run -> (Double, Double)? in
                guard run.perWorkerOps.count > 1, let wait = run.starvationMaxNs, let window = run.durationS else {
                    return nil
                }
                return (Double(wait), window * 1e9)
            }.max { $0.0 / $0.1 < $1.0 / $1.1 }
            return worst.map { (group, $0.0, $0.1) }
        }
        guard let worst = waits.max(by: { $0.wait / $0.window < $1.wait / $1.window }), worst.wait >= worst.window / 4
        else { return nil }
        return "\(label(worst.group)): a waiting worker went \(HumanUnits.time(nanoseconds: worst.wait)) of a "
            + "\(HumanUnits.time(nanoseconds: worst.window)) window without a \(noun.singular) while others had some."
    }
}
