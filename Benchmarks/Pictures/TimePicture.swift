import Foundation
import Records

/// The latencies of each round, as a column of cells: darker where more operations had them.
func timePicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    let maps = catalog.arms.compactMap { LatencyMap($0, catalog.latencies($0)) }
    guard !maps.isEmpty else { throw NothingToDraw(reason: "there are no latency samples of more than one round") }
    let shown = Array(maps.prefix(LatencyMap.mostPanels))
    let omitted = maps.count > shown.count ? ["\(maps.count - shown.count) more panels are not drawn"] : []
    let title = "Latency over time, round by round (\(catalog.workload))"
    let composition = Composition(layout: sheet.layout, title: title, subtitle: catalog.subtitle + omitted)
    let columns = sheet.layout == .wide ? min(4, max(2, shown.count)) : 2
    let keyHeight = sheet.layout == .wide ? 26.0 : 68.0
    let grid = PanelGrid(
        count: shown.count, columns: columns, panelHeight: 130, axisWidth: 50,
        titleHeight: catalog.conditions.count > 1 ? 40 : 26, axisHeight: 40, composition: composition)
    var drawing = Drawing(layout: sheet.layout, height: grid.drawingHeight + keyHeight)
    composition.drawHeader(&drawing)
    drawKey(&drawing, top: grid.drawingHeight)
    let y = LatencyMap.axis(shown)
    let lastRound = shown.flatMap(\.rounds).map(\.round).max() ?? 1
    for (map, frame) in zip(shown, grid.frames) {
        // A panel's head may be as wide as its cell, which starts left of the frame.
        let (left, condition) = (frame.left - 44, map.arm.condition)
        drawing.text(map.arm.label, x: left, y: frame.top - (condition.isEmpty ? 13 : 30), size: 12)
        if !condition.isEmpty {
            drawing.text(condition, x: left, y: frame.top - 13, color: Theme.muted.rawValue, size: 11)
        }
        drawing.panel(frame, x: LatencyMap.roundAxis(lastRound), y: y, map.plots(&drawing))
    }
    return Picture(.time, sheet, title: title, alternative: alternative(title, shown), drawing: drawing)
}

private func drawKey(_ drawing: inout Drawing, top: Double) {
    let layout = drawing.layout
    var (x, y) = (layout.margin, top + 6)
    drawing.text("share of the round's operations:", x: x, y: y, color: Theme.muted.rawValue, size: 12)
    if layout == .wide { x += 210 } else { y += 20 }
    for (color, name) in zip(Theme.heat, LatencyMap.shareNames) {
        drawing.rectangle(Frame(left: x, top: y - 6, width: 14, height: 12), color: color.rawValue)
        drawing.text(name, x: x + 18, y: y, color: Theme.muted.rawValue, size: 11)
        x += 26 + Double(name.count) * 6.6
        if layout == .narrow && name == LatencyMap.shareNames[2] { (x, y) = (layout.margin, y + 20) }
    }
}

private func alternative(_ title: String, _ maps: [LatencyMap]) -> String {
    let ranked = maps.sorted { $0.drift < $1.drift }
    guard let steady = ranked.first, let moving = ranked.last else { return title }
    func text(_ map: LatencyMap) -> String { "\(Decimal.fixed(map.drift, digits: 2)) times (\(map.arm.label))" }
    return "\(title), \(maps.count) panels. The median of the slowest round was between \(text(steady)) and "
        + "\(text(moving)) that of the fastest."
}

private struct LatencyMap {
    let arm: PicturedArm
    let rounds: [(round: Int, latencies: Distribution)]
    /// The median of the slowest round over that of the fastest.
    let drift: Double

    static let mostPanels = 24
    private static let binsPerDecade = 8.0
    /// Where a darker colour begins.
    private static let shareSteps = [0, 0.001, 0.01, 0.03, 0.1, 0.3]
    static let shareNames = ["below 0.1 %", "1 %", "3 %", "10 %", "30 %", "more"]

    /// `nil` unless there are two rounds to compare.
    init?(_ arm: PicturedArm, _ rounds: [(round: Int, latencies: Distribution)]) {
        self.arm = arm
        self.rounds = rounds
        guard rounds.count > 1 else { return nil }
        let medians = rounds.map { $0.latencies.latency(nines: 0.30103) }
        drift = (medians.max() ?? 1) / (medians.min() ?? 1)
    }

    /// From the lower edge of the lowest cell to the upper edge of the highest.
    static func axis(_ maps: [LatencyMap]) -> Axis {
        let values = maps.flatMap { map in
            map.rounds.flatMap { [edge(bin($0.latencies.least)), edge(bin($0.latencies.most) + 1)] }
        }
        // The short panels have no room for more.
        return .logarithmic(values, .time, mostTicks: 5)
    }

    static func roundAxis(_ last: Int) -> Axis {
        let step = max(1, Int((Double(last) / 6).rounded(.up)))
        let ticks = stride(from: 1, through: last, by: step).map { (String($0), Double($0)) }
        return Axis(range: 0.5...(Double(last) + 0.5), ticks: ticks, title: "round", hasGrid: false)
    }

    func plots(_ drawing: inout Drawing) -> [String] {
        var boxes: [Int: [[Double]]] = [:]
        for (round, latencies) in rounds {
            let x = Double(round)
            for cell in cells(latencies) {
                let (low, high) = (Self.edge(cell.bins.lowerBound), Self.edge(cell.bins.upperBound))
                boxes[cell.color, default: []].append([x, low, x - 0.46, x + 0.46, low, high])
            }
        }
        return boxes.sorted { $0.key < $1.key }.map { color, rows in
            let comment = "\(arm.label) \(arm.condition), share step \(color + 1): round, ns, box"
            return drawing.boxes(comment, rows, Theme.heat[color].rawValue)
        }
    }

    private static func bin(_ latency: UInt64) -> Int {
        Int(floor(log10(Double(max(latency, 1))) * binsPerDecade))
    }

    private static func edge(_ bin: Int) -> Double { pow(10, Double(bin) / binsPerDecade) }

    /// The bins of a round that hold something, neighbours of the same colour as one.
    private func cells(_ latencies: Distribution) -> [(bins: Range<Int>, color: Int)] {
        var counts: [Int: Double] = [:]
        for step in latencies.steps { counts[Self.bin(step.value), default: 0] += Double(step.count) }
        var cells: [(bins: Range<Int>, color: Int)] = []
        for (bin, count) in counts.sorted(by: { $0.key < $1.key }) {
            let share = count / Double(latencies.count)
            let color = Self.shareSteps.lastIndex { share >= $0 } ?? 0
            if let last = cells.last, last.bins.upperBound == bin, last.color == color {
                cells[cells.count - 1].bins = last.bins.lowerBound..<bin + 1
            } else {
                cells.append((bin..<bin + 1, color))
            }
        }
        return cells
    }
}
