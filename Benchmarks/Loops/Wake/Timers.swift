package import Meters
import Statistics
package import SystemPackage

/// What a worker draws its times from, and where it notes how late it woke.
package struct TimerSide: ~Copyable {
    /// The times that timers are set to, in nanoseconds: too short for the processor to sleep deeply, and long enough for the
    /// thread to sleep.
    package static let delays: ClosedRange<UInt64> = 50_000...2_000_000

    let meter: WorkerMeter
    private var generator: SplitMix64
    package let lateness = LatencyBuckets()

    init(_ meter: WorkerMeter, seed: UInt64) {
        self.meter = meter
        generator = SplitMix64(seed: seed)
    }

    @inline(__always) mutating func nextDelay() -> UInt64 {
        Self.delays.lowerBound + generator.next(below: Self.delays.upperBound - Self.delays.lowerBound + 1)
    }

    /// Notes a wake. One before its time is an error and no expiry.
    @inline(__always) func note(due: UInt64) {
        let now = monotonicNanoseconds()
        guard now >= due else { return meter.add(.errors) }
        meter.add(.operations)
        if now >= meter[.windowStart] && now < meter[.windowEnd] { lateness.record(nanoseconds: now - due) }
    }
}

/// Sets a timer, and waits until it has expired.
///
/// As with ``SignalWaiter``, loops are specialised for each, and methods inlined late.
protocol TimerWaiter: ~Copyable {
    /// Returns when so much time has passed, or a wait was cut short.
    mutating func expire(after nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno)
}

/// The loop of a timer: set it to a short time, wait for it, note how late it is. A time begins before the timer is set, so
/// that setting it counts.
@inline(never)
func awaitTimers(_ timer: inout some TimerWaiter & ~Copyable, _ side: inout TimerSide) throws(Errno) {
    while side.meter[.stopped] == 0 {
        let delay = side.nextDelay()
        let due = monotonicNanoseconds() &+ delay
        try timer.expire(after: delay, side.meter)
        side.note(due: due)
    }
}

/// The thread of a timer, from the first time to the last.
package struct TimerThread: SignalLoop, ~Copyable {
    package var side: TimerSide
    private let channel: WakeChannel
    private let ready: () -> Void

    /// - Parameters:
    ///   - seed: what the times are drawn from.
    ///   - channel: of the signal that stands for the timer.
    ///   - ready: called when the first timer can be set; returns when it may be.
    package init(_ meter: WorkerMeter, seed: UInt64, on channel: WakeChannel, ready: @escaping () -> Void) {
        side = TimerSide(meter, seed: seed)
        self.channel = channel
        self.ready = ready
    }

    /// Prepares what the mode waits with on this thread, and runs until the meter says that the run is over.
    ///
    /// - Throws: `ENOTSUP` for a mode that cannot wait for the timer.
    package mutating func run(_ mode: Mode) throws(Errno) {
        let isWhole = channel.signal == .waitTimeoutMilliseconds
        switch (channel.signal, mode.mechanism) {
        case (.ringTimeout, .ringSingle), (.ringTimeout, .ringPoll):
            try run(timer: try RingTimeout())
        case (.waitTimeout, .select):
            try run(timer: try SelectTimeout(channel))
        case (.waitTimeout, .poll), (.waitTimeoutMilliseconds, .poll):
            try run(timer: PollTimeout(channel, wholeMilliseconds: isWhole))
        case (.waitTimeout, .epoll), (.waitTimeout, .epollOneShot), (.waitTimeoutMilliseconds, .epoll),
            (.waitTimeoutMilliseconds, .epollOneShot):
            try run(timer: try EpollTimeout(channel, mode.capabilities, wholeMilliseconds: isWhole))
        case (.waitTimeout, .ringSingle), (.waitTimeout, .ringPoll):
            try run(timer: try RingWaitTimeout())
        case (.timerfd, _):
            try runLoop(mode, on: channel)
        default:
            throw .notSupported
        }
    }

    mutating func run(_ waiter: consuming some SignalWaiter & ~Copyable) throws(Errno) {
        try run(timer: try DescriptorTimer(waiter, channel.input))
    }

    private mutating func run(timer: consuming some TimerWaiter & ~Copyable) throws(Errno) {
        ready()
        try awaitTimers(&timer, &side)
    }
}
