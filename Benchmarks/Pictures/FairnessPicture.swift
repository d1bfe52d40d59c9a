import Records
import Statistics

/// What the workers of a round got, and how often they were woken.
func fairnessPicture(_ catalog: Catalog, _ sheet: Sheet) throws(NothingToDraw) -> Picture {
    let arms = catalog.arms.filter { !shares($0).isEmpty || !$0.values(Metrics.wakeups).isEmpty }
    let hasShares = arms.contains { shares($0).count > 1 }
    let hasWakeups = arms.contains { !$0.values(Metrics.wakeups).isEmpty }
    guard hasShares || hasWakeups else {
        throw NothingToDraw(reason: "no run has more than one worker, and none has counted wakeups")
    }
    let title =
        hasShares
        ? "What each worker got, and wakeups (\(catalog.workload))" : "Wakeups and sleeps (\(catalog.workload))"
    let rows = RowPicture(catalog, arms, layout: sheet.layout, title: title) { arm in
        hasShares ? (shares(arm).first ?? 2) : middle(arm, Metrics.wakeups)
    }
    let panels = (hasShares ? [sharePanel(catalog, arms)] : []) + (hasWakeups ? [wakeupPanel(catalog, arms)] : [])
    return Picture(
        .fairness, sheet, title: title, alternative: alternative(title, arms), drawing: rows.draw(panels))
}

/// The share of the busiest worker, of the next, and so on, as a mean over rounds.
///
/// Sorted within each round first: which worker it is differs from round to round, and a mean over workers would show
/// as fair what is unfair in every round.
private func shares(_ arm: PicturedArm) -> [Double] {
    let rounds = arm.group.usable.map(\.perWorkerOps).filter { $0.contains { $0 > 0 } }
    guard let workers = rounds.map(\.count).max() else { return [] }
    var sums = [Double](repeating: 0, count: workers)
    for round in rounds {
        let total = round.reduce(0.0) { $0 + Double($1) }
        for (place, operations) in round.sorted(by: >).enumerated() { sums[place] += Double(operations) / total }
    }
    return sums.map { $0 / Double(rounds.count) }
}

private func sharePanel(_ catalog: Catalog, _ arms: [PicturedArm]) -> RowPicture.Panel {
    // Where the workers' shares would end if all were equal.
    let workers = Set(arms.map { shares($0).count }.filter { $0 > 1 })
    let count = workers.count == 1 ? workers.first ?? 4 : 4
    let steps = count <= 5 ? (0...count).map { Double($0) / Double(count) } : [0, 0.25, 0.5, 0.75, 1]
    let axis = Axis(range: 0...1, ticks: steps.map { (HumanUnits.percent($0), $0) })
    let colors = [Theme.heat5, .heat4, .heat3, .heat2].map(\.rawValue)
    return RowPicture.Panel(
        title: "share of the \(catalog.noun.plural)", axis: axis,
        keys: [("■", colors[0], "busiest worker"), ("■", colors[1], "next, and so on")],
        plots: { drawing, rows in
            var bars: [Int: [[Double]]] = [:]
            for (arm, row) in rows {
                var start = 0.0
                for (place, share) in shares(arm).enumerated() {
                    // A gap between neighbours, which would otherwise merge.
                    let end = max(start, min(1, start + share) - 0.003)
                    bars[place % colors.count, default: []].append([end, row, start, end, row - 0.36, row + 0.36])
                    start += share
                }
            }
            return bars.sorted { $0.key < $1.key }.map { place, rows in
                let comment = "workers \(place + 1), \(place + 1 + colors.count), …: end, row, box"
                return drawing.boxes(comment, rows, colors[place])
            }
        })
}

private func wakeupPanel(_ catalog: Catalog, _ arms: [PicturedArm]) -> RowPicture.Panel {
    let columns = [Metrics.wakeups, Metrics.sleeps]
    let largest = arms.flatMap { arm in columns.map { middle(arm, $0) } }.max() ?? 0
    let (work, nothing, sleep) = (Theme.heat3.rawValue, Theme.bad.rawValue, Theme.ink.rawValue)
    return RowPicture.Panel(
        title: "wakeups \(catalog.perOperation)", axis: .fromZero(to: largest, .perOperation, ticks: 4),
        keys: [("■", work, "with work"), ("■", nothing, "for nothing"), ("◆", sleep, "went to sleep")],
        value: { arm in median(arm.values(Metrics.wakeups)).map(HumanUnits.perOperation) ?? "–" },
        plots: { drawing, rows in
            var (useful, useless, sleeps): ([[Double]], [[Double]], [[Double]]) = ([], [], [])
            for (arm, row) in rows {
                let (all, spurious) = (middle(arm, Metrics.wakeups), middle(arm, Metrics.spurious))
                useful.append([all, row, 0, max(0, all - spurious), row - 0.36, row + 0.36])
                if spurious > 0 {
                    useless.append([all, row, max(0, all - spurious), all, row - 0.36, row + 0.36])
                }
                if let number = median(arm.values(Metrics.sleeps)) { sleeps.append([number, row]) }
            }
            var plots: [String] = []
            if !useful.isEmpty { plots.append(drawing.boxes("wakeups with work", useful, work)) }
            if !useless.isEmpty { plots.append(drawing.boxes("wakeups for nothing", useless, nothing)) }
            if !sleeps.isEmpty {
                plots.append("\(drawing.data("sleeps", sleeps)) using 1:2 with points pt 13 ps 1 lc rgb '\(sleep)'")
            }
            return plots
        })
}

private func alternative(_ title: String, _ arms: [PicturedArm]) -> String {
    let ranked = arms.filter { shares($0).count > 1 }.sorted { shares($0)[0] < shares($1)[0] }
    guard let fairest = ranked.first, let least = ranked.last else {
        return ranking(title, arms, Metrics.wakeups, .perOperation, best: .lower)
    }
    func text(_ arm: PicturedArm) -> String { "\(HumanUnits.percent(shares(arm)[0])) with \(arm.name)" }
    return "\(title). The busiest worker got between \(text(fairest)) and \(text(least))."
}
