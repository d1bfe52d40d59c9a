public import CEpoll
import Glibc

/// One signal as a ``SignalDescriptor`` read it: `struct signalfd_siginfo`. What a signal does not tell is 0.
@frozen public struct SignalRecord: BitwiseCopyable, Sendable {
    @usableFromInline var native: c_signal_record

    /// Room for a record.
    @inlinable public init() { native = c_signal_record() }

    /// Its number.
    @inlinable public var signal: CInt { CInt(truncatingIfNeeded: native.number) }
    /// How it was sent (`si_code` of `sigaction(2)`): `SI_USER`, `SI_QUEUE`, `SI_TIMER`, `CLD_EXITED` and so on.
    @inlinable public var code: CInt { native.code }
    /// The process that sent it, or the child that it tells of. It may have ended, and its number be another's.
    @inlinable public var sender: CInt { CInt(truncatingIfNeeded: native.process) }
    /// The real user of the sender.
    @inlinable public var user: UInt32 { native.user }

    /// The number that came with it, of `sigqueue(3)` or of a timer.
    @inlinable public var value: CInt { native.value }
    /// The same as wide as a pointer, whose meaning is the sender's.
    @inlinable public var wideValue: UInt64 { native.pointer }

    /// The timer that sent it, by the kernel's number (`timer_create(2)`).
    @inlinable public var timer: UInt32 { native.timer }
    /// How often that timer expired since, without a signal of its own (`timer_getoverrun(2)`).
    @inlinable public var timerOverruns: UInt32 { native.overruns }

    /// The descriptor that became ready (`F_SETSIG` of `fcntl(2)`).
    @inlinable public var descriptor: CInt { native.descriptor }
    /// What it is ready for, as `poll(2)` says it.
    @inlinable public var band: UInt32 { native.band }

    /// What became of a child; nil of any signal but `SIGCHLD`, and of a `SIGCHLD` that somebody sent.
    ///
    /// Standard signals are not queued: one may stand for several children, of whom it names one. Ask `waitpid(2)` until
    /// there is none.
    public var child: ChildChange? {
        guard signal == SIGCHLD else { return nil }
        let status = native.status
        return switch code {
        case 1: .exited(status)
        case 2: .killed(status, dumpedCore: false)
        case 3: .killed(status, dumpedCore: true)
        case 4, 5: .stopped(status)
        case 6: .continued
        default: nil
        }
    }

    /// What happened to a child (`si_code` and `si_status` of `SIGCHLD`).
    @frozen public enum ChildChange: Sendable, Hashable {
        /// `CLD_EXITED`: it ended with this code.
        case exited(CInt)
        /// `CLD_KILLED`, `CLD_DUMPED`: this signal ended it.
        case killed(CInt, dumpedCore: Bool)
        /// `CLD_STOPPED`, `CLD_TRAPPED`: this signal stopped it.
        case stopped(CInt)
        /// `CLD_CONTINUED`.
        case continued
    }
}
