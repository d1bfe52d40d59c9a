import Foundation
import Records

/// Compares two programs in blocks, and adds blocks where the first ones leave doubt.
///
/// Looking twice at growing data would double the chance of a false verdict, so each look gets half of α.
struct InterleavedComparison {
    let runs: InterleavedRuns
    var options: ComparisonOptions

    /// - Returns: `nil` if the user interrupted it.
    func compare() throws -> Comparison? {
        let plan = runs.plan
        var options = options
        if plan.maxBlocks > plan.blocks { options.alpha /= 2 }
        guard try runs.run(blocks: 1...plan.blocks, modes: plan.modes) else { return nil }
        // After an interruption further on there are more blocks, which must not count as a third look.
        let early = runs.rows.map { $0.filter { $0.round <= plan.blocks } }
        let first = try Comparison.of(base: early[0], new: early[1], options)
        guard first.verdict == .inconclusive, plan.maxBlocks > plan.blocks else { return first }
        let open = first.open.map { $0.arm["mode"] }
        guard !open.isEmpty else { return first }
        let modes = plan.modes.filter(open.contains)
        let names = modes.joined(separator: ", ")
        complain("inconclusive after \(plan.blocks) blocks; going on to \(plan.maxBlocks): \(names)")
        guard try runs.run(blocks: plan.blocks + 1...plan.maxBlocks, modes: modes) else { return nil }
        return try Comparison.of(base: runs.rows[0], new: runs.rows[1], options)
    }
}
