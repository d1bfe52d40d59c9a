import Records
import Statistics

/// Latency over percentile: a line per mode, a panel per condition and family of modes.
///
/// The range of the rounds is a shade around the line. More than a few shades hide one another, so then each line gets
/// a small panel of its own for it.
func latencyPicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    let curves = catalog.arms.compactMap { LatencyCurve($0, catalog.latencies($0)) }
    guard !curves.isEmpty else { throw NothingToDraw(reason: "there are no latency samples") }
    let conditions = curves.map(\.arm.condition).distinct
    let shown = Array(conditions.prefix(LatencyPanels.mostConditions))
    let omitted = conditions.count - shown.count
    let title = "Latency of \(catalog.noun.plural) by percentile (\(catalog.workload))"
    let composition = Composition(
        layout: sheet.layout, title: title,
        subtitle: catalog.subtitle + [kindText(catalog)] + catalog.rateKey
            + (omitted > 0 ? ["\(omitted) more are not drawn"] : []))
    let depth = curves.map(\.nines).min() ?? 1
    let ranked = curves.sorted { $0.latency(nines: depth) > $1.latency(nines: depth) }
    let panels = LatencyPanels(
        ranked: ranked.filter { shown.contains($0.arm.condition) }, conditions: shown, composition: composition,
        label: catalog.shortLabel, hasEnds: !catalog.rateKey.isEmpty)
    return Picture(
        .latency, sheet, title: title, alternative: alternative(title, ranked, depth, shown.count > 1),
        drawing: panels.draw())
}

private func kindText(_ catalog: Catalog) -> String {
    let kinds = catalog.arms.flatMap { $0.group.usable.compactMap(\.latencyKind) }.distinct
    switch kinds {
    case [.fromCall]: return "closed loop: latency from the call"
    case [.fromScheduledStart]: return "open loop: latency from the scheduled start"
    default: return "open and closed loops mixed"
    }
}

private func alternative(_ title: String, _ ranked: [LatencyCurve], _ nines: Double, _ hasConditions: Bool) -> String {
    let kept = ranked.filter(\.arm.group.keptItsRate)
    let ranked = kept.isEmpty ? ranked : kept
    guard let worst = ranked.first, let best = ranked.last else { return title }
    func at(_ curve: LatencyCurve) -> String {
        let condition = hasConditions ? ", \(curve.arm.condition)" : ""
        return "\(curve.arm.label)\(condition) with \(HumanUnits.time(nanoseconds: curve.latency(nines: nines)))"
    }
    let depth = percentileText(nines: nines.rounded(.down))
    if ranked.count == 1 { return "\(title). At \(depth) and beyond: \(at(best))." }
    return "\(title), \(ranked.count) lines. Deepest in the tail, lowest: \(at(best)); highest: \(at(worst))."
}

private struct LatencyPanels {
    let ranked: [LatencyCurve]
    let conditions: [String]
    let composition: Composition
    let label: (PicturedArm) -> String
    /// Whether the lines' ends say which ones kept their rate.
    let hasEnds: Bool

    static let mostConditions = 6
    /// More shades than this in a panel cannot be told apart.
    private static let mostShades = 4
    private static let mostSmallPanels = 16

    private var layout: Layout { composition.layout }
    private var isSingle: Bool { conditions.count == 1 }
    private var x: Axis { LatencyCurve.axis(nines: ranked.map(\.nines).max() ?? 1) }
    private var y: Axis {
        .logarithmic(ranked.flatMap(\.extremes), .time, title: "latency (logarithmic)")
    }
    private var hasSmallPanels: Bool {
        isSingle && ranked.count > Self.mostShades && ranked.count <= Self.mostSmallPanels
            && ranked.contains { $0.hasShade }
    }

    private var panels: [(title: String, members: [LatencyCurve])] {
        conditions.flatMap { condition in
            LineFamilies.groups(ranked.filter { $0.arm.condition == condition }) { $0.arm.mode }.map { family in
                ([condition, family.name].filter { !$0.isEmpty }.joined(separator: " · "), family.lines)
            }
        }
    }

    func draw() -> Drawing {
        let panels = panels
        let columns = panels.count == 1 || layout == .narrow ? 1 : 2
        let height = panels.count == 1 ? 330.0 : isSingle ? 240 : 180
        let grid = PanelGrid(
            count: panels.count, columns: columns, panelHeight: height, axisWidth: 54,
            labelWidth: LineLabels.width(ranked.map { label($0.arm) }, layout),
            titleHeight: panels.count == 1 ? 26 : 44, axisHeight: 48, composition: composition)
        let small = hasSmallPanels ? smallGrid(top: grid.drawingHeight) : nil
        var drawing = Drawing(layout: layout, height: small?.drawingHeight ?? grid.drawingHeight)
        composition.drawHeader(&drawing)
        for ((title, members), frame) in zip(panels, grid.frames) {
            drawing.text(title, x: frame.left, y: frame.top - 32)
            let alpha = members.count > Self.mostShades ? 0.08 : 0.2
            let shades = hasSmallPanels ? [] : members.compactMap { $0.shade(&drawing, alpha: alpha) }
            let marked = members.filter { hasEnds || $0.arm.style.mark != .dot }
            let ends = marked.flatMap { $0.end(&drawing) }
            let names = members.map { (label($0.arm), $0.arm.style, $0.latency(nines: $0.nines)) }
            LineLabels(entries: names).draw(&drawing, frame, y)
            drawing.panel(frame, x: x, y: y, shades + members.reversed().map { $0.line(&drawing) } + ends)
        }
        if let small { drawSmallPanels(&drawing, small) }
        return drawing
    }

    private func smallGrid(top: Double) -> PanelGrid {
        PanelGrid(
            count: ranked.count, columns: layout == .wide ? 4 : 2, panelHeight: 96, axisWidth: 50, titleHeight: 26,
            axisHeight: 22, composition: composition, top: top + 22)
    }

    private func drawSmallPanels(_ drawing: inout Drawing, _ grid: PanelGrid) {
        var (x, y) = (x, y)
        x.title = ""
        x.ticks = x.ticks.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        y = .logarithmic(ranked.flatMap(\.extremes), .time, mostTicks: 4)
        drawing.note(
            "Mode by mode: the colour is the range of single rounds, the grey that of all modes", x: layout.margin,
            y: (grid.frames.first?.top ?? 0) - 38)
        let context = LatencyCurve.envelope(ranked, &drawing)
        for (curve, frame) in zip(ranked.sorted { $0.arm.label < $1.arm.label }, grid.frames) {
            drawing.text(curve.arm.label, x: frame.left - 44, y: frame.top - 11, size: 12)
            let shade = curve.shade(&drawing, alpha: 0.3).map { [$0] } ?? []
            drawing.panel(frame, x: x, y: y, [context] + shade + [curve.line(&drawing)])
        }
    }
}
