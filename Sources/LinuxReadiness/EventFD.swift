public import CEventFD
public import Glibc
public import LinuxDescriptors
public import SystemPackage

/// A counter in the kernel that one thread adds to and another waits for: `eventfd(2)`.
///
/// - A count above 0 is readable: ``take()`` returns it and leaves 0, or takes one with ``Options/semaphore``.
/// - A count below ``maximum`` is writable. An addition that would pass it waits, or adds nothing when nonblocking.
/// - Additions before a take are summed up: the waiter learns that there were some and their sum, not how many.
///   With ``Options/semaphore`` each takes its own one.
/// - Each addition is an edge: edge-triggered waiting reports it even if the count was above 0 before. One ``take()``
///   leaves nothing to drain, unless the counter is a semaphore.
/// - Of several waiters whom an addition wakes, the first takes the count and the others find nothing.
///
/// Watch ``descriptor`` with ``Epoll``, poll or read it with a ring, or register it for a ring's completions. A ring
/// that reads needs a counter without ``Options/nonblocking``, or its read may fail with `EAGAIN` instead of waiting.
///
/// All operations but the end of life may be called by several threads at once, and ``addInSignalHandler(_:)`` from a
/// signal handler.
@frozen public struct EventFD: DescriptorOwner, ~Copyable, Sendable {
    @usableFromInline let owned: OwnedDescriptor

    /// The `flags` of `eventfd(2)`. Close-on-exec is always set.
    @frozen public struct Options: OptionSet, Sendable, Hashable {
        /// The flags as the kernel has them.
        public let rawValue: CInt

        /// Takes the flags as the kernel has them.
        @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

        /// `EFD_NONBLOCK`: taking from 0 and adding past the maximum return instead of waiting.
        @inlinable public static var nonblocking: Self { Self(rawValue: CInt(EFD_NONBLOCK)) }
        /// `EFD_SEMAPHORE`: taking takes one from the count.
        @inlinable public static var semaphore: Self { Self(rawValue: CInt(EFD_SEMAPHORE)) }
    }

    /// The largest count: an addition beyond it waits, or adds nothing when nonblocking.
    @inlinable public static var maximum: UInt64 { .max - 1 }

    /// Creates a counter that starts at `count`.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`; `EINVAL` for options that `eventfd(2)` does not have, or this kernel: it has
    ///   ``Options/nonblocking`` since Linux 2.6.27 and ``Options/semaphore`` since 2.6.30.
    @inlinable public init(count: UInt32 = 0, _ options: Options = [.nonblocking]) throws(Errno) {
        let number = try systemCall { eventfd(count, options.rawValue | CInt(EFD_CLOEXEC)) }
        owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Takes over a descriptor that `eventfd(2)` made, here or in the process that sent it.
    ///
    /// What it was made with stays: whether it is a semaphore or nonblocking belongs to the open file description.
    @inlinable public init(owning descriptor: consuming OwnedDescriptor) {
        owned = descriptor
    }

    /// The descriptor, borrowed: valid as long as the counter lives, and not to be closed by the borrower.
    @inlinable public var descriptor: BorrowedDescriptor { owned.descriptor }

    /// Gives the descriptor away; ``init(owning:)`` is the way back.
    @inlinable public consuming func release() -> OwnedDescriptor {
        owned
    }

    /// Adds to the count and wakes who waits for it. Adding 0 changes nothing and wakes nobody.
    ///
    /// A waiter that was told of an earlier addition hears nothing of one that fails: false is no edge. A waker may ignore
    /// it if the waiter is level-triggered, or blocks in ``take()``, because there is a count to take. It may also
    /// ignore it if an edge-triggered waiter takes the whole count after each event, before it looks for work. A waiter
    /// that never takes, or takes one from a semaphore to which more than one is added, would wait for ever.
    ///
    /// A failed addition leaves its mark in `errno`: see ``addInSignalHandler(_:)``.
    ///
    /// - Returns: false when nonblocking and the sum would pass ``maximum`` (`EAGAIN`): nothing was added.
    /// - Throws: `EINVAL` for `UInt64.max`, which no count can hold.
    @inlinable @discardableResult public func add(_ amount: UInt64 = 1) throws(Errno) -> Bool {
        let number = owned.descriptor.rawValue
        var amount = amount
        return try nonblockingSystemCall { unsafe write(number, &amount, 8) } != nil
    }

    /// Like ``add(_:)`` for a signal handler: it leaves `errno` to what the signal interrupted
    /// (`signal-safety(7)`), which may be about to read it.
    ///
    /// The counter must be ``Options/nonblocking``: another one could wait in the handler for ever, if the thread that it
    /// interrupted is the one that takes.
    ///
    /// - Returns: whether it was added, of which ``add(_:)`` says more; false for `UInt64.max` too.
    @inlinable @discardableResult public func addInSignalHandler(_ amount: UInt64 = 1) -> Bool {
        let saved = errno
        defer { errno = saved }
        return (try? add(amount)) == true
    }

    /// Takes the count and leaves 0, or takes one with ``Options/semaphore``; waits for one unless nonblocking.
    ///
    /// - Returns: what was taken, at least 1; nil when nonblocking and the count is 0 (`EAGAIN`).
    @inlinable public func take() throws(Errno) -> UInt64? {
        let number = owned.descriptor.rawValue
        var amount: UInt64 = 0
        return try nonblockingSystemCall { unsafe read(number, &amount, 8) } == nil ? nil : amount
    }

    /// Closes the counter and reports what `close(2)` said.
    public consuming func close() throws(Errno) {
        try owned.close()
    }
}
