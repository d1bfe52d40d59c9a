import Foundation
import Records
import Statistics

/// Latency over the offered rate, from the steps of searches for the highest rate that keeps a bound.
func capacityPicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    let curves = catalog.arms.compactMap { CapacityCurve($0, catalog.input.steps) }
    guard !curves.isEmpty else {
        throw NothingToDraw(reason: "no rate was searched for; run with a bound, such as --slo p99=1ms")
    }
    let title = "Latency over the offered rate (\(catalog.workload))"
    let keys = ["● kept its bound  ○ did not"] + CapacityCurve.markKey(curves)
    let composition = Composition(layout: sheet.layout, title: title, subtitle: catalog.subtitle + keys)
    let families = LineFamilies.groups(curves) { $0.arm.mode }
    let grid = PanelGrid(
        metrics: 1, families: families.count, panelHeight: families.count == 1 ? 330 : 240,
        labels: curves.map(\.arm.name), titleHeight: 44, axisHeight: 48, composition: composition)
    var drawing = Drawing(layout: sheet.layout, height: grid.drawingHeight)
    composition.drawHeader(&drawing)
    let rates = curves.flatMap { $0.points.map(\.rate) + ($0.capacity.map { [$0] } ?? []) }
    let x = Axis.logarithmic(rates, .count, title: "\(catalog.noun.plural) offered per second (logarithmic)")
    let latencies = curves.flatMap { $0.points.map(\.latency) } + curves.map { Double($0.bound.nanoseconds) }
    let percentiles = curves.map(\.bound.percentile).distinct.joined(separator: " or ")
    let y = Axis.logarithmic(latencies, .time, title: "\(percentiles) of the latency (logarithmic)")
    for (family, frame) in zip(families, grid.frames) {
        drawing.text(family.name, x: frame.left, y: frame.top - 32)
        LineLabels(entries: family.lines.map(\.entry)).draw(&drawing, frame, y)
        let bounds = Set(family.lines.map { Double($0.bound.nanoseconds) }).sorted().map { bound in
            drawing.lines(
                "bound: rate, ns", [x.range.lowerBound, x.range.upperBound].map { [$0, bound] },
                "lc rgb '\(Theme.muted.rawValue)' dt (5,3) lw 1.5")
        }
        drawing.panel(frame, x: x, y: y, bounds + family.lines.flatMap { $0.plots(&drawing, from: y.range.lowerBound) })
    }
    return Picture(
        .capacity, sheet, title: title,
        alternative: ranking(title, catalog.arms, Metrics.capacity, .count, best: .higher), drawing: drawing)
}

/// The steps of one arm, of all rounds.
private struct CapacityCurve {
    let arm: PicturedArm
    let bound: ServiceObjective.Bound
    let points: [(rate: Double, latency: Double, isHeld: Bool)]
    /// The median of the rounds, where there is one and a logarithm of it.
    let capacity: Double?
    /// Where that median lies, from six rounds on.
    let interval: Interval?

    init?(_ arm: PicturedArm, _ steps: [String: [CapacityStep]]) {
        let own = arm.group.usable.flatMap { steps[$0.runId] ?? [] }
        points = own.filter { $0.outcome != .disturbed }.compactMap { step in
            step.latencyNs.map { (step.ratePerS, max(Double($0), 1), step.outcome == .held) }
        }
        guard !points.isEmpty, let objective = ServiceObjective(arm.group.arm["slo"]) else { return nil }
        self.arm = arm
        bound = objective.bounds[0]
        let capacities = arm.values(Metrics.capacity)
        capacity = median(capacities).flatMap { $0 > 0 ? $0 : nil }
        interval = medianInterval(capacities).flatMap { $0.lower > 0 ? $0 : nil }
    }

    /// What the marks mean, where there are any.
    static func markKey(_ curves: [CapacityCurve]) -> [String] {
        guard curves.contains(where: { $0.capacity != nil }) else { return [] }
        guard let confidence = curves.compactMap(\.interval?.confidence).min() else { return ["│ median capacity"] }
        return ["│ median capacity, with its interval: \(Decimal.fixed(100 * confidence, digits: 1)) % confidence"]
    }

    /// The medians of rates that lie within a fifth of each other: where it ends, a search tries many close together.
    private var line: [[Double]] {
        Dictionary(grouping: points) { Int(log($0.rate) / log(1.2)) }.values
            .map { near in [median(near.map(\.rate)) ?? 0, median(near.map(\.latency)) ?? 0] }
            .sorted { $0[0] < $1[0] }
    }

    var entry: (label: String, style: ModeStyle, end: Double) { (arm.name, arm.style, line.last?[1] ?? 1) }

    /// A line from the axis up to the bound at the capacity, and along the bound its interval.
    private func mark(_ drawing: inout Drawing, from lowest: Double) -> [String] {
        guard let capacity else { return [] }
        let bound = Double(bound.nanoseconds)
        var rows = [[capacity, lowest], [capacity, bound]]
        if let interval { rows += [[], [interval.lower, bound], [interval.upper, bound]] }
        return [
            drawing.lines(
                "\(arm.name): median capacity and its interval, ns", rows,
                "lc rgb '\(arm.style.hue.rawValue)' dt 1 lw 1.4")
        ]
    }

    func plots(_ drawing: inout Drawing, from lowest: Double) -> [String] {
        var clauses = [drawing.lines("\(arm.name): rate, ns, medians", line, arm.style.line(width: 1.6))]
        for isHeld in [true, false] {
            let own = points.filter { $0.isHeld == isHeld }.map { [$0.rate, $0.latency] }
            guard !own.isEmpty else { continue }
            let data = drawing.data(
                "\(arm.name): rate, ns of each run that \(isHeld ? "kept" : "missed") its bound", own)
            clauses += arm.style.dots(data, size: 0.5, areHollow: !isHeld)
        }
        return clauses + mark(&drawing, from: lowest)
    }
}
