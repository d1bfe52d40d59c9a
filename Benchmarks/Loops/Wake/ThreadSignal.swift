import CBenchExtras
import Glibc
import LinuxReadiness
import Meters
import SystemPackage

/// The real-time signal that is sent to a thread, which blocks it and reads it from a descriptor (`signalfd(2)`).
///
/// It goes to one thread (`tgkill(2)`), so only threads that are woken block it, and none is left when they have ended. For a
/// thread that is not to be woken any more it has a handler that does nothing: its default would end the process.
struct ThreadSignal: Sendable {
    /// The last real-time signals but a few: nothing else of this program uses it, nor does the C library.
    static let number = SignalSet.firstRealTimeSignal + 8

    private let process = Self.ownProcess
    private let signal = Self.number

    /// Asked for once: `getpid(2)` is a system call.
    private static let ownProcess = getpid()

    private static let hasHandler: Bool = {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in }
        action.sa_flags = SA_RESTART
        return unsafe sigaction(number, &action, nil) == 0
    }()

    /// Blocks it for the calling thread; returns what was blocked before.
    static func block() throws(Errno) -> SignalSet {
        guard hasHandler else { throw .invalidArgument }
        return signals.block()
    }

    /// Lets the handler have what nobody has read, also where the thread has always blocked it, and blocks what was
    /// blocked before.
    static func unblock(_ blocked: SignalSet) {
        signals.unblock()
        blocked.becomeBlocked()
    }

    private static var signals: SignalSet { [number] }

    /// Sends it to a thread by its number; 0 is nobody.
    ///
    /// - Throws: `EAGAIN` when the user has as many signals pending as are allowed (`RLIMIT_SIGPENDING`).
    @inline(__always) func send(to thread: UInt64, _ meter: WorkerMeter?) throws(Errno) {
        let thread = pid_t(truncatingIfNeeded: thread)
        if thread == 0 { return }
        meter?.add(.systemCalls)
        // A thread that has ended meanwhile needs no signal.
        if c_send_to_thread(process, thread, signal) != 0 && errno != ESRCH { throw Errno(rawValue: errno) }
    }
}

/// Waits as another does, and signals threads in place of writing to descriptors.
struct ThreadSignalWaiter<Base: SignalWaiter & ~Copyable>: SignalWaiter, ~Copyable {
    private var base: Base
    private let sender = ThreadSignal()

    init(_ base: consuming Base) { self.base = base }

    @_semantics("inline_late") @inline(__always) mutating func wait(_ meter: WorkerMeter) throws(Errno) {
        try base.wait(meter)
    }

    @_semantics("inline_late") @inline(__always)
    func signal(_ channel: WakeChannel, _ meter: WorkerMeter?) throws(Errno) {
        try sender.send(to: channel.thread.relaxed, meter)
    }
}
