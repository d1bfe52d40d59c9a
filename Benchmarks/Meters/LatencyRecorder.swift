public import Histogram

/// Latencies of one thread, in nanoseconds, to three significant digits.
///
/// One recorder belongs to one thread; recorders are added up at the end.
public struct LatencyRecorder: Sendable {
    /// The counts.
    public private(set) var histogram: Histogram<UInt64>
    /// Latencies beyond ``highestNanoseconds``, which the histogram cannot hold.
    public private(set) var outOfRange: UInt64 = 0

    /// One hour: far beyond what a run waits for an answer.
    public static let highestNanoseconds: UInt64 = 3_600_000_000_000

    /// An empty recorder with its memory allocated, so that recording allocates nothing.
    public init() {
        histogram = Histogram(
            lowestDiscernibleValue: 1, highestTrackableValue: Self.highestNanoseconds,
            numberOfSignificantValueDigits: .three)
    }

    /// Records one latency.
    @inline(__always) public mutating func record(nanoseconds: UInt64) {
        if !histogram.record(nanoseconds) { outOfRange += 1 }
    }

    /// Records so many equal latencies.
    public mutating func record(nanoseconds: UInt64, count: UInt64) {
        if !histogram.record(nanoseconds, count: count) { outOfRange += count }
    }

    /// Adds what another thread recorded.
    public mutating func add(_ other: LatencyRecorder) {
        histogram.add(other.histogram)
        outOfRange += other.outOfRange
    }
}
