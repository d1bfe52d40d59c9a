import Foundation
import Records
import Reports
import Statistics

/// A forest plot: new ÷ base with its interval, a row per arm, a panel per metric.
func comparisonPicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    let folders = catalog.input.folders
    guard folders.count == 2 else {
        throw NothingToDraw(reason: "a comparison is of two folders, the first being the base")
    }
    let comparison = try compared(catalog)
    let metrics = ComparisonPanel.metrics.compactMap(Column.named).filter { column in
        comparison.rows.contains { $0.metric == column.name }
    }
    let panels = metrics.prefix(ComparisonPanel.mostPanels).map { ComparisonPanel($0, comparison, catalog.noun) }
    let arms = catalog.arms.filter { arm in comparison.rows.contains { $0.arm == arm.group.arm } }
    guard let first = panels.first, !arms.isEmpty else {
        throw NothingToDraw(reason: "no metric was measured on both sides")
    }
    let title = "New against base (\(catalog.workload)): \(comparison.verdict.rawValue)"
    let about = ["base \(name(folders[0]))", "new \(name(folders[1]))", "shade: too small to count"]
    let rows = RowPicture(catalog, arms, layout: sheet.layout, title: title, about: about) {
        -(first.row($0)?.ratio ?? 0)
    }
    return Picture(
        .comparison, sheet, title: title, alternative: alternative(title, comparison, arms),
        drawing: rows.draw(panels.map(\.panel)))
}

private func compared(_ catalog: Catalog) throws(NothingToDraw) -> Comparison {
    let sides = catalog.input.folders.map { $0.records.filter { $0.workload == catalog.workload } }
    do {
        return try Comparison(base: sides[0], new: sides[1], options: catalog.input.comparison)
    } catch {
        throw NothingToDraw(reason: error.description)
    }
}

private func name(_ folder: PicturedFolder) -> String {
    let commit = folder.records.first?.gitCommit ?? ""
    return commit.isEmpty ? folder.name : "\(folder.name) (\(commit))"
}

private func alternative(_ title: String, _ comparison: Comparison, _ arms: [PicturedArm]) -> String {
    let counts = Verdict.allCases.map { verdict in
        (verdict, comparison.rows.count { $0.isGating && $0.verdict == verdict })
    }
    let text = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0.rawValue)" }.joined(separator: ", ")
    return "\(title). \(arms.count) rows; of the metrics that decide: \(text.isEmpty ? "none measured" : text)."
}

private struct ComparisonPanel {
    let column: Column
    let rows: [MetricComparison]
    private let title: String

    static let metrics = [
        "server_cpu_ns_per_op", "syscalls_per_op", "latency_p99_ns", "wakeups_per_op", "throughput_ops_per_s",
    ]
    static let mostPanels = 3

    init(_ column: Column, _ comparison: Comparison, _ noun: OperationName) {
        self.column = column
        rows = comparison.rows.filter { $0.metric == column.name }
        title = metricTitle(column, noun: noun)
    }

    func row(_ arm: PicturedArm) -> MetricComparison? { rows.first { $0.arm == arm.group.arm } }

    /// The same distance to both sides of 1, ending where nothing lies farther off.
    private var axis: Axis {
        let ends = rows.flatMap { row in
            [row.ratio, row.interval?.lower ?? 1, row.interval?.upper ?? 1, 1 + row.margin]
        }.filter { $0 > 0 && $0.isFinite }
        let reach = ends.map { abs(log($0)) }.max() ?? 0
        let steps = [
            (0.99, 1.01), (0.98, 1.02), (0.95, 1.05), (0.9, 1.1), (0.8, 1.25), (0.5, 2.0), (0.25, 4.0), (0.1, 10.0),
            (0.01, 100), (0.001, 1000),
        ]
        // Beyond a thousandfold the number beside the panel has to do.
        let step = steps.first { log($0.1) >= reach } ?? steps[steps.count - 1]
        let edge = max(-log(step.0), log(step.1)) * 1.03
        let better = column.better == .lower ? "lower" : "higher"
        return Axis(
            range: exp(-edge)...exp(edge), isLogarithmic: true,
            ticks: [step.0, 1, step.1].map { ("×\(Decimal.text($0))", $0) }, title: "\(better) is better")
    }

    private static func color(_ verdict: Verdict) -> Theme {
        switch verdict {
        case .regressed: .bad
        case .improved: .good
        case .same: .ink
        case .inconclusive: .muted
        }
    }

    var panel: RowPicture.Panel {
        let axis = axis
        return RowPicture.Panel(
            title: title, axis: axis,
            keys: [("■", Theme.bad.rawValue, "worse"), ("■", Theme.good.rawValue, "better")],
            value: { arm in row(arm).map { Self.change($0.ratio) } ?? "–" },
            valueColor: { arm in row(arm).map { Self.color($0.verdict) } ?? .muted },
            plots: { drawing, rows in plots(&drawing, rows, between: axis.ticks.map(\.value)) })
    }

    /// `+3.1 %`, and from tenfold on `×40` or `÷40`
    private static func change(_ ratio: Double) -> String {
        if ratio >= 9.95 { return "×" + HumanUnits.count(ratio.rounded()) }
        if ratio > 0, ratio <= 0.1005 { return "÷" + HumanUnits.count((1 / ratio).rounded()) }
        let percent = 100 * (ratio - 1)
        return (percent >= 0 ? "+" : "−") + Decimal.fixed(abs(percent), digits: abs(percent) < 10 ? 1 : 0) + " %"
    }

    private func plots(
        _ drawing: inout Drawing, _ arms: [(arm: PicturedArm, row: Double)], between ticks: [Double]
    ) -> [String] {
        let placed = arms.compactMap { arm, place in row(arm).map { (comparison: $0, place: place) } }
        guard !placed.isEmpty else { return [] }
        func cut(_ value: Double) -> Double { min(max(value, ticks.first ?? value), ticks.last ?? value) }
        let margins = placed.map { row, place in
            [1, place, cut(1 / (1 + row.margin)), cut(1 + row.margin), place - 0.5, place + 0.5]
        }
        var clauses = [
            drawing.boxes("margin: ratio, row, box", margins, Theme.shade.rawValue),
            drawing.lines(
                "no change: ratio, row", [[1, 0.5], [1, (placed.map(\.place).max() ?? 1) + 0.5]],
                "lw 1 lc rgb '\(Theme.muted.rawValue)'"),
        ]
        for verdict in Verdict.allCases {
            let members = placed.filter { $0.comparison.verdict == verdict }
            guard !members.isEmpty else { continue }
            let color = Self.color(verdict).rawValue
            let lines = members.flatMap { row, place -> [[Double]] in
                row.interval.map { [[cut($0.lower), place], [cut($0.upper), place], []] } ?? []
            }
            if !lines.isEmpty {
                let comment = "\(verdict.rawValue): ends of intervals, row"
                clauses.append(drawing.lines(comment, lines, "lw 2 lc rgb '\(color)'"))
            }
            let data = drawing.data(
                "\(verdict.rawValue): ratio, row", members.map { [cut($0.comparison.ratio), $0.place] })
            clauses.append("\(data) using 1:2 with points pt 7 ps 0.8 lc rgb '\(color)'")
        }
        return clauses
    }
}
