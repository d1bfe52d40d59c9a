package import Histogram

package struct LatencySummary: Sendable, Equatable {
    package var min: UInt64?
    package var mean: Double?
    package var p50: UInt64?
    package var p90: UInt64?
    package var p99: UInt64?
    package var p999: UInt64?
    package var max: UInt64?
    package var samples: UInt64

    /// Summarises `histogram`, whose values are nanoseconds, in one pass.
    ///
    /// A percentile is the smallest recorded value that at least that share of the samples does not exceed, to the
    /// histogram's resolution. It is `nil` when fewer than ten samples lie beyond it: such a figure is the luck of a
    /// handful of operations.
    package init(_ histogram: Histogram<UInt64>) {
        samples = histogram.totalCount
        guard samples > 0 else { return }
        min = histogram.min
        mean = histogram.mean
        max = histogram.maxRecorded
        var ladder = Self.supportedPerMille(samples: samples)[...]
        for step in histogram.recordedValues() {
            while let perMille = ladder.first, step.totalCountToThisValue >= Self.rank(perMille, of: samples) {
                let value = Swift.min(step.value, histogram.maxRecorded)
                switch perMille {
                case 500: p50 = value
                case 900: p90 = value
                case 990: p99 = value
                default: p999 = value
                }
                ladder.removeFirst()
            }
            if ladder.isEmpty { break }
        }
    }

    /// The percentiles, in thousandths, that `samples` samples can support.
    static func supportedPerMille(samples: UInt64) -> [UInt64] {
        // In whole numbers, since 1 - 10/n in floating point can fall on either side of the percentile itself.
        [500, 900, 990, 999].filter { (1000 - $0) >= (10_000 + samples - 1) / samples }
    }

    /// How many samples must lie at or below the percentile: ⌈n · perMille / 1000⌉ without overflow.
    private static func rank(_ perMille: UInt64, of samples: UInt64) -> UInt64 {
        samples - samples / 1000 * (1000 - perMille) - samples % 1000 * (1000 - perMille) / 1000
    }
}

extension RunRecord {
    package mutating func setLatency(_ summary: LatencySummary, kind: LatencyKind) {
        latencyKind = summary.samples > 0 ? kind : nil
        latencyMinNs = summary.min
        latencyMeanNs = summary.mean
        latencyP50Ns = summary.p50
        latencyP90Ns = summary.p90
        latencyP99Ns = summary.p99
        latencyP999Ns = summary.p999
        latencyMaxNs = summary.max
        latencySamples = summary.samples
    }
}
