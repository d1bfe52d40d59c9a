import Records
import Reports

extension InterleavedRuns {
    /// Compares two programs in blocks, and adds blocks where the first ones leave doubt; prints what weakens them.
    ///
    /// Looking twice at growing data would double the chance of a false verdict, so each look gets half of α. `nil` if
    /// the user interrupted it.
    func compare(_ given: ComparisonOptions) throws -> Comparison? {
        var options = given
        options.noiseFloor = NoiseFloors.ofThisMachine()
        if plan.maxBlocks > plan.blocks { options.alpha /= 2 }
        guard try run(blocks: 1...plan.blocks, modes: plan.modes) else { return nil }
        // After an interruption further on there are more blocks, which must not count as a third look.
        let early = rows.map { $0.filter { $0.round <= plan.blocks } }
        var comparison = try Comparison.of(base: early[0], new: early[1], options)
        let open = comparison.open.map { $0.arm["mode"] }
        if comparison.verdict == .inconclusive, plan.maxBlocks > plan.blocks, !open.isEmpty {
            let modes = plan.modes.filter(open.contains)
            let names = modes.joined(separator: ", ")
            bench.complain("inconclusive after \(plan.blocks) blocks; going on to \(plan.maxBlocks): \(names)")
            guard try run(blocks: plan.blocks + 1...plan.maxBlocks, modes: modes) else { return nil }
            comparison = try Comparison.of(base: rows[0], new: rows[1], options)
        }
        complain(noiseFloor: options.noiseFloor)
        let sides = try plan.sides.map { try StoredFolder("\(path)/\($0.name)") }
        comparison.callDifferences = try CallDifference.between(sides[0], sides[1])
        return comparison
    }
}
