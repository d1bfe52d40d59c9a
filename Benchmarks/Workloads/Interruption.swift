import CBenchExtras
import Glibc
public import LinuxDescriptors
import LinuxReadiness
import Meters
public import SystemPackage

/// Turns Ctrl-C and the other polite ways of ending a program into something a run can wait for (`signalfd(2)`).
///
/// Made before any other thread, because threads inherit what their maker has blocked.
public final class Interruption: Sendable {
    private let signals: OwnedDescriptor

    /// Blocks `SIGINT`, `SIGTERM` and `SIGHUP` for this thread and those it makes, and watches for them.
    ///
    /// - Parameter endsAtSecondSignal: whether the next such signal after the first ends the process at once, for a user
    ///   who does not want to wait for an orderly end.
    public init(endsAtSecondSignal: Bool = false) throws(Errno) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in Self.signals { unsafe sigaddset(&set, signal) }
        unsafe sigaddset(&set, SecondSignal.mark)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        if endsAtSecondSignal { SecondSignal.watch(Self.signals) }
        let number = try systemCall { unsafe signalfd(-1, &set, CInt(SFD_CLOEXEC) | CInt(SFD_NONBLOCK)) }
        signals = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    private static var signals: [CInt] {
        // Under nohup(1) the program is to outlive its terminal.
        [SIGINT, SIGTERM] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
    }

    private static func isIgnored(_ signal: CInt) -> Bool {
        var action = sigaction()
        unsafe sigaction(signal, nil, &action)
        // Functions have no equality; these are the numbers that the kernel keeps.
        let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return unsafe handler == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// How a pause ended.
    enum Pause {
        /// The time came.
        case over
        /// The user wants to stop.
        case interrupted
        /// A worker or a client failed.
        case failed
    }

    /// Watches for the signals, for one of `failures` and for `end`, if given, to be readable.
    func watch(failures: [BorrowedDescriptor], end: BorrowedDescriptor? = nil) throws(Errno) -> RunWatch {
        try RunWatch(signals: signals.descriptor, failures: failures, end: end)
    }

    /// Waits until a time on the monotonic clock, a signal, or a failure that `failure` tells of.
    func pause(until deadline: UInt64, failure: borrowing EventFD) throws(Errno) -> Pause {
        try watch(failures: [failure.descriptor]).pause(until: deadline)
    }

    /// Waits until the user wants to stop.
    public func wait() {
        var entry = pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&entry, 1, -1) <= 0 {}
    }

    /// Readable when the user wants to stop; borrowed.
    public var descriptor: BorrowedDescriptor { signals.descriptor }

    /// True when the user wants to stop. The signal is not taken: it stays true.
    public var isRequested: Bool {
        var entry = pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) > 0
    }
}

/// Waits for the end of a run; made before its load starts, so that no want of descriptors can spoil the waiting.
struct RunWatch: ~Copyable {
    private let epoll: Epoll
    private let events = EpollEventBuffer(capacity: 3)

    fileprivate init(signals: BorrowedDescriptor, failures: [BorrowedDescriptor], end: BorrowedDescriptor?)
        throws(Errno)
    {
        let epoll = try Epoll()
        try epoll.add(signals, .readable, token: 0)
        for failure in failures { try epoll.add(failure, .readable, token: 1) }
        if let end { try epoll.add(end, .readable, token: 2) }
        self.epoll = epoll
    }

    /// Waits until a time on the monotonic clock or until what is watched happens.
    func pause(until deadline: UInt64) throws(Errno) -> Interruption.Pause {
        let endings: [Interruption.Pause] = [.interrupted, .failed, .over]
        while true {
            let now = monotonicNanoseconds()
            let ready = try epoll.wait(into: events, timeout: .nanoseconds(deadline > now ? deadline - now : 0))
            if ready > 0 { return endings[Int(events[0].token)] }
            if monotonicNanoseconds() >= deadline { return .over }
        }
    }
}
