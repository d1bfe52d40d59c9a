import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

// Every way of waiting for one signal, a type each.

/// Waits in a blocking `read(2)`.
struct ReadWaiter: SignalWaiter, ~Copyable {
    let input: SignalInput

    @_semantics("inline_late") @inline(__always) func wait(_ meter: WorkerMeter) throws(Errno) {
        _ = try input.take(meter)
        meter.add(.wakeups)
    }
}

/// Waits in `futex(2)` while its word is 0, and sets it to 0 again.
struct FutexWaiter: SignalWaiter, ~Copyable {
    let word: SharedWord

    @_semantics("inline_late") @inline(__always) func wait(_ meter: WorkerMeter) throws(Errno) {
        while word.exchange(0) == 0 {
            meter.add(.systemCalls)
            let result = unsafe c_futex_wait(
                UnsafeMutableRawPointer(word.address).assumingMemoryBound(to: UInt32.self), 0)
            if result != 0 && errno != EAGAIN && errno != EINTR { throw Errno(rawValue: errno) }
            meter.add(.wakeups)
        }
    }

    @_semantics("inline_late") @inline(__always) func signal(_ channel: WakeChannel, _ meter: WorkerMeter?) {
        signalFutex(channel.futexWord, meter)
    }
}

/// Waits until its descriptor is reported ready, then reads it.
protocol ReadinessWaiter: SignalWaiter, ~Copyable {
    var input: SignalInput { get }
    /// True if arrivals alone are reported and a read may leave signals behind: it is repeated until `EAGAIN`.
    var drains: Bool { get }

    /// Returns when the descriptor is reported, after one system call.
    mutating func waitUntilReady(_ meter: WorkerMeter) throws(Errno)

    /// Asks for the next report after a read.
    mutating func rearm(_ meter: WorkerMeter) throws(Errno)
}

extension ReadinessWaiter where Self: ~Copyable {
    @inline(__always) var drains: Bool { false }

    @_semantics("inline_late") @inline(__always) func rearm(_ meter: WorkerMeter) {}

    @_semantics("inline_late") @inline(__always) mutating func wait(_ meter: WorkerMeter) throws(Errno) {
        while true {
            try waitUntilReady(meter)
            meter.add(.systemCalls)
            meter.add(.wakeups)
            let taken = try input.take(meter)
            if drains && taken { while try input.take(meter) {} }
            try rearm(meter)
            if taken { return }
            meter.add(.spuriousWakeups)
        }
    }
}

/// `select(2)` on one descriptor.
struct SelectWaiter: ReadinessWaiter, ~Copyable {
    private var set: SelectSet
    let input: SignalInput

    init(_ channel: WakeChannel) throws(Errno) {
        input = channel.signals
        set = try SelectSet(stop: channel.input.rawValue, listeners: [], connections: [])
    }

    @_semantics("inline_late") @inline(__always)
    mutating func waitUntilReady(_ meter: WorkerMeter) throws(Errno) { try set.wait() }
}

/// `poll(2)` on one descriptor.
struct PollWaiter: ReadinessWaiter, ~Copyable {
    private var set: PollSet
    let input: SignalInput

    init(_ channel: WakeChannel) {
        input = channel.signals
        set = PollSet(stop: channel.input.rawValue, listeners: [], connections: [], capacity: 0)
    }

    @_semantics("inline_late") @inline(__always)
    mutating func waitUntilReady(_ meter: WorkerMeter) throws(Errno) { try set.wait() }
}

/// `epoll_wait(2)` on a set of one descriptor.
struct EpollWaiter: ReadinessWaiter, ~Copyable {
    let epoll: Epoll
    private let events = EpollEventBuffer(capacity: 1)
    let input: SignalInput
    let drains: Bool

    /// What one read takes whole is read once even if the mode drains.
    init(_ channel: WakeChannel, _ mode: Mode.Capabilities) throws(Errno) {
        input = channel.signals
        drains = mode.drains && !channel.signal.readTakesAll
        let epoll = try Epoll()
        try epoll.add(channel.input, mode.flags, token: UInt64(channel.input.rawValue))
        self.epoll = epoll
    }

    @_semantics("inline_late") @inline(__always) func waitUntilReady(_ meter: WorkerMeter) throws(Errno) {
        _ = try epoll.wait(into: events)
    }
}

/// `epoll_wait(2)` with `EPOLLONESHOT`, and `epoll_ctl(2)` after each read.
struct OneShotWaiter: ReadinessWaiter, ~Copyable {
    let base: EpollWaiter
    @inline(__always) var input: SignalInput { base.input }

    @_semantics("inline_late") @inline(__always)
    func waitUntilReady(_ meter: WorkerMeter) throws(Errno) { try base.waitUntilReady(meter) }

    @_semantics("inline_late") @inline(__always) func rearm(_ meter: WorkerMeter) throws(Errno) {
        try base.epoll.modify(input.descriptor, oneShotFlags, token: UInt64(input.descriptor.rawValue))
        meter.add(.systemCalls)
    }
}

/// One io_uring read of the descriptor for each signal, submitted and waited for in one `io_uring_enter(2)`.
struct RingReadWaiter: SignalWaiter, ~Copyable {
    private var ring: Ring
    private let channel: WakeChannel

    init(_ channel: WakeChannel) throws(Errno) {
        self.channel = channel
        ring = try Ring.forThisThread(entries: 8)
    }

    @_semantics("inline_late") @inline(__always) mutating func wait(_ meter: WorkerMeter) throws(Errno) {
        unsafe try ring.prepareRead(channel.input, into: channel.readBuffer, token: messageToken)
        try waitForCompletion(&ring, meter)
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if let error = completion.error { throw error }
        }
    }
}

/// A multishot poll that stays armed, then `read(2)`. Like an edge, it reports arrivals.
struct RingPollWaiter: ReadinessWaiter, ~Copyable {
    private var ring: Ring
    let input: SignalInput
    let drains: Bool

    init(_ channel: WakeChannel) throws(Errno) {
        input = channel.signals
        drains = !channel.signal.readTakesAll
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareMultishotPoll(channel.input, .readable, token: messageToken)
        self.ring = ring
    }

    @_semantics("inline_late") @inline(__always) mutating func waitUntilReady(_ meter: WorkerMeter) throws(Errno) {
        meter.add(.submissions, UInt64(try ring.submitAndWait()))
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if let error = completion.error { throw error }
            if completion.isArmed { continue }
            meter.add(.rearms)
            try ring.prepareMultishotPoll(input.descriptor, .readable, token: messageToken)
        }
    }
}

/// A completion that another ring puts into this one. The enter that waits also sends what ``signal(_:_:)`` prepared,
/// so that a wake and the answer to it take one system call.
struct MessageWaiter: SignalWaiter, ~Copyable {
    private var ring: Ring

    init(_ channel: WakeChannel) throws(Errno) {
        ring = try Ring.forThisThread(entries: 8)
        channel.ring = ring.descriptor
    }

    @_semantics("inline_late") @inline(__always) mutating func wait(_ meter: WorkerMeter) throws(Errno) {
        while true {
            try waitForCompletion(&ring, meter)
            var taken = false
            while let completion = ring.nextCompletion() {
                meter.add(.completions)
                // A message that could not be sent.
                if let error = completion.error { throw error }
                if completion.token == messageToken { taken = true }
            }
            if taken { return }
            meter.add(.spuriousWakeups)
        }
    }

    @_semantics("inline_late") @inline(__always)
    mutating func signal(_ channel: WakeChannel, _ meter: WorkerMeter?) throws(Errno) {
        try channel.prepareMessage(from: &ring)
    }

    mutating func flush() throws(Errno) { try ring.submit() }
}

/// One `io_uring_enter(2)`, with what it submitted.
@inline(__always)
private func waitForCompletion(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    let taken = try ring.submitAndWait()
    meter.add(.systemCalls)
    meter.add(.submissions, UInt64(taken))
    meter.add(.wakeups)
}
