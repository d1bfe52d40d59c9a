public import CEpoll
public import Glibc
public import LinuxDescriptors
public import SystemPackage

/// Signals as something to be read: `signalfd(2)`, Linux 2.6.22, with these flags 2.6.27.
///
/// ```swift
/// let signals: SignalSet = [SIGTERM, SIGINT]
/// signals.block()                      // before any other thread is made
/// let descriptor = try SignalDescriptor(signals)
/// try set.add(descriptor.descriptor, .readable, token: 1)
/// // after an event:
/// while let record = try descriptor.take() { print("signal \(record.signal) of process \(record.sender)") }
/// ```
///
/// - **Every thread must block the signals**: the kernel gives a signal that was sent to the process to any thread that
///   does not, and that thread does what it would have done without the descriptor, which for most signals is to end the
///   process. Threads inherit what their maker blocks, so ``SignalSet/block()`` belongs at the start of `main`. The
///   threads of Dispatch and of Swift's concurrency are made as they are needed, and inherit it then.
/// - A child inherits the blocked signals too, through `execve(2)`: unblock them between `fork(2)` and that, or the child
///   cannot be interrupted. `posix_spawn(3)` has `POSIX_SPAWN_SETSIGMASK`.
/// - A thread reads what was sent to the process or to itself. A poll, or an epoll set, asks for the thread that waits or
///   registered; so a child needs a registration of its own.
/// - A standard signal that is sent again before it was read is one signal. Real-time signals are queued one by one.
/// - `SIGKILL` and `SIGSTOP` cannot be read, and a `SIGSEGV` of the thread's own doing ends the process.
///
/// All operations but the end of life may be called by several threads at once.
@frozen public struct SignalDescriptor: DescriptorOwner, ~Copyable, Sendable {
    @usableFromInline let owned: OwnedDescriptor

    /// The `flags` of `signalfd(2)`. Close-on-exec is always set.
    @frozen public struct Options: OptionSet, Sendable, Hashable {
        /// The flags as the kernel has them.
        public let rawValue: CInt

        /// Takes the flags as the kernel has them.
        @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

        /// `SFD_NONBLOCK`: taking returns when no signal waits.
        @inlinable public static var nonblocking: Self { Self(rawValue: O_NONBLOCK) }
    }

    /// Makes a descriptor that reads the signals of a set, which the caller has blocked.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`; `ENODEV` where the kernel cannot mount its anonymous files; `EINVAL` for
    ///   options that `signalfd(2)` does not have.
    public init(_ signals: SignalSet, _ options: Options = [.nonblocking]) throws(Errno) {
        let number = try systemCall { c_signalfd(-1, signals.bits, options.rawValue | O_CLOEXEC) }
        owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Takes over a descriptor that `signalfd(2)` made.
    @inlinable public init(owning descriptor: consuming OwnedDescriptor) {
        owned = descriptor
    }

    /// The descriptor, borrowed: valid as long as this value lives. It is readable while a signal of the set waits.
    @inlinable public var descriptor: BorrowedDescriptor { owned.descriptor }

    /// Gives the descriptor away; ``init(owning:)`` is the way back.
    @inlinable public consuming func release() -> OwnedDescriptor {
        owned
    }

    /// Reads other signals from now on (`signalfd(2)` of an open descriptor).
    ///
    /// - Throws: `EINVAL` if the descriptor is no signal descriptor.
    public func replaceSignals(_ signals: SignalSet) throws(Errno) {
        let number = owned.descriptor.rawValue
        _ = try systemCall { c_signalfd(number, signals.bits, 0) }
    }

    /// Takes the next signal; waits for one unless nonblocking.
    ///
    /// - Returns: nil when nonblocking and no signal of the set waits.
    @inlinable public func take() throws(Errno) -> SignalRecord? {
        let number = owned.descriptor.rawValue
        var record = SignalRecord()
        return try nonblockingSystemCall { unsafe c_signalfd_read(number, &record.native, 1) } == nil ? nil : record
    }

    /// Takes as many signals as wait and fit, by one call; waits for the first unless nonblocking.
    ///
    /// ```swift
    /// var records = [SignalRecord](repeating: SignalRecord(), count: 16)   // once
    /// var room = records.mutableSpan
    /// if let count = try descriptor.take(into: &room) { handle(records[..<count]) }
    /// ```
    ///
    /// - Returns: how many were taken; nil when nonblocking and no signal of the set waits.
    /// - Throws: `EINVAL` for no room.
    @inlinable public func take(into records: inout MutableSpan<SignalRecord>) throws(Errno) -> Int? {
        let number = owned.descriptor.rawValue
        let bytes = try unsafe records.withUnsafeMutableBufferPointer { (room) throws(Errno) -> Int? in
            // A record is its one field.
            let start = unsafe UnsafeMutableRawPointer(room.baseAddress)?.assumingMemoryBound(to: c_signal_record.self)
            return try nonblockingSystemCall { unsafe c_signalfd_read(number, start, room.count) }
        }
        return bytes.map { $0 / MemoryLayout<SignalRecord>.stride }
    }

    /// Closes the descriptor and reports what `close(2)` said. Signals that wait go on waiting.
    public consuming func close() throws(Errno) {
        try owned.close()
    }
}
