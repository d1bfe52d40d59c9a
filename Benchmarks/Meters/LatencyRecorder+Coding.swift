import Histogram

/// As what crosses a network: the buckets that hold something, so that recorders of several hosts can be added up bucket by
/// bucket. The shortest and the longest latency stay exact.
extension LatencyRecorder: Codable {
    private enum CodingKeys: String, CodingKey {
        case values, counts, shortest, longest, outOfRange
    }

    /// So many latencies are more than a run has, and few enough for sums to fit a machine word.
    private static let mostCounted: UInt64 = 1 << 46
    /// Buckets of a recorder, and some more.
    private static let mostBuckets = 1 << 17

    /// Writes the buckets in order.
    @usableFromInline package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let buckets = histogram.recordedValues().map { ($0.value, $0.count) }
        try container.encode(buckets.map(\.0), forKey: .values)
        try container.encode(buckets.map(\.1), forKey: .counts)
        try container.encode(buckets.isEmpty ? 0 : histogram.min, forKey: .shortest)
        try container.encode(buckets.isEmpty ? 0 : histogram.maxRecorded, forKey: .longest)
        try container.encode(outOfRange, forKey: .outOfRange)
    }

    /// Reads what ``encode(to:)`` has written, of whoever.
    ///
    /// - Throws: `DecodingError` for what no recorder is.
    @usableFromInline package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let values = try container.decode([UInt64].self, forKey: .values)
        let counts = try container.decode([UInt64].self, forKey: .counts)
        let shortest = try container.decode(UInt64.self, forKey: .shortest)
        let longest = try container.decode(UInt64.self, forKey: .longest)
        let outOfRange = try container.decode(UInt64.self, forKey: .outOfRange)
        self.init()
        let isOrdered = zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
        guard values.count == counts.count, values.count <= Self.mostBuckets, isOrdered,
            (values.last ?? 0) <= histogram.highestEquivalentForValue(Self.highestNanoseconds),
            counts.allSatisfy({ (1..<Self.mostCounted).contains($0) }), outOfRange < Self.mostCounted,
            counts.reduce(0, &+) < Self.mostCounted, longest <= Self.highestNanoseconds,
            holds(shortest, values.first), holds(longest, values.last)
        else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no histogram of latencies"))
        }
        self.outOfRange = outOfRange
        for (place, value) in values.enumerated() {
            let isLast = place == values.count - 1
            // One of the last bucket is the longest and none is longer, the first bucket begins with the shortest.
            let others = counts[place] - (isLast ? 1 : 0)
            if others > 0 { record(nanoseconds: place == 0 ? shortest : min(value, longest), count: others) }
            if isLast { record(nanoseconds: longest) }
        }
    }

    /// Whether a latency lies in the bucket of another, or there is neither.
    private func holds(_ latency: UInt64, _ bucket: UInt64?) -> Bool {
        guard let bucket else { return latency == 0 }
        return histogram.valuesAreEquivalent(latency, bucket)
    }
}
