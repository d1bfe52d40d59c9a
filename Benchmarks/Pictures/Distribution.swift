import Foundation
import Histogram

struct Distribution {
    /// Latencies that occurred, rising, and how many samples each has.
    private(set) var steps: [(value: UInt64, count: UInt64)] = []
    private var upTo: [UInt64] = []
    var count: UInt64 { upTo.last ?? 0 }
    var least: UInt64 { steps.first?.value ?? 0 }
    var most: UInt64 { steps.last?.value ?? 0 }

    init(_ histogram: Histogram<UInt64>) {
        self.init(
            counts: Dictionary(
                histogram.recordedValues().map { (min($0.value, histogram.maxRecorded), $0.count) },
                uniquingKeysWith: Self.sum))
    }

    init(adding distributions: some Sequence<Distribution>) {
        let steps = distributions.flatMap { $0.steps.map { ($0.value, $0.count) } }
        self.init(counts: Dictionary(steps, uniquingKeysWith: Self.sum))
    }

    private init(counts: [UInt64: UInt64]) {
        for (value, number) in counts.sorted(by: { $0.key < $1.key }) {
            upTo.append(Self.sum(count, number))
            steps.append((value, number))
        }
    }

    /// Counts come from a file, where they can be anything.
    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    /// How many nines the sample supports: the deepest percentile that ten samples lie beyond, 1 − 10/n.
    var nines: Double { count > 10 ? log10(Double(count) / 10) : 0 }

    /// The smallest latency that 1 − 10^−nines of the samples do not exceed, ns; at least 1, for a logarithmic axis.
    func latency(nines: Double) -> Double {
        let rank = UInt64(exactly: (Double(count) * (1 - pow(10, -nines))).rounded(.up)) ?? count
        var (low, high) = (0, steps.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if upTo[middle] >= max(rank, 1) { high = middle } else { low = middle + 1 }
        }
        return steps.isEmpty ? 1 : Double(max(steps[low].value, 1))
    }
}

/// `50 %`, `99.9 %`: the percentile that is so many nines deep.
func percentileText(nines: Double) -> String {
    if nines < 0.9 { return "\(Int((100 * (1 - pow(10, -nines))).rounded())) %" }
    let digits = String(repeating: "9", count: Int(nines.rounded()))
    return digits.count <= 2
        ? (digits == "9" ? "90 %" : "99 %") : "\(digits.prefix(2)).\(digits.dropFirst(2)) %"
}
