import Foundation
import Records
import Statistics

extension Comparison {
    static func warnings(arms: [MatchedArm], options: ComparisonOptions, metrics: [Column]) -> [String] {
        let runs = arms.flatMap { $0.base.records + $0.new.records }
        var warnings: [String] = []
        if Set(runs.map(\.machineId)).count > 1 {
            warnings.append("The runs come from different machines: a difference may be theirs. Measure both on one.")
        }
        if runs.contains(where: { $0.build != "release" }) {
            warnings.append("Some runs are of a debug build, whose costs are not the program's. Build with -c release.")
        }
        if arms.contains(where: { Set($0.base.records.map(\.pinning)) != Set($0.new.records.map(\.pinning)) }) {
            warnings.append(
                "The sides were bound to different processors, which can make a difference by itself. Give both the "
                    + "same --pin.")
        }
        if options.design == .unpaired {
            warnings.append(
                "The sides were not interleaved: what changed on the machine in between passes for a change of the "
                    + "code. Compare two binaries in one invocation to be sure.")
        }
        let uneven = arms.filter { options.design == .paired && $0.imbalance(.paired) == nil && $0.loneRounds.lone > 0 }
        if let first = uneven.first {
            let others = uneven.count > 1 ? ", and \(uneven.count - 1) more arms lack some" : ""
            warnings.append(
                "\(first.loneRounds.lone) of \(first.loneRounds.all) rounds of \(first.base.arm["mode"]) are on one side "
                    + "only and were left out\(others). Measure them again to compare all.")
        }
        let sources = { (side: ArmRuns) in
            Set(side.usable.map { $0.syscallsSource.isEmpty ? "loop" : $0.syscallsSource })
        }
        if arms.contains(where: {
            !$0.base.usable.isEmpty && !$0.new.usable.isEmpty && sources($0.base) != sources($0.new)
        }) {
            warnings.append(
                "System calls were counted by different means (syscalls_source): the loops count what they mean to call, "
                    + "the kernel what is called. Count both sides alike.")
        }
        let modes = { (list: [MatchedArm]) in
            list.map { $0.base.arm["mode"] }.distinct
        }
        let saturated = modes(arms.filter { $0.saturation == .both })
        if !saturated.isEmpty {
            warnings.append(
                "Neither side kept the rate of \(saturated.joined(separator: ", ")), so their latency was not compared. "
                    + "Lower --rate to compare it.")
        }
        return warnings + drift(arms: arms, options: options, metrics: metrics)
    }

    /// A monotone trend within a side means that the machine was changing while it was measured.
    private static func drift(arms: [MatchedArm], options: ComparisonOptions, metrics: [Column]) -> [String] {
        let names = options.gating + ComparisonOptions.defaultGating
        let times = metrics.filter { names.contains($0.name) && !$0.isCount }
        var found: [(arm: Arm, metric: String, side: String, p: Double)] = []
        for arm in arms {
            for column in times {
                for (side, group) in [("base", arm.base), ("new", arm.new)] {
                    let ordered = group.usable.sorted {
                        ($0.startTime ?? .start, $0.round) < ($1.startTime ?? .start, $1.round)
                    }
                    let values = ordered.compactMap { column.number(of: $0) }
                    if let p = trendPValue(values) { found.append((group.arm, column.name, side, p)) }
                }
            }
        }
        // Adjusted, since among many arms some trend would look real.
        let drifting = zip(found, holmAdjusted(found.map(\.p))).filter { $0.1 <= 0.01 }.map(\.0)
        guard let worst = drifting.min(by: { $0.p < $1.p }) else { return [] }
        let others = drifting.count > 1 ? ", and \(drifting.count - 1) more" : ""
        let advice =
            options.design == .paired
            ? "Blocks cancel most of that; let the machine settle and measure again if a verdict looks odd."
            : "Let the machine settle, or interleave both sides."
        return ["\(worst.metric) of \(worst.arm["mode"]) (\(worst.side)\(others)) drifted during the runs. \(advice)"]
    }
}
