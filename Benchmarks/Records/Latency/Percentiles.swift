package import Histogram

/// `percentiles.csv`: the whole latency distribution of every run.
package enum PercentileRows {
    package static let csvHeader = CSV.row(["run_id", "mode", "workload", "quantile", "latency_ns", "count"])

    /// The distribution of one run as CSV lines; empty without samples.
    ///
    /// `quantile` runs from 0 to 1 in steps that halve with the distance to 1, `latency_ns` is the value at it and
    /// `count` the number of samples that do not exceed that value. Quantiles beyond 1 − 10/n are left out, but for 1,
    /// the longest latency.
    package static func csv(runId: String, mode: String, workload: String, histogram: Histogram<UInt64>) -> String {
        let samples = histogram.totalCount
        let deepest = samples > 10 ? 1 - 10 / Double(samples) : 0
        var lines = ""
        for step in histogram.percentiles(ticksPerHalfDistance: 10) {
            let quantile = step.percentileLevelIteratedTo / 100
            guard quantile <= deepest || quantile == 1 else { continue }
            let value = Swift.min(step.value, histogram.maxRecorded)
            lines += CSV.row([
                runId, mode, workload, quantile.csvText, value.csvText, step.totalCountToThisValue.csvText,
            ])
        }
        return lines
    }
}
