import Records
import Statistics

/// Metrics over whatever number was varied: connections, workers, message size, rate, …
func growthPicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    guard let dimension = Growth.dimension(catalog) else {
        throw NothingToDraw(reason: "no number was varied; run with a list, such as --connections 1,16,64")
    }
    let growth = Growth(catalog, dimension: dimension)
    let panels = growth.metrics
    guard !panels.isEmpty else { throw NothingToDraw(reason: "no run has a metric to draw") }
    let title = "Growth with \(growth.name) (\(catalog.workload))"
    let composition = Composition(
        layout: sheet.layout, title: title, subtitle: growth.catalog.subtitle + growth.catalog.rateKey)
    let families = LineFamilies.groups(growth.series) { $0.mode }
    let grid = PanelGrid(
        metrics: panels.count, families: families.count, isPacked: true,
        panelHeight: families.count == 1 ? 190 : 150, labels: growth.series.map(\.label), titleHeight: 42,
        axisHeight: 44, composition: composition)
    var drawing = Drawing(layout: sheet.layout, height: grid.drawingHeight)
    composition.drawHeader(&drawing)
    let x = Axis.logarithmic(at: growth.places, zeroAt: growth.zeroPlace, title: growth.name)
    for (index, column) in panels.enumerated() {
        let values = growth.series.flatMap { $0.points(column) }.flatMap(\.values)
        let y = Axis.fitting(values, Metrics.format(column), title: metricTitle(column, noun: catalog.noun))
        for (family, frame) in zip(families, grid.frames.dropFirst(index * grid.slots)) {
            drawing.text(family.name, x: frame.left, y: frame.top - 29)
            LineLabels(entries: family.lines.compactMap { $0.entry(column) }).draw(&drawing, frame, y)
            drawing.panel(
                frame, x: x, y: y, family.lines.flatMap { $0.plots(column, zeroAt: growth.zeroPlace, &drawing) })
        }
    }
    let lead = panels.contains { $0.name == Metrics.serverCPU.name } ? Metrics.serverCPU : panels[0]
    return Picture(
        .growth, sheet, title: title,
        alternative: ranking(title, growth.catalog.arms, lead, Metrics.format(lead), best: lead.better),
        drawing: drawing)
}

/// A metric in words with its unit: `server CPU time per connection`.
func metricTitle(_ column: Column, noun: OperationName) -> String {
    let titles = [
        "throughput_ops_per_s": "\(noun.plural) per second", "latency_p50_ns": "median latency",
        "latency_p99_ns": "latency at 99 %", "latency_p999_ns": "latency at 99.9 %",
        "server_cpu_ns_per_op": "server CPU time per \(noun.singular)",
        "syscalls_per_op": "system calls per \(noun.singular)", "wakeups_per_op": "wakeups per \(noun.singular)",
        "spurious_wakeups_per_op": "wakeups for nothing per \(noun.singular)",
        "voluntary_switches_per_op": "sleeps per \(noun.singular)",
    ]
    return titles[column.name] ?? column.name
}

private struct Growth {
    let catalog: Catalog
    let dimension: Column
    let series: [Series]

    struct Series {
        let label: String
        let mode: String
        let arms: [(place: Double, arm: PicturedArm)]

        func points(_ column: Column) -> [(place: Double, values: [Double])] {
            arms.map { ($0.place, $0.arm.values(column)) }.filter { !$0.1.isEmpty }
        }

        func entry(_ column: Column) -> (label: String, style: ModeStyle, end: Double)? {
            points(column).last.flatMap { median($0.values) }.map { (label, ModeStyle.of(mode: mode), $0) }
        }

        func plots(_ column: Column, zeroAt zeroPlace: Double, _ drawing: inout Drawing) -> [String] {
            func shown(_ place: Double) -> Double { place > 0 ? place : zeroPlace }
            let points = points(column)
            guard !points.isEmpty else { return [] }
            let medians = drawing.lines(
                "\(label): place, median \(column.name)", points.map { [shown($0.place), median($0.values) ?? 0] },
                ModeStyle.of(mode: mode).line(width: 2))
            let dots = arms.flatMap { place, arm in
                arm.dots(&drawing, "place, \(column.name) of each round", column, size: 0.5) { [shown(place), $0] }
            }
            return [medians] + dots
        }
    }

    /// The identity column that has the most numbers within a mode.
    static func dimension(_ catalog: Catalog) -> Column? {
        func numbers(_ column: Column) -> Int {
            let byMode = Dictionary(grouping: catalog.arms, by: \.mode)
            return byMode.values.map { arms in
                Set(arms.compactMap { Double($0.group.arm[column.name]) }.filter { $0 >= 0 }).count
            }.max() ?? 0
        }
        let ranked = Arm.columns.map { ($0, numbers($0)) }.filter { $0.1 > 1 }
        let most = ranked.map(\.1).max()
        return ranked.first { $0.1 == most }?.0
    }

    /// Of the other options that were varied, one value is drawn: the largest number or the first word.
    init(_ catalog: Catalog, dimension: Column) {
        self.dimension = dimension
        var kept = catalog
        for column in Arm.columns where column.name != dimension.name && column.name != "mode" {
            let byMode = Dictionary(grouping: kept.arms, by: \.mode).values
            let isVaried = byMode.contains { Set($0.map { $0.group.arm[column.name] }).count > 1 }
            guard isVaried else { continue }
            let values = kept.arms.map { $0.group.arm[column.name] }.distinct
            let largest = values.compactMap(Double.init).max()
            let chosen = values.first { Double($0) == largest } ?? values[0]
            kept = kept.filtered { arm in
                arm[column.name] == chosen
                    || !kept.arms.contains { $0.mode == arm["mode"] && $0.group.arm[column.name] == chosen }
            }
        }
        self.catalog = kept
        series = kept.arms.map(\.label).distinct.map { label in
            let arms = kept.arms.filter { $0.label == label }
            let places = arms.compactMap { arm in
                Double(arm.group.arm[dimension.name]).map { (place: $0, arm: arm) }
            }
            return Series(
                label: kept.shortLabel(arms[0]), mode: arms[0].mode,
                arms: places.filter { $0.place >= 0 }.sorted { $0.place < $1.place })
        }.filter { !$0.arms.isEmpty }
    }

    var places: [Double] { Set(series.flatMap { $0.arms.map(\.place) }).sorted() }

    /// A logarithmic axis has no zero: none at all is drawn a step left of the least.
    var zeroPlace: Double { (places.first { $0 > 0 } ?? 1) / 4 }

    var name: String { dimension.name.replacing("_", with: " ") }

    var metrics: [Column] {
        ["server_cpu_ns_per_op", "syscalls_per_op", "latency_p99_ns", "throughput_ops_per_s"]
            .compactMap(Column.named).filter { column in series.contains { !$0.points(column).isEmpty } }
    }
}
