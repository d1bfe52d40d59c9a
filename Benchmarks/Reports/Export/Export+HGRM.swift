package import Histogram
import Records

/// HdrHistogram's percentile listing, as its Java implementation prints it: value, percentile, samples up to it, and
/// 1/(1 − percentile).
///
/// - Parameters:
///   - histogram: values in nanoseconds; those of several runs are added up before, never averaged after.
///   - unitRatio: nanoseconds per printed unit; the default prints milliseconds.
package func hgrm(_ histogram: Histogram<UInt64>, unitRatio: Double = 1_000_000) -> String {
    // Not the package's own printer: it formats counts above 2^31 as negative.
    let digits = Int(histogram.numberOfSignificantValueDigits.rawValue)
    func number(_ value: Double, _ width: Int, _ digits: Int) -> String {
        right(Decimal.fixed(value, digits: digits), width)
    }
    var text = "\(right("Value", 12)) \(right("Percentile", 14)) \(right("TotalCount", 10)) "
    text += right("1/(1-Percentile)", 14) + "\n\n"
    for step in histogram.percentiles(ticksPerHalfDistance: 5) {
        let share = step.percentileLevelIteratedTo / 100
        text += "\(number(Double(step.value) / unitRatio, 12, digits)) \(Decimal.fixed(share, digits: 12)) "
        text += right(String(step.totalCountToThisValue), 10)
        text += share < 1 ? " \(number(1 / (1 - share), 14, 2))\n" : "\n"
    }
    let mean = number(histogram.mean / unitRatio, 12, digits)
    let deviation = number(histogram.stdDeviation / unitRatio, 12, digits)
    let longest = number(Double(histogram.max) / unitRatio, 12, digits)
    let layout = HistogramLayout(of: histogram)
    text += "#[Mean    = \(mean), StdDeviation   = \(deviation)]\n"
    text += "#[Max     = \(longest), Total count    = \(right(String(histogram.totalCount), 12))]\n"
    text += "#[Buckets = \(right(String(layout?.bucketCount ?? 0), 12)), "
    text += "SubBuckets     = \(right(String(layout?.subBucketCount ?? 0), 12))]\n"
    return text
}

private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
