import Records

/// Latency over percentile: a line per mode, a panel per condition.
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
        subtitle: catalog.subtitle + [kindText(catalog)] + (omitted > 0 ? ["\(omitted) more are not drawn"] : []))
    // The legend stands in the order of the lines at the depth that all of them reach.
    let depth = curves.map(\.nines).min() ?? 1
    let ranked = curves.sorted { $0.latency(nines: depth) > $1.latency(nines: depth) }
    let panels = LatencyPanels(
        ranked: ranked.filter { shown.contains($0.arm.condition) }, conditions: shown, composition: composition)
    return Picture(
        .latency, name: sheet.name, title: title, alternative: alternative(title, ranked, depth, shown.count > 1),
        format: sheet.format, drawing: panels.draw())
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
    guard let worst = ranked.first, let best = ranked.last else { return title }
    func at(_ curve: LatencyCurve) -> String {
        let condition = hasConditions ? ", \(curve.arm.condition)" : ""
        return "\(curve.arm.label)\(condition) with \(HumanUnits.time(nanoseconds: curve.latency(nines: nines)))"
    }
    let depth = percentileText(nines: nines.rounded(.down))
    if ranked.count == 1 { return "\(title). At \(depth) and beyond: \(at(best))." }
    return "\(title), \(ranked.count) lines. Deepest in the tail, lowest: \(at(best)); highest: \(at(worst))."
}

/// The arrangement of the picture.
private struct LatencyPanels {
    let ranked: [LatencyCurve]
    let conditions: [String]
    let composition: Composition

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

    func draw() -> Drawing {
        let legend = Legend(entries: ranked.map { ($0.arm.label, $0.arm.style) }.distinctByLabel, layout: layout)
        let grid = PanelGrid(
            count: conditions.count, columns: isSingle || layout == .narrow ? 1 : 2, panelHeight: isSingle ? 330 : 220,
            axisWidth: 54, titleHeight: isSingle ? 26 : 44, axisHeight: 48, composition: composition, legend: legend)
        let small = hasSmallPanels ? smallGrid(top: grid.drawingHeight) : nil
        var drawing = Drawing(layout: layout, height: small?.drawingHeight ?? grid.drawingHeight)
        composition.drawHeader(&drawing)
        legend.draw(&drawing, left: grid.legendLeft, top: grid.legendTop)
        for (condition, frame) in zip(conditions, grid.frames) {
            if !condition.isEmpty { drawing.text(condition, x: frame.left, y: frame.top - 32) }
            let members = ranked.filter { $0.arm.condition == condition }
            let alpha = members.count > Self.mostShades ? 0.08 : 0.2
            let shades = hasSmallPanels ? [] : members.compactMap { $0.shade(&drawing, alpha: alpha) }
            drawing.panel(frame, x: x, y: y, shades + members.reversed().map { $0.line(&drawing) })
        }
        if let small { drawSmallPanels(&drawing, small) }
        return drawing
    }

    // MARK: One panel a mode

    private func smallGrid(top: Double) -> PanelGrid {
        PanelGrid(
            count: ranked.count, columns: layout == .wide ? 4 : 2, panelHeight: 96, axisWidth: 50, titleHeight: 26,
            axisHeight: 22, composition: composition, legend: nil, top: top + 22)
    }

    private func drawSmallPanels(_ drawing: inout Drawing, _ grid: PanelGrid) {
        var (x, y) = (x, y)
        x.title = ""
        x.ticks = x.ticks.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        y.title = ""
        y.ticks = y.ticks.count > 4 ? y.ticks.enumerated().filter { $0.offset % 2 == 0 }.map(\.element) : y.ticks
        drawing.text(
            "The same, mode by mode: the shade is the range of single rounds", x: layout.margin,
            y: (grid.frames.first?.top ?? 0) - 38, color: Theme.muted.rawValue, size: layout.smallTextSize)
        let all = drawing.data("every mode: nines, ns", ranked.flatMap { $0.coarseRows + [[]] })
        for (curve, frame) in zip(ranked.sorted { $0.arm.label < $1.arm.label }, grid.frames) {
            drawing.text(curve.arm.label, x: frame.left - 44, y: frame.top - 11, size: 12)
            let context = "\(all) using 1:2 with lines lw 1 lc rgb '\(Theme.grid.rawValue)'"
            let shade = curve.shade(&drawing, alpha: 0.3).map { [$0] } ?? []
            drawing.panel(frame, x: x, y: y, [context] + shade + [curve.line(&drawing)])
        }
    }
}

extension Array where Element == (label: String, style: ModeStyle) {
    /// The first of each label.
    fileprivate var distinctByLabel: [Element] {
        var seen: Set<String> = []
        return filter { seen.insert($0.label).inserted }
    }
}
