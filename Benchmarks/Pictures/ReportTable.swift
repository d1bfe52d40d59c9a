import Records
import Reports
import Statistics

/// The numbers of one workload: a row per arm, the best first within each condition, in each field the median of its rounds
/// and their range below it.
struct ReportTable {
    private let catalog: Catalog
    private let groups: [ArmRuns]

    init(_ catalog: Catalog) {
        self.catalog = catalog
        groups = Catalog.sorted(ArmRuns.group(catalog.input.records.filter { $0.workload == catalog.workload }))
    }

    private static let (warned, saturated) = ("⚠", "○")

    var html: String {
        let metrics = SummaryMetric.shown(noun: catalog.noun.short, groups)
        let parts = catalog.conditions.map { condition in
            let arms = catalog.arms.filter { $0.condition == condition }
            return (condition: condition, arms: arms, ranking: Ranking(arms.map(\.group)))
        }
        let hasPlaces = parts.contains { $0.ranking.hasPlaces }
        let columns = metrics.count + (hasPlaces ? 1 : 0)
        let head = metrics.map { metric in
            let unit = metric.unit.isEmpty ? "" : "<small>\(Markup.escaped(metric.unit))</small>"
            return Markup.element("th", Markup.escaped(metric.title) + unit, class: "n")
        }
        let placeHead = hasPlaces ? Markup.element("th", "#", class: "n") : ""
        var body: [String] = []
        for part in parts {
            if !part.condition.isEmpty {
                body.append(
                    "<tr class=\"group\"><td colspan=\"\(columns + 1)\">\(Markup.escaped(part.condition))</td></tr>")
            }
            body += part.ranking.order.map { index, place in
                row(part.arms[index], place: hasPlaces ? place.map(String.init) ?? "–" : nil, metrics)
            }
        }
        body += groups.filter(\.usable.isEmpty).map { unusableRow($0, columns: columns) }
        let notes = notes(parts.map(\.ranking)).map { Markup.element("p", Markup.escaped($0), class: "how") }
        return
            "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>mode</th>\(placeHead)\(head.joined())</tr></thead><tbody>\n"
            + body.joined(separator: "\n") + "\n</tbody></table></div>\n" + notes.joined(separator: "\n")
    }

    private func row(_ arm: PicturedArm, place: String?, _ metrics: [SummaryMetric]) -> String {
        let marks = marks(arm.group)
        let name =
            Markup.escaped(arm.label) + (marks.isEmpty ? "" : " <strong>\(marks.joined(separator: " "))</strong>")
        let cells = metrics.map { metric -> String in
            let values = arm.group.values(metric.value)
            guard let middle = median(values), let least = values.min(), let most = values.max() else { return "–" }
            let (low, high) = (metric.format(least), metric.format(most))
            let range = low == high ? "" : "<small>\(Markup.escaped("\(low)–\(high)"))</small>"
            return Markup.escaped(metric.format(middle)) + range
        }
        let placeCell = place.map { Markup.element("td", $0, class: "n") } ?? ""
        return "<tr><td>\(name)</td>\(placeCell)\(cells.map { Markup.element("td", $0, class: "n") }.joined())</tr>"
    }

    private func marks(_ group: ArmRuns) -> [String] {
        (group.keptItsRate ? [] : [Self.saturated])
            + (group.usable.contains { !$0.warnings.isEmpty } ? [Self.warned] : [])
    }

    private func unusableRow(_ group: ArmRuns, columns: Int) -> String {
        let states = group.records.map(\.state).distinct.joined(separator: "; ")
        return
            "<tr><td>\(Markup.escaped(label(group)))</td><td colspan=\"\(columns)\">\(Markup.escaped(states))</td></tr>"
    }

    private func label(_ group: ArmRuns) -> String { group.label(among: groups) }

    /// Of how many rounds, what the signs mean, and what was left out.
    private func notes(_ rankings: [Ranking]) -> [String] {
        let counts = catalog.arms.map(\.group.usable.count)
        guard let least = counts.min(), let most = counts.max() else { return [] }
        let number = least == most ? "\(most)" : "\(least) to \(most)"
        var notes = [
            most == 1
                ? "One round: a difference between two rows may be chance."
                : "Median of \(number) rounds, below it the lowest and the highest of them."
        ]
        notes += Ranking.notes(rankings, among: groups)
        if catalog.arms.contains(where: { !$0.group.keptItsRate }) {
            notes.append(
                "\(Self.saturated) did not keep the rate that was offered: its latencies grow with the length of the run "
                    + "and compare with no other's.")
        }
        for arm in catalog.arms {
            let warnings = arm.group.usable.map(\.warnings).filter { !$0.isEmpty }.distinct
            guard !warnings.isEmpty else { continue }
            notes.append("\(Self.warned) \(arm.name): \(warnings.joined(separator: "; "))")
        }
        for group in groups where !group.usable.isEmpty {
            notes += group.records.filter { $0.status != .ok }.map {
                "Left out: \(label(group)), round \($0.round), \($0.state)"
            }
        }
        return notes
    }
}
