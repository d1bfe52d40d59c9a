import Reports

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
        let parts = subtitle.flatMap { wrap(GnuplotText.printable($0), width: width) }
        self.subtitle = pack(parts, separator: " · ", width: width)
    }

    private var titleStep: Double { layout.titleSize * 1.3 }
    private var subtitleStep: Double { layout.smallTextSize * 1.4 }

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
            drawing.note(line, x: layout.margin, y: y)
            y += subtitleStep
        }
    }
}

/// Panels in rows and columns, with room for the names of lines at their right.
struct PanelGrid {
    let drawingHeight: Double
    let frames: [Frame]
    /// Frames of one metric, with those that stay empty.
    private(set) var slots = 1

    /// - Parameters:
    ///   - axisWidth: room for the vertical axis's ticks, left of each panel.
    ///   - labelWidth: room for the names of lines, right of each panel.
    ///   - titleHeight: room above each panel.
    ///   - start: the upper edge; that of the space below the header if not given.
    init(
        count: Int, columns: Int, panelHeight: Double, axisWidth: Double, labelWidth: Double = 0, titleHeight: Double,
        axisHeight: Double, composition: Composition, top start: Double? = nil
    ) {
        let start = start ?? composition.headerHeight
        let layout = composition.layout
        let rows = (count + columns - 1) / columns
        let cellWidth = (layout.width - 2 * layout.margin) / Double(columns)
        let cellHeight = titleHeight + panelHeight + axisHeight
        frames = (0..<count).map { index in
            Frame(
                left: layout.margin + Double(index % columns) * cellWidth + axisWidth,
                top: start + Double(index / columns) * cellHeight + titleHeight,
                width: cellWidth - axisWidth - labelWidth - 12, height: panelHeight)
        }
        drawingHeight = start + Double(rows) * cellHeight + 10
    }

    /// A panel for each family of lines of each metric. Of several families each metric begins a row.
    ///
    /// - Parameter isPacked: whether the metrics of a single family stand side by side.
    init(
        metrics: Int, families: Int, isPacked: Bool = false, panelHeight: Double, labels: [String],
        titleHeight: Double, axisHeight: Double, composition: Composition
    ) {
        let layout = composition.layout
        let columns = layout == .wide && (isPacked ? metrics * families : families) > 1 ? 2 : 1
        let slots = families == 1 ? 1 : (families + columns - 1) / columns * columns
        self.init(
            count: metrics * slots, columns: columns, panelHeight: panelHeight, axisWidth: 56,
            labelWidth: LineLabels.width(labels, layout), titleHeight: titleHeight, axisHeight: axisHeight,
            composition: composition)
        self.slots = slots
    }
}
