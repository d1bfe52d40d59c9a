package import Records
import Statistics

/// The JSON that the Java Microbenchmark Harness writes with `-rf json`, for the viewers that read it.
///
/// An arm is a benchmark. Its primary metric is throughput (`thrpt`), all others are secondary. JMH's score is the mean
/// of the iterations; here it is their median, and the confidence range is the exact interval of that median, or the
/// range of the runs where there are fewer than six. Every run is an iteration of its own fork.
package func jmhJSON(_ records: [RunRecord]) -> String {
    let results = ExportedArm.all(records).compactMap { arm -> JMHResult? in
        guard let primary = arm.metrics.first(where: { $0.column.name == "throughput_ops_per_s" }) else { return nil }
        let others = arm.metrics.filter { $0.column.name != primary.column.name }
        let run = arm.group.usable[0]
        return JMHResult(
            jmhVersion: "1.37",
            benchmark: "linux_events.\(plainName(arm.group.arm["workload"])).\(plainName(arm.group.arm["mode"]))",
            threads: max(1, run.workers), forks: arm.group.usable.count,
            measurementTime: "\((run.durationS ?? 0).csvText) s", params: params(arm.group.arm),
            primaryMetric: JMHMetric(primary.column, primary.values),
            secondaryMetrics: Dictionary(
                uniqueKeysWithValues: others.map { ($0.column.name, JMHMetric($0.column, $0.values)) }))
    }
    return json(results)
}

private func params(_ arm: Arm) -> [String: String] {
    let pairs = zip(Arm.columns.map(\.name), arm.values)
    return Dictionary(uniqueKeysWithValues: pairs.filter { !["workload", "mode"].contains($0.0) && !$0.1.isEmpty })
}

private struct JMHResult: Encodable {
    var jmhVersion: String
    var benchmark: String
    var mode = "thrpt"
    var threads: Int
    var forks: Int
    // Readers expect the fields of the virtual machine; there is none.
    var jvm = ""
    var jvmArgs: [String] = []
    var jdkVersion = ""
    var vmName = ""
    var vmVersion = ""
    var warmupIterations = 0
    var warmupTime = "0 s"
    var warmupBatchSize = 1
    var measurementIterations = 1
    var measurementTime: String
    var measurementBatchSize = 1
    var params: [String: String]
    var primaryMetric: JMHMetric
    var secondaryMetrics: [String: JMHMetric]
}

private struct JMHMetric: Encodable {
    var score: Double
    var scoreError: Double
    var scoreConfidence: [Double]
    var scorePercentiles: [String: Double]
    var scoreUnit: String
    var rawData: [[Double]]

    init(_ column: Column, _ values: [Double]) {
        let sorted = values.sorted()
        let interval = medianInterval(values)
        scoreConfidence = [interval?.lower ?? sorted[0], interval?.upper ?? sorted[sorted.count - 1]]
        score = median(values) ?? 0
        scoreError = (scoreConfidence[1] - scoreConfidence[0]) / 2
        scorePercentiles = ["0.0": sorted[0], "50.0": score, "100.0": sorted[sorted.count - 1]]
        scoreUnit = column.unit == "1/s" ? "ops/s" : column.unit.isEmpty ? "ratio" : column.unit
        rawData = values.map { [$0] }
    }
}
