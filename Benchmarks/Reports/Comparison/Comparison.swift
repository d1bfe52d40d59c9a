import Foundation
package import Records
import Statistics

/// Whether one set of runs is slower than another, metric by metric.
///
/// The run is the sample. Ratios are compared in logarithms, so that twice and half are equally far apart; an arm's
/// interval is exact (order statistics of the per-block ratios, or the shifts that a U test does not reject). The
/// p-values of all metrics of all arms that count are adjusted together after Holm, those that gate with ten times the
/// weight, so that `alpha` bounds the chance of calling any of them changed when none is.
package struct Comparison: Sendable {
    package var rows: [MetricComparison]
    package var absences: [Absence]
    /// With ``ComparisonOptions/comparesSteadyCountsOnly``: what of the base does not decide.
    package var omissions: [Omission]
    /// Arms without any time on both sides, of which counts alone say nothing.
    package var armsWithoutTimes: [Arm]
    package var warnings: [String]
    /// The new side's mode, where it is compared with another one.
    package var newMode: String?
    package var design: ComparisonOptions.Design
    package var alpha: Double
    package var allowsMissing: Bool
    /// System calls that one side makes more often, where the kernel counted them by name.
    package var callDifferences: [CallDifference] = []
    package var newCallsRegress = false

    var regressingCalls: [CallDifference] { newCallsRegress ? CallDifference.appeared(callDifferences) : [] }

    /// The overall verdict: one regression outweighs everything, and doubt about what decides, or a lack of it, outweighs
    /// an improvement.
    package var verdict: Verdict {
        let counting = rows.filter(\.counts)
        if counting.contains(where: { $0.verdict == .regressed }) || !regressingCalls.isEmpty { return .regressed }
        let isOpen =
            rows.contains { $0.isGating && $0.verdict == .inconclusive } || counting.contains(where: \.isSuspect)
        if isOpen || !armsWithoutTimes.isEmpty || !(allowsMissing || absences.isEmpty) { return .inconclusive }
        guard rows.contains(where: \.isGating) else { return .inconclusive }
        return counting.contains { $0.verdict == .improved } ? .improved : .same
    }

    package init(base: [RunRecord], new: [RunRecord], options: ComparisonOptions) throws(ComparisonError) {
        let metrics = try Self.metrics(options)
        let sides = try Self.sides(base: base, new: new, options: options)
        let arms = sides.compactMap { side in
            side.base.flatMap { base in side.new.map { MatchedArm(base: base, new: $0) } }
        }
        let modes = [base, new].map { Set($0.map(\.mode)) }
        if options.ignoredColumns.contains("mode"), modes[0] != modes[1], modes[1].count == 1 {
            newMode = modes[1].first
        }
        (design, alpha, allowsMissing) = (options.design, options.alpha, options.allowsMissing)
        absences =
            sides.flatMap { Absence.all(base: $0.base, new: $0.new, design: options.design) }
            + arms.flatMap { Absence.all($0, metrics: metrics, options: options) }
        warnings = Self.warnings(arms: arms, options: options, metrics: metrics)
        omissions =
            options.comparesSteadyCountsOnly
            ? arms.flatMap { arm in metrics.compactMap { Omission(arm: arm, column: $0, options: options) } } : []
        armsWithoutTimes = []
        var tests: [MetricTest] = []
        for arm in arms where !arm.base.usable.isEmpty && !arm.new.usable.isEmpty {
            var found = metrics.compactMap { MetricTest(arm: arm, column: $0, options: options) }
            if options.othersCount && !options.comparesSteadyCountsOnly {
                Self.letATimeDecide(&found)
                if !found.contains(where: \.isTime) { armsWithoutTimes.append(arm.base.arm) }
            }
            tests += found
        }
        rows = Self.results(tests)
    }

    /// Where the times that are to decide were not measured, the others do: counts say nothing of them.
    private static func letATimeDecide(_ tests: inout [MetricTest]) {
        guard !tests.contains(where: { $0.isTime && $0.isGating }) else { return }
        for place in tests.indices where tests[place].isTime { tests[place].isGating = true }
    }

    private static func results(_ tests: [MetricTest]) -> [MetricComparison] {
        let statistical = tests.filter(\.isStatistical)
        var adjusted = holmAdjusted(statistical.map(\.pValue), weights: statistical.map(\.weight))[...]
        // Each remaining hypothesis is tested at its share of α, so that is what the blocks must reach.
        let strictness = max(1, statistical.reduce(0) { $0 + $1.weight })
        return tests.map { test in
            test.result(adjustedP: test.isStatistical ? adjusted.removeFirst() : test.pValue, strictness: strictness)
        }
    }

    /// Refuses what is not a metric, before anything is measured.
    package static func validate(_ options: ComparisonOptions) throws(ComparisonError) { _ = try metrics(options) }

    private static func metrics(_ options: ComparisonOptions) throws(ComparisonError) -> [Column] {
        var columns: [Column] = []
        for name in options.metrics + options.gating where !columns.contains(where: { $0.name == name }) {
            guard let column = Column.named(name), column.better != .none || column.isMeasure else {
                throw .unknownMetric(name)
            }
            if column.better == .none { throw .noBetterSide(name) }
            columns.append(column)
        }
        return columns
    }

    /// The runs of every arm that either side has, in the order of the modes.
    private static func sides(
        base: [RunRecord], new: [RunRecord], options: ComparisonOptions
    ) throws(ComparisonError) -> [(base: ArmRuns?, new: ArmRuns?)] {
        if base.isEmpty { throw .noRuns(side: "the base") }
        if new.isEmpty { throw .noRuns(side: "the new side") }
        let machine = base[0].machineId
        if !options.allowsDifferentMachines, let other = (base + new).first(where: { $0.machineId != machine }) {
            throw .differentMachines(base: machine, new: other.machineId)
        }
        let ignored = Arm.columns.indices.filter { options.ignoredColumns.contains(Arm.columns[$0].name) }
        func key(_ arm: Arm) -> [String] {
            var values = arm.values
            for index in ignored { values[index] = "" }
            return values
        }
        let (old, now) = (ArmRuns.group(base), ArmRuns.group(new))
        let newByKey = Dictionary(grouping: now, by: { key($0.arm) })
        let oldKeys = Set(old.map { key($0.arm) })
        var sides: [(base: ArmRuns?, new: ArmRuns?)] = old.flatMap { base in
            (newByKey[key(base.arm)] ?? []).map { (base, $0) }
        }
        sides += old.filter { newByKey[key($0.arm)] == nil }.map { ($0, nil) }
        sides += now.filter { !oldKeys.contains(key($0.arm)) }.map { (nil, $0) }
        let places = Dictionary(options.modeOrder.enumerated().map { ($1, $0) }) { first, _ in first }
        let place = { (side: (base: ArmRuns?, new: ArmRuns?)) in
            (side.base ?? side.new).flatMap { places[$0.arm["mode"]] } ?? places.count
        }
        return sides.enumerated().sorted {
            (place($0.element), $0.offset) < (place($1.element), $1.offset)
        }.map(\.element)
    }
}
