import Records

/// A picture's frame: title and subtitle on top, a legend at the side or below, panels in the rest.
struct Composition {
    let layout: Layout
    let title: [String]
    let subtitle: [String]

    /// - Parameter subtitle: parts, which are kept together where a line ends.
    init(layout: Layout, title: String, subtitle: [String]) {
        self.layout = layout
        let room = layout.width - 2 * layout.margin
        self.title = wrap(GnuplotText.printable(title), width: Int(room / (layout.titleSize * 0.57)))
        let width = Int(room / (layout.smallTextSize * 0.57))
        var lines: [String] = []
        for part in subtitle.flatMap({ wrap(GnuplotText.printable($0), width: width) }) {
            if let last = lines.last, last.count + 3 + part.count <= width {
                lines[lines.count - 1] = "\(last) · \(part)"
            } else {
                lines.append(part)
            }
        }
        self.subtitle = lines
    }

    private var titleStep: Double { layout.titleSize * 1.3 }
    private var subtitleStep: Double { layout.smallTextSize * 1.4 }

    /// Pixels from the top that title and subtitle take.
    var headerHeight: Double {
        layout.margin + Double(title.count) * titleStep + Double(subtitle.count) * subtitleStep + 6
    }

    func drawHeader(_ drawing: inout Drawing) {
        var y = layout.margin + titleStep / 2
        for line in title {
            drawing.text(line, x: layout.margin, y: y, size: layout.titleSize)
            y += titleStep
        }
        y += (subtitleStep - titleStep) / 2
        for line in subtitle {
            drawing.text(
                line, x: layout.margin, y: y, color: Theme.muted.rawValue, size: layout.smallTextSize)
            y += subtitleStep
        }
    }
}

/// Names with a sample of their line.
struct Legend {
    let entries: [(label: String, style: ModeStyle)]
    let layout: Layout

    private static let sampleWidth = 30.0
    private static let step = 18.0

    private var columnWidth: Double {
        let longest = entries.map { layout.textWidth($0.label) }.max() ?? 0
        return min(longest + Self.sampleWidth + 14, layout.width - 2 * layout.margin)
    }

    private var columns: Int {
        guard layout == .narrow else { return 1 }
        return max(1, Int((layout.width - 2 * layout.margin) / columnWidth))
    }

    /// What it takes at the side (wide) or below (narrow).
    var width: Double { layout == .wide ? columnWidth : 0 }
    var height: Double {
        let rows = (entries.count + columns - 1) / columns
        return Double(rows) * Self.step
    }

    func draw(_ drawing: inout Drawing, left: Double, top: Double) {
        let rows = (entries.count + columns - 1) / columns
        for (index, entry) in entries.enumerated() {
            let x = left + Double(index / max(rows, 1)) * columnWidth
            let y = top + (Double(index % max(rows, 1)) + 0.5) * Self.step
            drawing.line(entry.style.line(width: 2.2), from: (x, y), to: (x + Self.sampleWidth, y))
            drawing.text(entry.label, x: x + Self.sampleWidth + 6, y: y)
        }
    }
}

/// Panels in rows and columns, with a legend beside or below them.
struct PanelGrid {
    let drawingHeight: Double
    let frames: [Frame]
    let legendLeft: Double
    let legendTop: Double

    /// - Parameters:
    ///   - axisWidth: room for the vertical axis's ticks, left of each panel.
    ///   - titleHeight: room above each panel.
    ///   - start: the upper edge; that of the space below the header if not given.
    init(
        count: Int, columns: Int, panelHeight: Double, axisWidth: Double, titleHeight: Double, axisHeight: Double,
        composition: Composition, legend: Legend?, top start: Double? = nil
    ) {
        let start = start ?? composition.headerHeight
        let layout = composition.layout
        let legendWidth = legend.map { $0.width > 0 ? $0.width + 20 : 0 } ?? 0
        let rows = (count + columns - 1) / columns
        let cellWidth = (layout.width - 2 * layout.margin - legendWidth) / Double(columns)
        let cellHeight = titleHeight + panelHeight + axisHeight
        frames = (0..<count).map { index in
            Frame(
                left: layout.margin + Double(index % columns) * cellWidth + axisWidth,
                top: start + Double(index / columns) * cellHeight + titleHeight,
                width: cellWidth - axisWidth - 12, height: panelHeight)
        }
        let panelsBottom = start + Double(rows) * cellHeight
        let top = layout == .wide ? start + titleHeight : panelsBottom + 4
        let legendBottom = top + (legend?.height ?? 0)
        legendLeft = layout == .wide ? layout.width - layout.margin - legendWidth + 20 : layout.margin
        legendTop = top
        drawingHeight = max(panelsBottom, legendBottom) + 10
    }
}
