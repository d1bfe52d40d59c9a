import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// How a thread waits for its own signal, and signals others: what it needs for that, and the system calls.
///
/// Loops are generic over it and never inlined themselves: each is specialised for each waiter, whose calls are inlined,
/// and a profiler finds it by name.
///
/// Its methods are inlined late: Swift 6.3 calls a witness through the table if a typed throw was inlined into it before
/// the loop was specialised.
protocol SignalWaiter: ~Copyable {
    /// Returns when it has taken a signal.
    mutating func wait(_ meter: WorkerMeter) throws(Errno)

    /// Signals the thread of a channel; with a meter, counts the call.
    mutating func signal(_ channel: WakeChannel, _ meter: WorkerMeter?) throws(Errno)

    /// Hands the kernel what ``signal(_:_:)`` has only queued.
    mutating func flush() throws(Errno)

    /// Runs the loop of a ping-pong in C.
    ///
    /// - Throws: `ENOTSUP` where there is none.
    func runReference(_ side: borrowing PingPongSide, _ partner: WakeChannel) throws(Errno)
}

extension SignalWaiter where Self: ~Copyable {
    @_semantics("inline_late") @inline(__always)
    func signal(_ channel: WakeChannel, _ meter: WorkerMeter?) throws(Errno) {
        try writeSignal(channel.output, meter)
    }

    func flush() {}

    func runReference(_ side: borrowing PingPongSide, _ partner: WakeChannel) throws(Errno) { throw .notSupported }
}

/// A loop that waits for signals, whatever the mode.
protocol SignalLoop: ~Copyable {
    /// Runs to the end.
    mutating func run(_ waiter: consuming some SignalWaiter & ~Copyable) throws(Errno)
}

extension SignalLoop where Self: ~Copyable {
    /// Prepares what the mode waits with on this thread, and runs the loop with it. Called by methods of the module alone
    /// that are not generic: so each loop is specialised for each waiter.
    ///
    /// - Throws: `ENOTSUP` for a mode that cannot wait for a signal.
    @inline(__always) mutating func runLoop(_ mode: Mode, on channel: WakeChannel) throws(Errno) {
        switch mode.mechanism {
        case .blocking where channel.signal == .futex: try run(FutexWaiter(word: channel.futexWord))
        case .blocking: try run(ReadWaiter(input: channel.signals), on: channel)
        case .select: try run(try SelectWaiter(channel), on: channel)
        case .poll: try run(PollWaiter(channel), on: channel)
        case .epoll: try run(try EpollWaiter(channel, mode.capabilities), on: channel)
        case .epollOneShot: try run(OneShotWaiter(base: try EpollWaiter(channel, mode.capabilities)), on: channel)
        case .ringSingle where channel.signal == .messageRing: try run(try MessageWaiter(channel))
        case .ringSingle: try run(try RingReadWaiter(channel), on: channel)
        case .ringPoll: try run(try RingPollWaiter(channel), on: channel)
        case .dispatcher, .interestSet, .ringMultishot, .ringEpoll, .ringDispatcher, .ringHandoff, .splice,
            .vmsplice, .sendfile, .descriptorRing, .asyncSet, .asyncRing:
            throw .notSupported
        }
    }

    /// Runs the loop with a waiter, which writes to descriptors or sends signals to threads.
    @inline(__always) private mutating func run(
        _ waiter: consuming some SignalWaiter & ~Copyable, on channel: WakeChannel
    ) throws(Errno) {
        guard channel.signal == .signalfd else { return try run(waiter) }
        let blocked = try channel.beginReceiving()
        defer { channel.endReceiving(blocked) }
        try run(ThreadSignalWaiter(waiter))
    }
}
