/// What the numbers of a run show, in plain sentences, the most telling first.
///
/// A sentence ranks two modes only where the ranges of their rounds lie apart, and says so where there was a single
/// round; what the sample cannot support is not said.
public func findings(for records: [RunRecord]) -> [String] {
    let workloads = records.map(\.workload).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return workloads.flatMap { workload in
        let groups = ArmRuns.group(records.filter { $0.workload == workload }).filter { !$0.usable.isEmpty }
        let found = Findings(groups: groups, noun: OperationName.of(workload: workload)).sentences
        return workloads.count > 1 ? found.map { "\(workload): \($0)" } : found
    }
}

private struct Findings {
    let groups: [ArmRuns]
    let noun: OperationName

    var sentences: [String] { [herd, unfairness, cheapest].compactMap { $0 } }

    private func label(_ group: ArmRuns) -> String {
        group.arm.label(varying: Arm.varyingColumns(of: groups.map(\.arm)))
    }

    private func over(_ group: ArmRuns) -> String {
        group.usable.count == 1 ? "in one round" : "median of \(group.usable.count) rounds"
    }

    // MARK: Woken for nothing

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

    // MARK: Left without work

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

    // MARK: Cost

    private var cheapest: String? {
        guard let cpu = leader(\.serverCpuNsPerOp) else { return nil }
        let cost = HumanUnits.time(nanoseconds: cpu.value)
        let calls = leader(\.syscallsPerOp)
        let callsText = calls.map { " (\(HumanUnits.perOperation($0.value)) per \(noun.singular))" } ?? ""
        let single = cpu.rounds == 1 ? ", in a single round, which cannot rank them for certain" : ""
        guard cpu.isClear else {
            var text = "\(list(cpu.tied)) cost the least server CPU, about \(cost) per \(noun.singular); their rounds "
            text += "overlap, so these do not rank among themselves"
            if let calls, calls.isClear { text += "; \(calls.tied[0]) made the fewest system calls\(callsText)" }
            return text + "."
        }
        let first = "\(cpu.tied[0]) cost the least server CPU, \(cost) per \(noun.singular)"
        guard let calls, calls.isClear else { return first + single + "." }
        if calls.tied[0] == cpu.tied[0] {
            return first + ", and made the fewest system calls\(callsText)" + single + "."
        }
        return first + "; \(calls.tied[0]) made the fewest system calls\(callsText)" + single + "."
    }

    private struct Leader {
        /// The arm with the lowest median first, then those whose rounds overlap its.
        var tied: [String]
        var value: Double
        var rounds: Int
        /// Whether every other arm's rounds lie above the leader's.
        var isClear: Bool { tied.count == 1 }
    }

    private func leader(_ value: (RunRecord) -> Double?) -> Leader? {
        let arms = groups.map { ($0, $0.values(value)) }.filter { !$0.1.isEmpty }
            .sorted { (median($0.1) ?? 0) < (median($1.1) ?? 0) }
        guard arms.count > 1, let lowest = median(arms[0].1), let upper = arms[0].1.max() else { return nil }
        let overlapping = arms.dropFirst().filter { ($0.1.min() ?? .infinity) <= upper }
        // Where nearly all overlap there is nothing to tell.
        guard overlapping.isEmpty || overlapping.count <= min(2, arms.count - 2) else { return nil }
        let rounds = arms.map(\.1.count).min() ?? 1
        return Leader(tied: [label(arms[0].0)] + overlapping.map { label($0.0) }, value: lowest, rounds: rounds)
    }

    private func list(_ names: [String]) -> String {
        names.dropLast().joined(separator: ", ") + (names.count > 1 ? " and " : "") + (names.last ?? "")
    }
}
