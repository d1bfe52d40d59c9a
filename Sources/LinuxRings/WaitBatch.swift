/// How many completions a wait is for, and how long it lasts (`io_uring_enter(2)`).
///
/// A wait for one completion at a time enters the kernel for each. Waiting for more saves enters, and lets those that came
/// first wait for the others. The times bound that:
///
/// - ``limit`` ends the wait, whatever came.
/// - ``minimum`` is how long it is for all of ``count``; from then on one completion is enough. It is used up even when
///   one is ready: a request that comes alone is late by it.
///
/// ```swift
/// let batch = WaitBatch(count: 16, minimum: .microseconds(50), limit: .milliseconds(10))
/// while true {
///     try ring.submitAndWait(batch: batch)
///     while let completion = ring.nextCompletion() { … }
/// }
/// ```
@frozen public struct WaitBatch: Sendable, Hashable {
    /// How many completions are enough, at least 1.
    public let count: UInt32
    /// The time in which fewer are not enough, in whole microseconds, at most an hour; Linux 6.12 if not 0
    /// (``RingFeatures/minimumWait``).
    public let minimum: Duration
    /// The longest time; nil for none; Linux 5.11 if there is one (``RingFeatures/extendedArgument``). The kernel does not
    /// look at it before ``minimum`` is over.
    public let limit: Duration?
    let minimumMicroseconds: UInt32
    /// What the kernel is told: it takes the least time for a limit where there is none.
    let hasLimit: Bool
    let limitTime: (seconds: Int64, nanoseconds: Int64)

    /// Describes a wait. A time below 0 is none; a limit of more than 34 years is cut to that.
    public init(count: UInt32, minimum: Duration = .zero, limit: Duration? = nil) {
        let least = kernelTime(minimum)
        self.count = max(1, count)
        minimumMicroseconds =
            least.seconds >= 3600 ? 3_600_000_000 : UInt32(least.seconds * 1_000_000 + least.nanoseconds / 1000)
        self.minimum = .microseconds(Int64(minimumMicroseconds))
        self.limit = limit
        hasLimit = limit != nil || minimumMicroseconds > 0
        limitTime = kernelTime(limit ?? .seconds(Int64.max))
    }

    /// Whether both are for as many completions and last as long.
    public static func == (one: Self, other: Self) -> Bool {
        one.count == other.count && one.minimum == other.minimum && one.limit == other.limit
    }

    /// Takes the count and both times.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(minimum)
        hasher.combine(limit)
    }
}
