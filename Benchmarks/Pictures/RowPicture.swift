import Records
import Statistics

/// Rows of names with panels of marks beside them: what dot plots and stacked bars have in common.
struct RowPicture {
    enum Row {
        case section(String)
        case arm(PicturedArm)
    }

    struct Panel {
        var title: String
        var axis: Axis
        /// Marks explained above the panel: a coloured sign and its word.
        var keys: [(sign: String, color: String, word: String)] = []
        /// Written at the right, beside the data; empty for no text.
        var value: (PicturedArm) -> String = { _ in "" }
        var valueColor: (PicturedArm) -> Theme = { _ in .ink }
        /// The plot clauses for the arms, each with its row's number.
        var plots: (inout Drawing, [(arm: PicturedArm, row: Double)]) -> [String]
    }

    static let mostRows = 80
    private let rows: [Row]
    private let composition: Composition
    private let layout: Layout
    private let omitted: Int

    /// - Parameters:
    ///   - rank: what the arms of a condition are sorted by, the smallest first.
    ///   - about: what the subtitle says in place of the commit.
    init(
        _ catalog: Catalog, _ arms: [PicturedArm], layout: Layout, title: String, about: [String]? = nil,
        rank: (PicturedArm) -> Double
    ) {
        var rows: [Row] = []
        for condition in catalog.conditions {
            let members = arms.filter { $0.condition == condition }
            guard !members.isEmpty else { continue }
            if !condition.isEmpty { rows.append(.section(condition)) }
            let ranked = members.map { (arm: $0, key: rank($0)) }.sorted { $0.key < $1.key }
            rows += ranked.map { .arm($0.arm) }
        }
        omitted = max(0, rows.count - Self.mostRows)
        self.rows = Array(rows.prefix(Self.mostRows))
        self.layout = layout
        let note = omitted > 0 ? ["\(omitted) more rows are not drawn"] : []
        composition = Composition(
            layout: layout, title: title,
            subtitle: (about.map { catalog.settings + $0 } ?? catalog.subtitle + catalog.rateKey) + note)
    }

    private static let rowHeight = 21.0
    private static let valueWidth = 60.0
    private static let axisHeight = 26.0

    func draw(_ panels: [Panel]) -> Drawing {
        let longest = armRows.map { layout.textWidth($0.arm.label) }.max() ?? 0
        let labelWidth = min(max(longest, 60) + 12, layout.width * 0.42)
        let panelHeight = Double(rows.count) * Self.rowHeight
        let titleHeight = panels.contains { !$0.keys.isEmpty } ? 44.0 : 26.0
        let hasTitles = panels.contains { !$0.axis.title.isEmpty }
        let block = titleHeight + panelHeight + Self.axisHeight + (hasTitles ? 20 : 0)
        let stacked = layout == .narrow
        var drawing = Drawing(
            layout: layout,
            height: composition.headerHeight + (stacked ? Double(panels.count) : 1) * (block + 8) + 4)
        composition.drawHeader(&drawing)

        let room = layout.width - 2 * layout.margin - labelWidth
        var left = layout.margin + labelWidth
        var top = composition.headerHeight
        for (index, panel) in panels.enumerated() {
            let hasValues = armRows.contains { !panel.value($0.arm).isEmpty }
            let share = stacked ? room : room / Double(panels.count)
            let width = share - (hasValues ? Self.valueWidth : 36)
            let frame = Frame(left: left, top: top + titleHeight, width: width, height: panelHeight)
            if stacked || index == 0 { drawNames(&drawing, frame) }
            drawHead(&drawing, panel, frame)
            for (arm, row) in armRows {
                let y = frame.top + (row - 0.5) * Self.rowHeight
                drawing.text(
                    panel.value(arm), x: frame.right + 8, y: y, color: panel.valueColor(arm).rawValue,
                    size: layout.smallTextSize)
            }
            drawing.panel(frame, x: panel.axis, y: .rows(rows.count), reversed: true, panel.plots(&drawing, armRows))
            if stacked { top += block + 8 } else { left += share }
        }
        return drawing
    }

    private var armRows: [(arm: PicturedArm, row: Double)] {
        rows.enumerated().compactMap { index, row in
            if case .arm(let arm) = row { (arm, Double(index + 1)) } else { nil }
        }
    }

    private func drawNames(_ drawing: inout Drawing, _ frame: Frame) {
        for (index, row) in rows.enumerated() {
            let y = frame.top + (Double(index) + 0.5) * Self.rowHeight
            switch row {
            case .section(let name):
                drawing.text(name, x: layout.margin, y: y, color: Theme.muted.rawValue)
            case .arm(let arm):
                drawing.text(arm.label, x: frame.left - 8, y: y, .right)
            }
        }
    }

    private func drawHead(_ drawing: inout Drawing, _ panel: Panel, _ frame: Frame) {
        // A title that is longer than its panel is written smaller.
        let room = (frame.width + Self.valueWidth) / (Double(max(panel.title.count, 1)) * 0.58)
        drawing.text(
            panel.title, x: frame.left, y: frame.top - (panel.keys.isEmpty ? 12 : 30),
            size: min(layout.textSize, max(room, 9)))
        var x = layout == .narrow ? layout.margin : frame.left
        for key in panel.keys {
            drawing.text(key.sign, x: x, y: frame.top - 12, color: key.color, size: layout.textSize)
            drawing.note(key.word, x: x + 14, y: frame.top - 12)
            x += 14 + Double(key.word.count) * layout.smallTextSize * 0.56 + 12
        }
    }
}

extension RowPicture.Panel {
    /// How many times the usual median the largest value may be before a scale from zero hides all others.
    private static let widestSpread = 8.0

    /// Every round a dot, a number for the median; from zero with a bar up to the median unless the values lie too far
    /// apart for that.
    static func dots(
        _ title: String, _ column: Column, _ format: Axis.Format, arms: [PicturedArm],
        mark: (word: String, place: (PicturedArm) -> Double?)? = nil
    ) -> Self {
        let values = arms.flatMap { arm in arm.values(column) + (mark?.place(arm).map { [$0] } ?? []) }
        let usual = median(arms.compactMap { median($0.values(column)) }) ?? 0
        let isWide = values.allSatisfy { $0 > 0 } && (values.max() ?? 0) > widestSpread * usual
        let axis =
            isWide
            ? Axis.logarithmic(values, format, mostTicks: 6) : .fromZero(to: values.max() ?? 0, format, ticks: 4)
        let marked = mark.flatMap { mark in arms.contains { mark.place($0) != nil } ? mark : nil }
        return RowPicture.Panel(
            title: isWide ? "\(title), logarithmic" : title, axis: axis,
            keys: marked.map { [("│", Theme.ink.rawValue, $0.word)] } ?? [],
            value: { arm in median(arm.values(column)).map(format.value) ?? "–" },
            plots: { drawing, rows in
                rows.flatMap { arm, row -> [String] in
                    guard let middle = median(arm.values(column)) else { return [] }
                    var plots = [Self.stroke(middle, of: arm, row, hasBar: !isWide, &drawing)]
                    if let marked, let place = marked.place(arm) {
                        plots.append(
                            drawing.lines(
                                "\(arm.label) \(arm.condition): \(marked.word), row",
                                [[place, row - 0.4], [place, row + 0.4]], "lw 1.5 lc rgb '\(Theme.ink.rawValue)'"))
                    }
                    return plots
                        + arm.dots(&drawing, "\(column.name) of each round, row", column, size: 0.75) { [$0, row] }
                }
            })
    }

    /// A bar from zero; on a logarithmic scale, which has none, a stroke.
    private static func stroke(
        _ middle: Double, of arm: PicturedArm, _ row: Double, hasBar: Bool, _ drawing: inout Drawing
    ) -> String {
        guard hasBar else {
            return drawing.lines(
                "\(arm.label) \(arm.condition): median, row", [[middle, row - 0.32], [middle, row + 0.32]],
                "lw 3 lc rgb '\(arm.style.hue.rawValue)'")
        }
        let bar = drawing.data(
            "\(arm.label) \(arm.condition): median, row, from, to, from, to",
            [[middle, row, 0, middle, row - 0.32, row + 0.32]])
        return "\(bar) using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder \(arm.style.fill)"
    }
}
