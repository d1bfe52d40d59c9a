public import CEpoll
public import Glibc
public import LinuxDescriptors
public import SystemPackage

/// A timer as something to be read: `timerfd_create(2)`, Linux 2.6.27.
///
/// ```swift
/// let timer = try TimerDescriptor()
/// try timer.set(after: .milliseconds(250), repeating: .seconds(1))
/// try set.add(timer.descriptor, .readable, token: 1)
/// // after an event:
/// if let expirations = try timer.take() { tick(expirations) }
/// ```
///
/// - An expiration makes it readable: ``take()`` returns how many there were since the last one, and 0 are left.
/// - Setting it forgets expirations that were not taken.
/// - Times are in nanoseconds, rounded up, at most 292 years. It is never early; how late depends on the machine. The
///   thread's timer slack (`prctl(2)`) does not count for it.
///
/// Watch ``descriptor`` with ``Epoll`` or ``InterestSet``, or read it with a ring, which needs one without
/// ``Options/nonblocking`` so that its read waits.
///
/// All operations but the end of life may be called by several threads at once. After `fork(2)` both processes share one
/// timer.
@frozen public struct TimerDescriptor: DescriptorOwner, ~Copyable, Sendable {
    @usableFromInline let owned: OwnedDescriptor

    /// What a timer goes by (`clock_getres(2)`).
    @frozen public enum Clock: CInt, Sendable, CaseIterable {
        /// `CLOCK_REALTIME`: the time of day, which can be set; 0 is the beginning of 1970.
        case realtime = 0
        /// `CLOCK_MONOTONIC`: stands still while the machine sleeps.
        case monotonic = 1
        /// `CLOCK_BOOTTIME` (timers of it since Linux 3.15): goes on while the machine sleeps, and does not wake it.
        case boottime = 7

        /// The clock's time, for ``TimerDescriptor/set(at:repeating:cancelOnSet:)`` (`clock_gettime(2)`).
        public var now: Duration {
            var time = timespec()
            unsafe clock_gettime(clockid_t(rawValue), &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
    }

    /// The `flags` of `timerfd_create(2)`. Close-on-exec is always set.
    @frozen public struct Options: OptionSet, Sendable, Hashable {
        /// The flags as the kernel has them.
        public let rawValue: CInt

        /// Takes the flags as the kernel has them.
        @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

        /// `TFD_NONBLOCK`: taking returns when nothing has expired.
        @inlinable public static var nonblocking: Self { Self(rawValue: O_NONBLOCK) }
    }

    /// Makes a timer that is disarmed.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`; `EINVAL` for options that `timerfd_create(2)` does not have, and for
    ///   ``Clock/boottime`` before Linux 3.15.
    public init(_ clock: Clock = .monotonic, _ options: Options = [.nonblocking]) throws(Errno) {
        let number = try systemCall { c_timerfd_create(clock.rawValue, options.rawValue | O_CLOEXEC) }
        owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Takes over a descriptor that `timerfd_create(2)` made, armed or not.
    @inlinable public init(owning descriptor: consuming OwnedDescriptor) {
        owned = descriptor
    }

    /// The descriptor, borrowed: valid as long as the timer lives. It is readable while there is an expiration to take.
    @inlinable public var descriptor: BorrowedDescriptor { owned.descriptor }

    /// Gives the descriptor away; ``init(owning:)`` is the way back.
    @inlinable public consuming func release() -> OwnedDescriptor {
        owned
    }

    /// Takes the expirations since the last take or setting; waits for one unless nonblocking (`read(2)`).
    ///
    /// - Returns: how many, at least 1; nil when nonblocking and there was none.
    /// - Throws: `ECANCELED` once after the clock was set, of a timer that asked for it
    ///   (``set(at:repeating:cancelOnSet:)``): expirations until then are lost, and a repeating one may have stopped, so
    ///   set it anew.
    @inlinable public func take() throws(Errno) -> UInt64? {
        let number = owned.descriptor.rawValue
        var count: UInt64 = 0
        return try nonblockingSystemCall { unsafe c_timerfd_read(number, &count) } == nil ? nil : count
    }

    /// Closes the timer and reports what `close(2)` said.
    public consuming func close() throws(Errno) {
        try owned.close()
    }
}
