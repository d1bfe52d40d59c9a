import Records
import Statistics

func throughputPicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    let arms = catalog.arms.filter { !$0.values(Metrics.throughput).isEmpty }
    guard !arms.isEmpty else { throw NothingToDraw(reason: "no run has a throughput") }
    let title = "Throughput: \(catalog.noun.plural) per second (\(catalog.workload))"
    let rows = RowPicture(catalog, arms, layout: sheet.layout, title: title) { -middle($0, Metrics.throughput) }
    let panel = RowPicture.Panel.dots(
        "\(catalog.noun.plural) per second", Metrics.throughput, .count, arms: arms,
        mark: ("offered", { median($0.group.values(\.offeredPerS)) }))
    return Picture(
        .throughput, sheet, title: title,
        alternative: ranking(title, arms, Metrics.throughput, .count, best: .higher), drawing: rows.draw([panel]))
}

func costPicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    let metrics: [(title: String, column: Column, format: Axis.Format)] = [
        ("server CPU time \(catalog.perOperation)", Metrics.serverCPU, .time),
        ("system calls \(catalog.perOperation)", Metrics.systemCalls, .perOperation),
    ]
    let measured = metrics.filter { metric in catalog.arms.contains { !$0.values(metric.column).isEmpty } }
    guard let first = measured.first else {
        throw NothingToDraw(reason: "no run has server CPU time or system calls")
    }
    let arms = catalog.arms.filter { arm in measured.contains { !arm.values($0.column).isEmpty } }
    let title = "Cost of a \(catalog.noun.singular) to the server (\(catalog.workload))"
    let rows = RowPicture(catalog, arms, layout: sheet.layout, title: title) { middle($0, first.column) }
    return Picture(
        .cost, sheet, title: title, alternative: ranking(title, arms, first.column, first.format, best: .lower),
        drawing: rows.draw(measured.map { .dots($0.title, $0.column, $0.format, arms: arms) }))
}

enum Metrics {
    static let throughput = column("throughput_ops_per_s")
    static let capacity = column("capacity_ops_per_s")
    static let serverCPU = column("server_cpu_ns_per_op")
    static let systemCalls = column("syscalls_per_op")
    static let wakeups = column("wakeups_per_op")
    static let spurious = column("spurious_wakeups_per_op")
    static let sleeps = column("voluntary_switches_per_op")

    private static func column(_ name: String) -> Column {
        guard let column = Column.named(name) else { preconditionFailure("no column \(name)") }
        return column
    }

    static func format(_ column: Column) -> Axis.Format {
        switch column.unit {
        case "ns", "ns/op": .time
        case "1/s": .count
        default: .perOperation
        }
    }
}

func middle(_ arm: PicturedArm, _ column: Column) -> Double { median(arm.values(column)) ?? 0 }

/// `title`, and the best and the worst of the arms in words.
func ranking(
    _ title: String, _ arms: [PicturedArm], _ column: Column, _ format: Axis.Format, best: Column.Direction
) -> String {
    let measured = arms.filter { !$0.values(column).isEmpty }.sorted { middle($0, column) < middle($1, column) }
    guard let low = measured.first, let high = measured.last else { return "\(title)." }
    func text(_ arm: PicturedArm) -> String { "\(arm.name) with \(format.value(middle(arm, column)))" }
    if measured.count == 1 { return "\(title): \(text(low))." }
    let (least, most) = (format.value(middle(low, column)), format.value(middle(high, column)))
    if least == most { return "\(title), \(measured.count) rows, all with \(least); medians of rounds." }
    let ends = best == .lower ? (low, high) : (high, low)
    return "\(title), \(measured.count) rows. Best: \(text(ends.0)); worst: \(text(ends.1)); medians of rounds."
}
