import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

// Every way of waiting for a time, a type each.

/// `timerfd_settime(2)`, and a wait for the timer's descriptor as for any other.
struct DescriptorTimer<Base: SignalWaiter & ~Copyable>: TimerWaiter, ~Copyable {
    private var base: Base
    private let timer: TimerDescriptor

    /// - Parameter descriptor: of the timer that `base` waits for; duplicated.
    init(_ base: consuming Base, _ descriptor: BorrowedDescriptor) throws(Errno) {
        let timer = TimerDescriptor(owning: try descriptor.duplicate())
        self.base = base
        self.timer = timer
    }

    @_semantics("inline_late") @inline(__always)
    mutating func expire(after nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) {
        try timer.set(after: .nanoseconds(Int64(nanoseconds)))
        meter.add(.systemCalls)
        try base.wait(meter)
    }
}

/// An io_uring timeout, submitted and waited for in one `io_uring_enter(2)`.
struct RingTimeout: TimerWaiter, ~Copyable {
    private var ring: Ring

    init() throws(Errno) { ring = try Ring.forThisThread(entries: 8) }

    @_semantics("inline_late") @inline(__always)
    mutating func expire(after nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) {
        try ring.prepareTimeout(.after(.nanoseconds(Int64(nanoseconds))), token: messageToken)
        try waitForCompletions(&ring, RingWaiting(), meter)
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if let error = completion.error, error != .timeout { throw error }
        }
    }
}

/// The time limit of `select(2)`, in microseconds, on a descriptor that never becomes ready.
struct SelectTimeout: TimerWaiter, ~Copyable {
    private var set: SelectSet

    init(_ channel: WakeChannel) throws(Errno) {
        set = try SelectSet(stop: channel.input.rawValue, listeners: [], connections: [])
    }

    @_semantics("inline_late") @inline(__always)
    mutating func expire(after nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) {
        try set.wait(upToMicroseconds: (nanoseconds + 999) / 1000)
        countWait(meter)
    }
}

/// The time limit of `poll(2)`, in milliseconds, or of `ppoll(2)`, in nanoseconds.
struct PollTimeout: TimerWaiter, ~Copyable {
    private var set: PollSet
    private let isWhole: Bool

    init(_ channel: WakeChannel, wholeMilliseconds: Bool) {
        set = PollSet(stop: channel.input.rawValue, listeners: [], connections: [], capacity: 0)
        isWhole = wholeMilliseconds
    }

    @_semantics("inline_late") @inline(__always)
    mutating func expire(after nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) {
        if isWhole {
            try set.wait(upToMilliseconds: wholeMilliseconds(nanoseconds))
        } else {
            try set.wait(upToNanoseconds: nanoseconds)
        }
        countWait(meter)
    }
}

/// The time limit of `epoll_wait(2)`, in milliseconds, or of `epoll_pwait2(2)`, in nanoseconds.
struct EpollTimeout: TimerWaiter, ~Copyable {
    private let epoll: Epoll
    private let events = EpollEventBuffer(capacity: 1)
    private let isWhole: Bool

    init(_ channel: WakeChannel, _ mode: Mode.Capabilities, wholeMilliseconds: Bool) throws(Errno) {
        let epoll = try Epoll()
        try epoll.add(channel.input, mode.flags, token: 0)
        self.epoll = epoll
        isWhole = wholeMilliseconds
    }

    @_semantics("inline_late") @inline(__always)
    mutating func expire(after nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) {
        // The set takes whole milliseconds for epoll_wait(2).
        let limit: Duration =
            isWhole
            ? .milliseconds(Int64(wholeMilliseconds(nanoseconds))) : .nanoseconds(Int64(nanoseconds))
        _ = try epoll.wait(into: events, timeout: limit)
        countWait(meter)
    }
}

/// The time limit of `io_uring_enter(2)` (`IORING_ENTER_EXT_ARG`), in nanoseconds, of a ring without requests.
struct RingWaitTimeout: TimerWaiter, ~Copyable {
    private var ring: Ring

    init() throws(Errno) { ring = try Ring.forThisThread(entries: 8) }

    @_semantics("inline_late") @inline(__always)
    mutating func expire(after nanoseconds: UInt64, _ meter: WorkerMeter) throws(Errno) {
        _ = try ring.submitAndWait(timeout: .nanoseconds(Int64(nanoseconds)))
        countEnters(ring, meter)
        meter.add(.wakeups)
    }
}

@inline(__always) private func wholeMilliseconds(_ nanoseconds: UInt64) -> UInt64 {
    (nanoseconds + 999_999) / 1_000_000
}

/// A wait that ends without an event is a wakeup all the same: it is what was waited for.
@inline(__always) private func countWait(_ meter: WorkerMeter) {
    meter.add(.systemCalls)
    meter.add(.wakeups)
}
