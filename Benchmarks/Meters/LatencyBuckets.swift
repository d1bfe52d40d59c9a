/// Latencies of one thread as plain counts, for loops in which recording must cost next to nothing.
///
/// The buckets keep 11 bits of each value, as a histogram with three significant digits does, so that turning them
/// into one at the end loses nothing. The C loops write the same buckets: `Benchmarks/Reference/latencies.h`.
@usableFromInline @frozen @safe package struct LatencyBuckets: ~Copyable {
    @usableFromInline let counts: UnsafeMutablePointer<UInt64>

    /// How many buckets there are: whole numbers below 2048, then 1024 for each further bit.
    @inlinable package static var bucketCount: Int { 2048 + 31 * 1024 }

    /// Longer latencies count as this one: 73 minutes.
    @inlinable package static var longestNanoseconds: UInt64 { 1 << 42 - 1 }

    /// Allocates the buckets, so that recording allocates nothing.
    package init() {
        unsafe counts = .allocate(capacity: Self.bucketCount)
        unsafe counts.initialize(repeating: 0, count: Self.bucketCount)
    }

    deinit {
        unsafe counts.deallocate()
    }

    /// The buckets as the C loops take them.
    @unsafe package var address: UnsafeMutablePointer<UInt64> { unsafe counts }

    /// Records one latency.
    @inlinable @inline(__always) package func record(nanoseconds: UInt64) {
        let value = min(nanoseconds, Self.longestNanoseconds)
        let shift = max(53 - value.leadingZeroBitCount, 0)
        unsafe counts[shift &<< 10 &+ Int(truncatingIfNeeded: value &>> UInt64(truncatingIfNeeded: shift))] &+= 1
    }

    /// What was recorded, as a recorder that can be added to others.
    package var recorder: LatencyRecorder {
        var recorder = LatencyRecorder()
        for bucket in 0..<Self.bucketCount {
            let count = unsafe counts[bucket]
            if count > 0 { recorder.record(nanoseconds: Self.lowestValue(bucket), count: count) }
        }
        return recorder
    }

    /// The smallest latency that a bucket counts.
    static func lowestValue(_ bucket: Int) -> UInt64 {
        let shift = max(bucket / 1024 - 1, 0)
        return UInt64(bucket - 1024 * shift) << UInt64(shift)
    }
}
