public import Histogram

/// Latencies of one thread, in nanoseconds, to three significant digits.
///
/// One recorder belongs to one thread; recorders are added up at the end.
@usableFromInline @frozen package struct LatencyRecorder: Sendable {
    /// The counts.
    @usableFromInline package internal(set) var histogram: Histogram<UInt64>
    /// Latencies beyond ``highestNanoseconds``, which the histogram cannot hold.
    @usableFromInline package internal(set) var outOfRange: UInt64 = 0

    /// One hour: far beyond what a run waits for an answer.
    package static let highestNanoseconds: UInt64 = 3_600_000_000_000

    /// An empty recorder with its memory allocated, so that recording allocates nothing.
    package init() {
        histogram = Histogram(
            lowestDiscernibleValue: 1, highestTrackableValue: Self.highestNanoseconds,
            numberOfSignificantValueDigits: .three)
    }

    /// Records one latency.
    @inlinable @inline(__always) package mutating func record(nanoseconds: UInt64) {
        if !histogram.record(nanoseconds) { outOfRange += 1 }
    }

    /// Records so many equal latencies.
    @inlinable package mutating func record(nanoseconds: UInt64, count: UInt64) {
        if !histogram.record(nanoseconds, count: count) { outOfRange += count }
    }

    /// Adds what another thread recorded.
    package mutating func add(_ other: LatencyRecorder) {
        histogram.add(other.histogram)
        outOfRange += other.outOfRange
    }
}
