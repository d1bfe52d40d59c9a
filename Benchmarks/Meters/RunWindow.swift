/// The times of a run, on the monotonic clock, that server and client agree on before it begins.
@usableFromInline package struct RunWindow: Sendable, Codable {
    /// When the load starts.
    package let loadStart: UInt64
    /// When measuring starts.
    @usableFromInline package let start: UInt64
    /// When measuring ends.
    @usableFromInline package let end: UInt64
    /// When no operation starts any more: the load outlasts the reading of the counters at ``end``.
    package let loadEnd: UInt64
    /// When an operation without an answer is given up.
    package let deadline: UInt64

    /// Time for what was started in the window to be answered.
    package static let graceNanoseconds: UInt64 = 5_000_000_000

    /// Time for the thread that reads the counters to be woken on busy processors.
    package static let tailNanoseconds: UInt64 = 20_000_000

    /// A window in which nothing is measured.
    package static let never = RunWindow(loadStart: 0, start: .max, end: .max, deadline: .max)

    /// - Parameter loadEnd: nil for the end of the window.
    package init(loadStart: UInt64, start: UInt64, end: UInt64, loadEnd: UInt64? = nil, deadline: UInt64) {
        self.loadStart = loadStart
        self.start = start
        self.end = end
        self.loadEnd = loadEnd ?? end
        self.deadline = deadline
    }

    /// A window after a warm-up that begins as soon as all client threads are sure to wait for it.
    ///
    /// - Parameter lead: how much later, for a server that hears of it later, in nanoseconds.
    package static func soon(
        warmupNanoseconds: UInt64, durationNanoseconds: UInt64, lead: UInt64 = 0
    ) -> RunWindow {
        let loadStart = monotonicNanoseconds() + 5_000_000 + lead
        let start = loadStart + warmupNanoseconds
        let end = start + durationNanoseconds
        return RunWindow(
            loadStart: loadStart, start: start, end: end, loadEnd: end + tailNanoseconds,
            deadline: end + graceNanoseconds)
    }

    /// A window that begins now, or as much later as `lead` says, and is open until the last answer, or until half a minute
    /// has passed.
    package static func untilAnswered(lead: UInt64 = 0) -> RunWindow {
        let start = monotonicNanoseconds() + lead
        let deadline = start + 6 * graceNanoseconds
        return RunWindow(loadStart: start, start: start, end: deadline, deadline: deadline)
    }

    /// Whether it ends with the last answer, and not at its end.
    package var isOpenEnded: Bool { end == deadline }

    /// True for a time in the window.
    @inlinable @inline(__always) package func measures(_ time: UInt64) -> Bool { time >= start && time < end }
}
