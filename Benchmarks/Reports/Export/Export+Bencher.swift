package import Records
import Statistics

/// Bencher Metric Format: a JSON object of benchmarks, each of measures with the median and the range of the rounds.
///
/// https://bencher.dev/docs/reference/bencher-metric-format/
package func bencherMetricFormat(_ records: [RunRecord]) -> String {
    struct Metric: Encodable {
        var value: Double
        var lowerValue: Double?
        var upperValue: Double?

        enum CodingKeys: String, CodingKey {
            case value
            case lowerValue = "lower_value"
            case upperValue = "upper_value"
        }
    }
    var benchmarks: [String: [String: Metric]] = [:]
    for arm in ExportedArm.all(records) {
        for (column, values) in arm.metrics {
            guard let value = median(values) else { continue }
            benchmarks[arm.name, default: [:]][column.name] = Metric(
                value: value, lowerValue: values.min(), upperValue: values.max())
        }
    }
    return json(benchmarks)
}
