import Foundation

/// Whether one set of runs is slower than another, metric by metric.
///
/// The run is the sample. Ratios are compared in logarithms, so that twice and half are equally far apart; an arm's
/// interval is exact (order statistics of the per-block ratios, or the shifts that a U test does not reject). The
/// p-values of all gating metrics of all arms are adjusted together after Holm, so that `alpha` bounds the chance of
/// calling any of them changed when none is.
public struct Comparison: Sendable {
    /// Every metric that both sides of an arm have.
    public var rows: [MetricComparison]
    /// With ``ComparisonOptions/comparesSteadyCountsOnly``: the base's counts that could not be compared.
    public var omissions: [Omission]
    /// What weakens the comparison, each with its remedy.
    public var warnings: [String]
    /// How runs were matched.
    public var design: ComparisonOptions.Design
    /// The chance of a false verdict that was asked for.
    public var alpha: Double

    /// The overall verdict, over the gating metrics: one regression outweighs everything, doubt outweighs an
    /// improvement.
    public var verdict: Verdict {
        let verdicts = Set(rows.filter(\.isGating).map(\.verdict))
        let order: [Verdict] = [.regressed, .inconclusive, .improved, .same]
        return order.first { verdicts.contains($0) } ?? .inconclusive
    }

    /// Compares the usable runs of `new` with those of `base`.
    public init(base: [RunRecord], new: [RunRecord], options: ComparisonOptions) throws(ComparisonError) {
        let metrics = try Self.metrics(options)
        let arms = try Self.matchedArms(base: base, new: new, options: options)
        design = options.design
        alpha = options.alpha
        warnings = Self.warnings(arms: arms, options: options, metrics: metrics)
        let tests = arms.flatMap { arm in
            metrics.compactMap { MetricTest(arm: arm, column: $0, options: options) }
        }
        omissions =
            options.comparesSteadyCountsOnly
            ? arms.flatMap { arm in metrics.compactMap { Omission(arm: arm, column: $0, options: options) } } : []
        let pValues = holmAdjusted(tests.filter(\.isStatisticalGate).map(\.pValue))
        // Each remaining hypothesis is tested at α divided by their number, so that is what the blocks must reach.
        let strictness = Double(max(1, pValues.count))
        var adjusted = pValues[...]
        rows = tests.map { test in
            test.result(
                adjustedP: test.isStatisticalGate ? adjusted.removeFirst() : test.pValue, strictness: strictness)
        }
    }

    private static func metrics(_ options: ComparisonOptions) throws(ComparisonError) -> [Column] {
        var columns: [Column] = []
        for name in options.metrics + options.gating where !columns.contains(where: { $0.name == name }) {
            guard let column = Column.named(name), column.better != .none else { throw .unknownMetric(name) }
            columns.append(column)
        }
        return columns
    }

    private static func matchedArms(
        base: [RunRecord], new: [RunRecord], options: ComparisonOptions
    ) throws(ComparisonError) -> [MatchedArm] {
        let (base, new) = (base.filter { $0.status == .ok }, new.filter { $0.status == .ok })
        if base.isEmpty { throw .noUsableRuns(side: "the base") }
        if new.isEmpty { throw .noUsableRuns(side: "the new side") }
        let machines = Set((base + new).map(\.machineId))
        if machines.count > 1 && !options.allowsDifferentMachines {
            let other =
                new.first { $0.machineId != base[0].machineId } ?? base.first { $0.machineId != new[0].machineId }
            throw .differentMachines(base: base[0].machineId, new: other?.machineId ?? "")
        }
        let ignored = Arm.columns.indices.filter { options.ignoredColumns.contains(Arm.columns[$0].name) }
        func key(_ arm: Arm) -> [String] {
            var values = arm.values
            for index in ignored { values[index] = "" }
            return values
        }
        let newByKey = Dictionary(grouping: ArmRuns.group(new), by: { key($0.arm) })
        let arms = ArmRuns.group(base).flatMap { base in
            (newByKey[key(base.arm)] ?? []).map { MatchedArm(base: base, new: $0) }
        }
        if arms.isEmpty { throw .noCommonArms }
        return arms
    }
}

/// A count of the base that was not compared.
public struct Omission: Sendable {
    /// Why not.
    public enum Reason: Sendable {
        /// It varies among the base's own runs.
        case unsteady
        /// The new side has none.
        case unmeasured
    }

    /// What was run.
    public var arm: Arm
    /// The count's column name.
    public var metric: String
    /// Why it was not compared.
    public var reason: Reason

    /// `nil` if the count is compared, or the base has none.
    init?(arm: MatchedArm, column: Column, options: ComparisonOptions) {
        guard !arm.base.values({ column.number(of: $0) }).isEmpty else { return nil }
        let samples = arm.samples(column, design: options.design)
        if let samples, samples.isSteadyBase { return nil }
        (self.arm, metric, reason) = (arm.base.arm, column.name, samples == nil ? .unmeasured : .unsteady)
    }
}

/// An arm's runs on both sides.
struct MatchedArm {
    let base: ArmRuns
    let new: ArmRuns

    /// The metric's values; `nil` if a side has none.
    func samples(_ column: Column, design: ComparisonOptions.Design) -> MetricSamples? {
        var (left, right): ([Double], [Double]) = ([], [])
        switch design {
        case .unpaired:
            left = base.values { column.number(of: $0) }
            right = new.values { column.number(of: $0) }
        case .paired:
            // A run that was repeated replaces the earlier one of its round.
            var byRound: [Int: Double] = [:]
            for run in new.records { byRound[run.round] = column.number(of: run) }
            var seen: Set<Int> = []
            for run in base.records.reversed() where seen.insert(run.round).inserted {
                guard let old = column.number(of: run), let now = byRound[run.round] else { continue }
                left.append(old)
                right.append(now)
            }
            left.reverse()
            right.reverse()
        }
        return left.isEmpty || right.isEmpty ? nil : MetricSamples(column: column, base: left, new: right)
    }
}
