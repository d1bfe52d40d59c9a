package import Histogram

/// The latencies that a server is to keep, as `p99=1ms` or `p99=1ms,p99.9=5ms`.
package struct ServiceObjective: Sendable, Equatable {
    /// A percentile and what it may be at the most.
    package struct Bound: Sendable, Equatable {
        /// In parts per million: 990 000 of `p99`.
        package let perMillion: UInt64
        package let nanoseconds: UInt64

        /// `p99.9`
        package var percentile: String { "p" + Decimal.text(Double(perMillion) / 10_000) }

        /// Samples that the percentile takes.
        package var samplesNeeded: UInt64 { ServiceObjective.samplesNeeded(perMillion: perMillion) }

        /// The percentile of `latencies`; nil if there are too few.
        package func latency(_ latencies: Histogram<UInt64>) -> UInt64? {
            guard latencies.totalCount >= samplesNeeded else { return nil }
            return min(latencies.valueAtPercentile(Double(perMillion) / 10_000), latencies.maxRecorded)
        }
    }

    /// At least one; the first is the one that is drawn.
    package let bounds: [Bound]

    /// Nil unless it is a list of `pN=TIME`. `p999` is `p99.9`, as in the names of columns.
    package init?(_ text: String) {
        var bounds: [Bound] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let perMillion = Self.perMillion(sides[0]),
                let limit = nanoseconds(sides[1]), limit > 0, !bounds.contains(where: { $0.perMillion == perMillion })
            else { return nil }
            bounds.append(Bound(perMillion: perMillion, nanoseconds: limit))
        }
        self.bounds = bounds
    }

    /// `p99=1ms`, which ``init(_:)`` reads.
    package var text: String {
        bounds.map { "\($0.percentile)=\(Self.exactTime($0.nanoseconds))" }.joined(separator: ",")
    }

    /// Samples that a percentile takes: with fewer than ten beyond it, it is their luck.
    package static func samplesNeeded(perMillion: UInt64) -> UInt64 {
        (10_000_000 + 999_999 - perMillion) / (1_000_000 - perMillion)
    }

    /// Latencies that the deepest percentile takes.
    package var samplesNeeded: UInt64 { bounds.map(\.samplesNeeded).max() ?? 1 }

    private static func perMillion(_ text: Substring) -> UInt64? {
        var digits = text.dropFirst()
        guard text.first == "p", digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) else { return nil }
        if let point = digits.firstIndex(of: ".") {
            // Two digits before the point.
            guard digits.distance(from: digits.startIndex, to: point) <= 2 else { return nil }
            let whole = String(repeating: "0", count: 2 - digits.distance(from: digits.startIndex, to: point))
            digits = whole + digits[..<point] + digits[digits.index(after: point)...]
        } else if digits.count > 2, digits.first != "9" {
            // `p100` is not meant to be `p10.0`.
            return nil
        } else if digits.count == 1 {
            digits = "0" + digits
        }
        guard (2...6).contains(digits.count), let number = UInt64(digits) else { return nil }
        let value = (digits.count..<6).reduce(number) { value, _ in value * 10 }
        return value > 0 ? value : nil
    }

    private static func exactTime(_ nanoseconds: UInt64) -> String {
        let units: [(UInt64, String)] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")]
        let unit = units.first { nanoseconds % $0.0 == 0 } ?? (1, "ns")
        return "\(nanoseconds / unit.0)\(unit.1)"
    }
}
