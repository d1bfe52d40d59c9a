package import Records
import Statistics

/// What weakens the numbers of a run, each in a sentence with its remedy. Arms are named in the order of the rows.
package func warnings(for records: [RunRecord], noiseFloor: NoiseFloor? = nil) -> [String] {
    let groups = ArmRuns.group(records)
    let checks = [voided, lost, failedOperations, bimodal, tooFewSamples, clientBound, foreignLoad]
    return checks.compactMap { $0(groups) } + [noise(groups, noiseFloor)].compactMap { $0 }
        + outliers(groups) + rowWarnings(groups)
}

/// `a, b and c`, or `all 13 arms`, of the arms for which `isAffected` holds; `nil` if there are none.
func names(_ groups: [ArmRuns], where isAffected: (ArmRuns) -> Bool) -> String? {
    let affected = groups.filter(isAffected)
    guard !affected.isEmpty else { return nil }
    if affected.count == groups.count && affected.count > 3 {
        let isMode = Set(affected.map { $0.arm["mode"] }).count == affected.count
        return "all \(affected.count) \(isMode ? "modes" : "combinations")"
    }
    let varying = Arm.varyingColumns(of: groups.map(\.arm))
    let labels = affected.map { $0.arm.label(varying: varying) }
    return labels.count > 1 ? labels.dropLast().joined(separator: ", ") + " and " + labels[labels.count - 1] : labels[0]
}

private func voided(_ groups: [ArmRuns]) -> String? {
    names(groups) { $0.records.contains { ($0.listenOverflows ?? 0) > 0 } }.map {
        "The listen queue overflowed in \($0): a dropped connection waits a second to be tried again. "
            + "Raise net.core.somaxconn or lower --connections."
    }
}

/// What the rows themselves do not say: each has its own remedy in its reason.
private func lost(_ groups: [ArmRuns]) -> String? {
    names(groups) { $0.records.contains { $0.status == .failed && ($0.lost ?? 0) > 0 } }.map {
        "Operations got no answer in \($0): their rows failed, and their column reason says what to do."
    }
}

/// Rows that do not say what failed: of a version that did not count it.
private func failedOperations(_ groups: [ArmRuns]) -> String? {
    names(groups) { $0.usable.contains { $0.errors > $0.operations / 100 && $0.warnings.isEmpty } }.map {
        "More than one in a hundred operations failed in \($0): the figures are of a server in trouble. See what the "
            + "system has run out of (ports, descriptors, memory): bench doctor."
    }
}

private func bimodal(_ groups: [ArmRuns]) -> String? {
    let columns = ["server_cpu_ns_per_op", "throughput_ops_per_s"].compactMap(Column.named)
    let samples = groups.flatMap { group in
        columns.map { column in (arm: group.arm, values: group.values { column.number(of: $0) }) }
    }.filter { $0.values.count >= 4 }
    // The smallest p-value that simulations give must pass when it is adjusted for the number of tests.
    let simulations = max(999, 50 * samples.count)
    let sizes = Set(samples.map(\.values.count))
    let nulls = Dictionary(
        uniqueKeysWithValues: sizes.map { ($0, DipTest.null(count: $0, simulations: simulations)) })
    let tests = samples.compactMap { sample in
        DipTest.pValue(sample.values, null: nulls[sample.values.count] ?? []).map { (sample.arm, $0) }
    }
    let flagged = Set(zip(tests, holmAdjusted(tests.map(\.1))).filter { $0.1 <= 0.05 }.map(\.0.0))
    return names(groups) { flagged.contains($0.arm) }.map { arms in
        let isPinned = groups.filter { flagged.contains($0.arm) }.allSatisfy { group in
            group.records.allSatisfy { !["", "none"].contains($0.pinning) }
        }
        // Bound threads do not move, so the processors themselves differ from round to round.
        return isPinned
            ? "Some rounds of \(arms) are faster than the others by themselves, though every thread is bound: a processor "
                + "that was idle wakes slowly or runs at another clock. No single figure describes them: measure more "
                + "rounds and look at both kinds, or keep the processors awake (cpupower idle-set --disable-by-latency 0)."
            : "The rounds of \(arms) fall into two groups, so no single figure describes them: threads probably land on "
                + "different processors. Bind them with --pin, or measure more rounds and look at both groups."
    }
}

private func tooFewSamples(_ groups: [ArmRuns]) -> String? {
    names(groups) { $0.usable.contains { $0.latencySamples.map { $0 > 0 && $0 < 1_000 } ?? false } }.map {
        let arms = groups.map(\.arm)
        let remedy =
            arms.allSatisfy { $0["workload"] == "wake" }
            ? "Raise --duration, or --tasks" : "Raise --duration, or --drain"
        return "Too few operations for a 99th percentile in \($0), which needs 1000 a run. \(remedy)."
    }
}

/// In a wake both sides are what is measured: none of them only drives the other.
private func clientBound(_ groups: [ArmRuns]) -> String? {
    names(groups) { group in
        group.arm["workload"] != "wake" && !group.arm.hasSchedule
            && (median(group.values(clientUtilisation)) ?? 0) >= 0.9
    }.map {
        "The client was the bottleneck in \($0): throughput is the client's. Compare server CPU per operation, add "
            + "client threads, or offer a fixed load with --rate."
    }
}

private func foreignLoad(_ groups: [ArmRuns]) -> String? {
    names(groups) { (median($0.values(\.foreignCpu)) ?? 0) > 0.1 }.map {
        "Other programs took more than a tenth of the machine during \($0). Stop them, or measure more rounds."
    }
}

/// The rounds of an arm spread more than identical code does when nothing else goes on.
///
/// The floor is of ratios of two runs, which spread by √2 more than runs do, and an interval narrows with the square root
/// of their number. Fewer than 6 rounds have no interval.
private func noise(_ groups: [ArmRuns], _ floor: NoiseFloor?) -> String? {
    guard let floor, let column = Column.named("server_cpu_ns_per_op") else { return nil }
    return names(groups) { group in
        let values = group.values { column.number(of: $0) }
        guard let entry = floor.entry(of: column.name, arm: group.arm), let interval = medianInterval(values),
            let middle = median(values), middle > 0
        else { return false }
        let limit = entry.floor * (Double(entry.blocks) / Double(2 * values.count)).squareRoot()
        return max(interval.upper / middle, middle / max(interval.lower, 1)) - 1 > max(limit, 0.01)
    }.map {
        "Server CPU of \($0) varies more than this machine's noise floor. Let other work end, or measure more rounds."
    }
}

/// The share of the window in which the client threads were on a processor; `nil` if it was not measured.
private func clientUtilisation(_ run: RunRecord) -> Double? {
    guard let cpu = run.clientCpuNsPerOp, let rate = run.throughputOpsPerS, let clients = run.clients, clients > 0
    else {
        return nil
    }
    return cpu * rate / 1e9 / Double(clients)
}
