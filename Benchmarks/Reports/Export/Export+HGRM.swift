package import Histogram
import Records

/// HdrHistogram's percentile listing, as its Java implementation prints it: value, percentile, samples up to it, and
/// 1/(1 − percentile).
///
/// The values are in nanoseconds, those of several runs added up before, never averaged after; what is
/// printed is in milliseconds.
package func hgrm(_ histogram: Histogram<UInt64>) -> String {
    let unitRatio = 1_000_000.0
    // Not the package's own printer: it formats counts above 2^31 as negative.
    let digits = Int(histogram.numberOfSignificantValueDigits.rawValue)
    func right(_ text: String, _ width: Int) -> String { pad(text, to: width, .right) }
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
