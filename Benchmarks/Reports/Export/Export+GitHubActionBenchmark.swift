package import Records
import Statistics

/// The array that github-action-benchmark reads with `tool: customSmallerIsBetter` or `customBiggerIsBetter`; it takes
/// one direction per file.
///
/// https://github.com/benchmark-action/github-action-benchmark
package func githubActionBenchmark(_ records: [RunRecord], direction: Column.Direction) -> String {
    struct Result: Encodable {
        var name: String
        var unit: String
        var value: Double
        var range: String
        var extra: String
    }
    let results = ExportedArm.all(records).flatMap { arm in
        arm.metrics.filter { $0.column.better == direction }.compactMap { column, values -> Result? in
            guard let value = median(values), let low = values.min(), let high = values.max() else { return nil }
            return Result(
                name: "\(arm.name) \(column.name)", unit: column.unit.isEmpty ? "ratio" : column.unit, value: value,
                range: "\(low.csvText) to \(high.csvText)", extra: "median of \(values.count) runs")
        }
    }
    return json(results)
}
