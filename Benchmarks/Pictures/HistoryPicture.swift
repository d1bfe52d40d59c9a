import Records
import Reports
import Statistics

/// How metrics went over many stored runs, and where their level changed.
func historyPicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    guard catalog.input.folders.count >= HistoryPanels.fewestFolders else {
        throw NothingToDraw(reason: "a history is of \(HistoryPanels.fewestFolders) folders or more")
    }
    let panels = try HistoryPanels(catalog)
    let title = "History (\(catalog.workload)), \(panels.count) stored runs"
    let composition = Composition(layout: sheet.layout, title: title, subtitle: catalog.settings + panels.about)
    let families = LineFamilies.groups(panels.arms) { $0.mode }
    let grid = PanelGrid(
        metrics: panels.metrics.count, families: families.count, panelHeight: 150,
        labels: panels.arms.map(catalog.shortLabel), titleHeight: 60, axisHeight: 26, composition: composition)
    var drawing = Drawing(layout: sheet.layout, height: grid.drawingHeight)
    composition.drawHeader(&drawing)
    for (index, column) in panels.metrics.enumerated() {
        for (family, frame) in zip(families, grid.frames.dropFirst(index * grid.slots)) {
            drawing.text(family.name, x: frame.left, y: frame.top - 46)
            panels.draw(column, family.lines, frame, &drawing, label: catalog.shortLabel)
        }
    }
    return Picture(.history, sheet, title: title, alternative: panels.alternative(title), drawing: drawing)
}

private struct HistoryPanels {
    let arms: [PicturedArm]
    let metrics: [Column]
    private let history: History
    private let condition: String
    private let noun: OperationName
    private let machine: [String]

    static let fewestFolders = 3

    /// One condition is drawn, the last: lines of several would look alike.
    init(_ catalog: Catalog) throws(NothingToDraw) {
        let stored = catalog.input.folders.map { folder in
            StoredRuns(name: folder.name, records: folder.records.filter { $0.workload == catalog.workload })
        }
        let names = ["server_cpu_ns_per_op", "syscalls_per_op", "latency_p99_ns"]
        do {
            history = try History(stored, metrics: names)
        } catch {
            throw NothingToDraw(reason: error.description)
        }
        noun = catalog.noun
        machine = catalog.input.machines.filter { !$0.isEmpty }.map { "machine \($0)" }
        let trends = history.trends
        let tracked = catalog.arms.filter { arm in
            trends.contains { $0.arm == arm.group.arm && $0.values.count { $0 != nil } > 1 }
        }
        let last = tracked.map(\.condition).distinct.last ?? ""
        condition = last
        let drawn = tracked.filter { $0.condition == last }
        arms = drawn
        metrics = names.compactMap(Column.named).filter { column in
            trends.contains { trend in
                trend.metric == column.name && drawn.contains { $0.group.arm == trend.arm }
                    && trend.values.contains { $0 != nil }
            }
        }
        guard !arms.isEmpty, !metrics.isEmpty else { throw NothingToDraw(reason: "no two folders share an arm") }
    }

    var count: Int { history.points.count }

    var about: [String] {
        let dates = history.points.map { String($0.startedAt.prefix(10)) }.filter { !$0.isEmpty }.distinct
        let span = dates.count > 1 ? ["\(dates[0]) to \(dates[dates.count - 1])"] : dates
        return (condition.isEmpty ? [] : [condition]) + span + machine
    }

    private func trend(_ arm: PicturedArm, _ column: Column) -> History.Trend? {
        history.trends.first { $0.arm == arm.group.arm && $0.metric == column.name }
    }

    func alternative(_ title: String) -> String {
        let changes = arms.flatMap { arm in
            metrics.flatMap { column in
                (trend(arm, column)?.changes ?? []).map { "\(arm.label): \(column.name) from \($0.gitCommit) on" }
            }
        }
        if changes.isEmpty { return "\(title), \(arms.count) lines. No level changed." }
        let more = changes.count > 4 ? ", and \(changes.count - 4) more" : ""
        return "\(title), \(arms.count) lines. Levels changed: \(changes.prefix(4).joined(separator: "; "))\(more)."
    }

    func draw(
        _ column: Column, _ members: [PicturedArm], _ frame: Frame, _ drawing: inout Drawing,
        label: (PicturedArm) -> String
    ) {
        let format = Metrics.format(column)
        // Of all lines, so that the families have the same scale.
        let y = Axis.fitting(arms.flatMap { (trend($0, column)?.values ?? []).compactMap { $0 } }, format)
        drawing.note(metricTitle(column, noun: noun), x: frame.left, y: frame.top - 28)
        let x = xAxis(width: frame.width)
        var plots: [String] = []
        var changes: [(place: Double, text: String)] = []
        var names: [(label: String, style: ModeStyle, end: Double)] = []
        for arm in members {
            guard let trend = trend(arm, column), let end = trend.values.compactMap({ $0 }).last else { continue }
            names.append((label(arm), arm.style, end))
            let rows = trend.values.enumerated().map { index, value in value.map { [Double(index + 1), $0] } ?? [] }
            let comment = "\(arm.label): stored run, median \(column.name)"
            plots.append(drawing.lines(comment, rows, arm.style.line(width: 2)))
            plots += arm.style.dots(drawing.data(comment + ", dots", rows.filter { !$0.isEmpty }), size: 0.55)
            for change in trend.changes {
                let place = Double(change.index) + 0.5
                let ends = [[place, y.range.lowerBound], [place, y.range.upperBound]]
                let style = "lc rgb '\(arm.style.hue.rawValue)' dt (2,3) lw 1.23"
                plots.append(drawing.lines("\(arm.label): level changed", ends, style))
                let factor = change.before > 0 ? " ×\(HumanUnits.perOperation(change.after / change.before))" : ""
                changes.append((place, change.gitCommit.prefix(7) + factor))
            }
        }
        drawChanges(changes, frame, x, &drawing)
        LineLabels(entries: names).draw(&drawing, frame, y)
        drawing.panel(frame, x: x, y: y, plots)
    }

    /// Above the panel; of marks that stand too close for their texts, the first one's.
    private func drawChanges(
        _ changes: [(place: Double, text: String)], _ frame: Frame, _ x: Axis, _ drawing: inout Drawing
    ) {
        var end = -Double.infinity
        for change in changes.sorted(by: { $0.place < $1.place }) {
            let width = Double(change.text.count) * 7
            let center = frame.left + x.share(of: change.place) * frame.width
            guard center - width / 2 > end else { continue }
            drawing.text(change.text, x: center, y: frame.top - 10, .center, size: 11)
            end = center + width / 2 + 4
        }
    }

    /// Each stored run's commit, as far as there is room; that of the last one always.
    private func xAxis(width: Double) -> Axis {
        let step = max(1, Int((Double(count) * 62 / width).rounded(.up)))
        let ticks = stride(from: count - 1, through: 0, by: -step).reversed().map { index -> (String, Double) in
            let point = history.points[index]
            let name = point.gitCommit.isEmpty ? String(point.startedAt.prefix(10)) : String(point.gitCommit.prefix(7))
            return (name, Double(index + 1))
        }
        return Axis(range: 0.5...(Double(max(count, 1)) + 0.5), ticks: ticks, hasGrid: false)
    }
}
