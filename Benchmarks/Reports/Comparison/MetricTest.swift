import Foundation
import Records
import Statistics

/// The statistics of one metric of one arm, before they are weighed with the others.
struct MetricTest {
    let arm: Arm
    let samples: MetricSamples
    var isGating: Bool
    let margin: Double
    let method: MetricComparison.Method
    private let othersCount: Bool
    private let design: ComparisonOptions.Design
    private let alpha: Double
    private let minEffect: Double
    private let drift: Double
    private let doubt: String?
    private let estimate: Double
    private let interval: Interval?
    /// Two-sided, that the change is not beyond the margin towards the estimate.
    let pValue: Double

    var counts: Bool { isGating || othersCount }

    var isTime: Bool { !samples.column.isCount }

    /// Whether the metric shares `alpha` with others; exact counts do not spend any.
    var isStatistical: Bool { counts && method != .exactCount }

    var weight: Double { isGating ? 1 : ComparisonOptions.shareOfOthers }

    init?(arm: MatchedArm, column: Column, options: ComparisonOptions) {
        guard let samples = arm.samples(column, design: options.design) else { return nil }
        self.arm = arm.base.arm
        self.samples = samples
        isGating = options.gating.contains(column.name)
        othersCount = options.othersCount
        (design, alpha, minEffect) = (options.design, options.alpha, options.minEffect)
        // The sides may be two modes, of which the noisier one limits what can be told.
        let known = [arm.base.arm, arm.new.arm].map { options.noiseFloor?.entry(of: column.name, arm: $0) }
        let drifts = known.compactMap { $0?.drift }
        let calibratedDrift = drifts.count == known.count ? drifts.max() : nil
        let isExact = samples.isExact(calibratedDrift: calibratedDrift, options: options)
        let liesApart = options.comparesSteadyCountsOnly && !isExact && samples.liesApart(options.minEffect)
        if options.comparesSteadyCountsOnly && !isExact && !liesApart { return nil }
        let isCounted = isExact || liesApart
        let floor = known.compactMap { $0?.floor }.max() ?? 0
        let isUnpaired = options.design == .unpaired
        let given = column.unit == "1/op" ? nil : options.drift
        drift =
            isUnpaired && !isCounted ? given ?? calibratedDrift ?? ComparisonOptions.defaultDrift(of: column) : 0
        // What is free of noise has no use for a noise floor.
        margin = isCounted ? options.minEffect : max(options.minEffect, floor, drift)
        doubt = isUnpaired && !isExact ? arm.foreignLoad : nil
        let bound = log(1 + margin)
        if isCounted {
            method = .exactCount
            let (old, now) = (median(samples.base) ?? 0, median(samples.new) ?? 0)
            estimate = samples.logarithm(now) - samples.logarithm(old)
            (interval, pValue) = (nil, 1)
        } else if options.design == .paired {
            method = .pairedMedian
            let ratios = samples.logRatios
            estimate = median(ratios) ?? 0
            interval = medianInterval(ratios, confidence: 1 - options.alpha)
            pValue = signTest(ratios, beyond: estimate < 0 ? -bound : bound)
        } else {
            method = .hodgesLehmann
            let (base, new) = (samples.base.map(samples.logarithm), samples.new.map(samples.logarithm))
            guard let shift = HodgesLehmann(base: base, new: new) else { return nil }
            estimate = shift.estimate
            interval = shift.interval(confidence: 1 - options.alpha)
            pValue = shift.pValue(beyond: estimate < 0 ? -bound : bound)
        }
    }

    private var blocks: Int { min(samples.base.count, samples.new.count) }

    func result(adjustedP: Double, strictness: Double) -> MetricComparison {
        let verdict = self.verdict(adjustedP: adjustedP)
        let reason = verdict == .inconclusive ? doubt ?? driftDoubt : nil
        let canBeSettled = verdict == .inconclusive && method != .exactCount && reason == nil
        return MetricComparison(
            arm: arm, metric: samples.column.name, isGating: isGating, counts: counts,
            base: median(samples.base) ?? 0, new: median(samples.new) ?? 0, ratio: exp(estimate),
            interval: interval?.mapped(exp), margin: margin, adjustedP: method == .exactCount ? nil : adjustedP,
            verdict: verdict, blocks: blocks,
            blocksNeeded: canBeSettled ? blocksNeeded(strictness: counts ? strictness / weight : 1) : nil,
            method: method, doubt: reason)
    }

    private func verdict(adjustedP: Double) -> Verdict {
        guard doubt == nil else { return .inconclusive }
        if method == .exactCount { return samples.countVerdict(margin: margin) }
        if let clear = verdictBeyondTheDrift { return clear }
        guard let interval else { return .inconclusive }
        let bound = log(1 + margin)
        if adjustedP <= alpha && (interval.lower > bound || interval.upper < -bound) {
            return samples.verdict(isHigher: estimate > 0)
        }
        // What the machine did in between can hide a change as well as feign one.
        let allowed = drift > 0 ? log(1 + minEffect) - log(1 + drift) : bound
        return interval.lower >= -allowed && interval.upper <= allowed ? .same : .inconclusive
    }

    /// What every run of one side beyond every run of the other amounts to, by more than the margin; `nil` otherwise.
    ///
    /// The drift bounds what the machine does by itself, so that what lies beyond it needs no probability, which three
    /// runs of each side cannot give. A drift below the smallest change that matters is no such bound.
    private var verdictBeyondTheDrift: Verdict? {
        guard drift >= minEffect, drift > 0, blocks >= 3 else { return nil }
        return samples.isHigherThroughout(by: log(1 + margin)).map(samples.verdict)
    }

    /// The change is within what the machine may do by itself, so that more runs would not settle it.
    private var driftDoubt: String? {
        guard drift > 0, drift >= minEffect, interval != nil, abs(estimate) <= log(1 + drift) else { return nil }
        let cause =
            samples.column.unit == "1/op" ? "the load of the machine may change it by" : "the machine may drift by"
        return "within \(HumanUnits.percent(drift)), which \(cause) between two invocations"
    }

    /// The interval narrows with the square root of the number of blocks; it must come clear of the nearer edge of the
    /// margin, and the smallest p-value that so many blocks can give must pass.
    private func blocksNeeded(strictness: Double) -> Int? {
        let least = Self.fewest(design, alpha: alpha / strictness)
        guard let interval else { return least }
        let gap = abs(abs(estimate) - log(1 + margin))
        let halfWidth = max(interval.upper - estimate, estimate - interval.lower)
        let growth = gap > 0 ? (halfWidth / gap) * (halfWidth / gap) : .infinity
        let needed = (Double(blocks) * max(1, growth)).rounded(.up)
        // More than this is no advice: the change is as large as the margin.
        guard needed <= Double(Self.mostBlocks) else { return nil }
        return max(least, blocks + 1, Int(needed))
    }

    static let mostBlocks = 200

    /// The fewest blocks whose most extreme outcome has a p-value of at most `alpha`.
    static func fewest(_ design: ComparisonOptions.Design, alpha: Double) -> Int {
        switch design {
        case .paired: Int((1 - log2(alpha)).rounded(.up))
        case .unpaired: (1...30).first { 2 * (MannWhitney.exactCumulative($0, $0).first ?? 1) <= alpha } ?? 30
        }
    }
}
