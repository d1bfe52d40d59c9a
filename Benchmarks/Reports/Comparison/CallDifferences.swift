package import Records
import Statistics

/// A system call that the runs of one side make more often than those of the other.
package struct CallDifference: Sendable, Equatable {
    package let arm: Arm
    package let syscall: String
    package let base: Double
    package let new: Double

    package let isNew: Bool

    /// Calls per operation that appeared; below 0 if they went.
    package var change: Double { new - base }

    /// Below this, calls per operation are not worth a line: what a worker does once at the end of a window, say.
    private static let leastChange = 0.01

    /// What differs, in the order of the base's arms, the largest difference first: every run of one side makes more of
    /// the call than every run of the other. The new side's runs may lie in several folders, each with calls of its own: a
    /// run's name is unique only within its folder.
    package static func between(
        base: [RunRecord], _ baseCalls: [CallRow], new: [(runs: [RunRecord], calls: [CallRow])]
    ) -> [CallDifference] {
        let counted = new.map { countedArms($0.runs, $0.calls) }
        let sides = [countedArms(base, baseCalls), counted.reduce(into: [:]) { $0.merge($1) { $0 + $1 } }]
        return ArmRuns.group(base).map(\.arm).flatMap { arm -> [CallDifference] in
            guard let base = sides[0][arm], let new = sides[1][arm] else { return [] }
            let names = Set((base + new).flatMap(\.keys))
            return names.compactMap { difference(arm, $0, base, new) }
                .sorted { ($1.change.magnitude, $0.syscall) < ($0.change.magnitude, $1.syscall) }
        }
    }

    private static func difference(
        _ arm: Arm, _ name: String, _ base: [[String: Double]], _ new: [[String: Double]]
    ) -> CallDifference? {
        let values = [base, new].map { side in side.map { $0[name, default: 0] } }
        guard let least = values[0].min(), let most = values[0].max(), let newLeast = values[1].min(),
            let newMost = values[1].max(), most < newLeast || newMost < least,
            let before = median(values[0]), let after = median(values[1]), abs(after - before) >= leastChange
        else { return nil }
        return CallDifference(arm: arm, syscall: name, base: before, new: after, isNew: most == 0)
    }

    /// By arm: what each of its usable runs called, of those whose calls the kernel counted by number.
    private static func countedArms(_ records: [RunRecord], _ calls: [CallRow]) -> [Arm: [[String: Double]]] {
        let byRun = Dictionary(grouping: calls, by: \.runId).mapValues { rows in
            Dictionary(rows.map { ($0.syscall, $0.callsPerOp) }) { first, _ in first }
        }
        return records.filter { $0.status == .ok }.reduce(into: [:]) { arms, record in
            if let counted = byRun[record.runId] { arms[Arm(record), default: []].append(counted) }
        }
    }

    /// The calls that an arm makes and its base never did, where it makes more calls in all: another processor or library
    /// can have another name for the same call, which leaves the total as it was.
    package static func appeared(_ differences: [CallDifference]) -> [CallDifference] {
        let growing = Dictionary(grouping: differences, by: \.arm).filter { _, changes in
            changes.reduce(0) { $0 + $1.change } >= leastChange
        }
        return differences.filter { $0.isNew && growing[$0.arm] != nil }
    }

    /// One line for each arm: `accept/epoll-lt: +1.00 getppid`.
    package static func lines(_ differences: [CallDifference]) -> [String] {
        let arms = differences.map(\.arm).distinct
        let varying = Arm.varyingColumns(of: arms)
        return arms.map { arm in
            let changes = differences.filter { $0.arm == arm }.map(\.text)
            return "\(arm["workload"])/\(arm.label(varying: varying)): \(changes.joined(separator: ", "))"
        }
    }

    var text: String { (change < 0 ? "" : "+") + Decimal.fixed(change, digits: 2) + " \(syscall)" }
}

/// Who counted the system calls of two sides, where that was not the same; nil where it was.
package func differentCallSources(base: [RunRecord], new: [RunRecord]) -> String? {
    func phrase(_ records: [RunRecord]) -> (isKernel: Bool, text: String)? {
        let sources = Set(records.filter { $0.status == .ok && $0.syscallsPerOp != nil }.map(\.syscallsSource))
        guard !sources.isEmpty else { return nil }
        let kernel = sources.subtracting(["loop", ""])
        // Rows of before the column were counted by the loops.
        if kernel.isEmpty { return (false, "the loops") }
        return kernel.count == sources.count ? (true, "the kernel") : (true, "the kernel in part")
    }
    guard let base = phrase(base), let new = phrase(new), base.text != new.text else { return nil }
    return "the base's system calls were counted by \(base.text), the new side's by \(new.text): their totals are "
        + "compared, and not which calls they are"
}
