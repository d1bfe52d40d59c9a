import CBenchExtras
import Glibc
package import LinuxDescriptors
import LinuxReadiness
import Meters
package import SystemPackage

/// The signals with which a user ends a program, as a descriptor that a run can wait for (`signalfd(2)`).
///
/// Made before any other thread, because threads inherit the signal mask.
package final class Interruption: Sendable {
    private let signals: OwnedDescriptor

    /// Blocks `SIGINT`, `SIGTERM` and `SIGHUP` for this thread and those it makes, and watches for them.
    ///
    /// - Parameter endsAtSecondSignal: whether the next such signal after the first ends the process at once, for a user
    ///   who does not want to wait for an orderly end.
    package init(endsAtSecondSignal: Bool = false) throws(Errno) {
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

    /// Watches for the signals, and for one of `others` to be readable, which ends a pause as a failure.
    func watch(_ others: [BorrowedDescriptor]) throws(Errno) -> RunWatch {
        try RunWatch(signals: signals.descriptor, others)
    }

    /// Waits until the user wants to stop.
    package func wait() { while !isPending(timeout: -1) {} }

    /// Readable when the user wants to stop; borrowed.
    package var descriptor: BorrowedDescriptor { signals.descriptor }

    /// True when the user wants to stop. The signal is not taken: it stays true.
    package var isRequested: Bool { isPending(timeout: 0) }

    private func isPending(timeout: CInt) -> Bool {
        var entry = pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, timeout) > 0
    }
}

/// Waits for the end of a run; made before its load starts, which may use up all descriptors.
struct RunWatch: ~Copyable {
    private let epoll: Epoll
    private let events = EpollEventBuffer(capacity: 1)

    fileprivate init(signals: BorrowedDescriptor, _ others: [BorrowedDescriptor]) throws(Errno) {
        let epoll = try Epoll()
        try epoll.add(signals, .readable, token: 0)
        for other in others { try epoll.add(other, .readable, token: 1) }
        self.epoll = epoll
    }

    /// Waits until a time on the monotonic clock or until what is watched happens.
    func pause(until deadline: UInt64) throws(Errno) -> Interruption.Pause {
        while true {
            if try epoll.wait(into: events, untilNanoseconds: deadline) > 0 {
                return events[0].token == 0 ? .interrupted : .failed
            }
            if monotonicNanoseconds() >= deadline { return .over }
        }
    }
}
