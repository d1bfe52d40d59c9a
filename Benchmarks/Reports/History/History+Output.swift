import Records
import Statistics

extension History {
    /// The trends for a terminal: a line per metric with a sparkline, its first and its newest value and the change
    /// between them, and the commits that changed it.
    package func table(width: Int, styled: Bool) -> String {
        let builds = otherBuilds > 0 ? ["Left out: \(otherBuilds) rows of debug builds."] : []
        guard let first = points.first, let last = points.last else {
            return (["No stored runs."] + builds).map { $0 + "\n" }.joined()
        }
        var table = TextTable(headings: [
            .init(title: "metric", alignment: .left), .init(title: "base"), .init(title: "newest"),
            .init(title: "change"), .init(title: "trend", alignment: .left),
        ])
        let arms = trends.map(\.arm).distinct
        let varying = Arm.varyingColumns(of: arms)
        var changes: [String] = []
        // What does not fit is the past.
        let shown = max(10, width - Self.widthBesideTrend)
        for arm in arms {
            table.lines.append(.section(arm.label(varying: varying)))
            for trend in trends where trend.arm == arm {
                table.lines.append(.cells(Self.cells(trend) + [sparkline(trend.values.suffix(shown))]))
                changes += trend.changes.map { Self.sentence($0, trend, label: arm.label(varying: varying)) }
            }
        }
        let range =
            "\(points.count) stored \(points.count == 1 ? "run" : "runs") of \(machineId), "
            + "\(first.startedAt) to \(last.startedAt)."
        let notes = changes.isEmpty ? ["No change points."] : changes
        return table.render(width: width, styled: styled)
            + ([range] + builds + notes).flatMap { wrap($0, width: width) }.map { $0 + "\n" }.joined()
    }

    /// The longest name of a metric that is shown unless others are asked for, and three figures with their gaps.
    private static let widthBesideTrend = 56

    private static func cells(_ trend: Trend) -> [String] {
        let values = trend.values.compactMap { $0 }
        guard let base = values.first, let newest = values.last else { return [trend.metric, "–", "–", "–"] }
        let change: String =
            if newest == base {
                "0.0 %"
            } else if base == 0 {
                "from 0"
            } else {
                (newest > base ? "+" : "") + Decimal.fixed(100 * (newest / base - 1), digits: 1) + " %"
            }
        return [
            trend.metric, HumanUnits.of(base, column: trend.metric), HumanUnits.of(newest, column: trend.metric),
            change,
        ]
    }

    private static func sentence(_ change: Change, _ trend: Trend, label: String) -> String {
        let sign = change.after > change.before ? "+" : ""
        let ratio =
            change.before > 0
            ? " (\(sign)\(Decimal.fixed(100 * (change.after / change.before - 1), digits: 1)) %)" : ""
        let isHigher = change.after > change.before
        let isWorse = isHigher == (Column.named(trend.metric)?.better == .lower)
        return "\(label): \(trend.metric) \(isWorse ? "worse" : "better") between \(change.lastCommitBefore) and "
            + "\(change.gitCommit), \(HumanUnits.of(change.before, column: trend.metric)) to \(HumanUnits.of(change.after, column: trend.metric))\(ratio)."
    }

    /// One line per stored run and one column per trend, as Apache Otava's CSV importer reads it: `time` and `commit`
    /// first, empty where there is no value.
    package func otavaCSV() -> String {
        var text = CSV.row(["time", "commit"] + trendNames)
        for (index, point) in points.enumerated() {
            text += CSV.row([point.startedAt, point.gitCommit] + trends.map { $0.values[index].csvText })
        }
        return text
    }

    /// Trends that lack a value in some stored run. Otava takes no empty field, so its configuration leaves them out.
    package var trendsWithGaps: Int { trends.count(where: \.hasGaps) }

    /// Otava's configuration for ``otavaCSV()``, which tells it which way each metric is better.
    package func otavaConfiguration(test: String, csvPath: String) -> String {
        let metrics = zip(trendNames, trends).filter { !$0.1.hasGaps }.map { name, trend in
            let direction = Column.named(trend.metric)?.better == .higher ? 1 : -1
            return "      \(name):\n        column: \(name)\n        direction: \(direction)\n        scale: 1\n"
        }
        return """
            tests:
              \(test):
                type: csv
                file: \(csvPath.debugDescription)
                time_column: time
                attributes: [commit]
                metrics:
            \(metrics.joined())
            """
    }

    /// `accept/epoll-et/server_cpu_ns_per_op`, with what else tells the arm apart. Not with dots: Otava prints what
    /// follows the last one only.
    private var trendNames: [String] {
        let varying = Arm.varyingColumns(of: trends.map(\.arm)).filter { $0 != "workload" }
        return trends.map { trend in
            let parts = [trend.arm["workload"], trend.arm["mode"]] + varying.map { trend.arm[$0] } + [trend.metric]
            return parts.filter { !$0.isEmpty }.map(plainName).joined(separator: "/")
        }
    }
}

/// `text` with everything but letters, digits, `-` and `_` replaced, for names that other tools take apart.
package func plainName(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "_" })
}
