public import CEpoll
public import Glibc
public import LinuxDescriptors
public import SystemPackage

/// An epoll set: the bare system calls of `epoll(7)` with an owned descriptor.
///
/// The set does not own what it watches. A watched descriptor must be removed before it is closed: while another
/// reference to the same open file description lives, closing the number leaves a registration that nothing can name
/// any more.
///
/// All operations but the end of life may be called by several threads at once.
@frozen public struct Epoll: DescriptorOwner, ~Copyable, Sendable {
    @usableFromInline let owned: OwnedDescriptor

    /// Creates a set, close-on-exec (`epoll_create1(2)`).
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
    public init() throws(Errno) {
        let number = try systemCall { epoll_create1(CInt(EPOLL_CLOEXEC)) }
        owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Takes over a descriptor that `epoll_create1(2)` made.
    @inlinable public init(owning descriptor: consuming OwnedDescriptor) {
        owned = descriptor
    }

    /// Gives the descriptor away; ``init(owning:)`` is the way back.
    @inlinable public consuming func release() -> OwnedDescriptor {
        owned
    }

    /// The set's own descriptor, borrowed: it can be watched by another set, or polled by a ring.
    @inlinable public var descriptor: BorrowedDescriptor { owned.descriptor }

    /// Starts watching (`EPOLL_CTL_ADD`). Events carry `token`.
    ///
    /// The kernel does not check `events` for flags that it does not know: before Linux 4.5 it ignores
    /// ``EpollEvents/exclusive`` without a word.
    ///
    /// - Throws:
    ///   - `EEXIST` if the set watches it already: this number for this open file description.
    ///   - `EBADF` for a number that is not open.
    ///   - `EPERM` for a file that cannot be polled, such as one on a disk or a folder.
    ///   - `ENOSPC` past `/proc/sys/fs/epoll/max_user_watches`; `ENOMEM`.
    ///   - `EINVAL` for the set itself, and for ``EpollEvents/exclusive`` with another epoll set, or together with
    ///     ``EpollEvents/oneShot``, ``EpollEvents/peerClosed`` or ``EpollEvents/priority``.
    ///   - `ELOOP` for an epoll set that watches this one, or when more than five sets would watch each other in a row.
    @inlinable @inline(__always)
    public func add(_ descriptor: BorrowedDescriptor, _ events: EpollEvents, token: UInt64) throws(Errno) {
        try control(EPOLL_CTL_ADD, descriptor, events, token)
    }

    /// Replaces events and token (`EPOLL_CTL_MOD`); arms a one-shot registration again. If the descriptor is ready
    /// at this moment the kernel reports it, so nothing that arrived meanwhile is missed.
    ///
    /// - Throws: `ENOENT` if the set does not watch it; `EBADF` for a number that is not open; `EINVAL` when the
    ///   registration is or would become exclusive.
    @inlinable
    public func modify(_ descriptor: BorrowedDescriptor, _ events: EpollEvents, token: UInt64) throws(Errno) {
        try control(EPOLL_CTL_MOD, descriptor, events, token)
    }

    /// Stops watching (`EPOLL_CTL_DEL`).
    ///
    /// - Throws: `ENOENT` if the set does not watch it; `EBADF` when the descriptor was closed first.
    @inlinable public func remove(_ descriptor: BorrowedDescriptor) throws(Errno) {
        try control(EPOLL_CTL_DEL, descriptor, [], 0)
    }

    @inlinable @inline(__always) func control(
        _ operation: CInt, _ descriptor: BorrowedDescriptor, _ events: EpollEvents, _ token: UInt64
    ) throws(Errno) {
        let set = owned.descriptor.rawValue
        let data = unsafe epoll_data_t(u64: token)
        var event = unsafe epoll_event(events: events.rawValue, data: data)
        _ = try systemCall { unsafe epoll_ctl(set, operation, descriptor.rawValue, &event) }
    }

    /// Waits until something happens or the time is over, and returns how many events are now in `buffer`
    /// (`epoll_wait(2)`); 0 means that the time is over, or that a signal came first:
    /// ``waitInterruptibly(into:timeout:blocked:)`` tells which.
    ///
    /// - Parameters:
    ///   - buffer: where the events go.
    ///   - timeout: nil waits for ever, signals or not; zero or less does not wait. A time is never cut short but by a
    ///     signal, and rounded up to the next nanosecond, or to the next millisecond where the kernel does not know
    ///     `epoll_pwait2` (Linux 5.11) or a filter of system calls forbids it. The longest is 292 years.
    /// - Throws: nothing that a program can put right: `EBADF` and `EINVAL` would mean that the set is none.
    @inlinable @inline(__always)
    public func wait(into buffer: borrowing EpollEventBuffer, timeout: Duration? = nil) throws(Errno) -> Int {
        if let timeout {
            let nanoseconds = timeout.nanoseconds
            if nanoseconds > 0 { return try wait(into: buffer, nanoseconds: nanoseconds) }
        }
        let set = owned.descriptor.rawValue
        let storage = unsafe buffer.storage
        let capacity = buffer.capacity
        let milliseconds: CInt = timeout == nil ? -1 : 0
        while true {
            let count = unsafe epoll_wait(set, storage, capacity, milliseconds)
            if count >= 0 { return Int(count) }
            if try endsAfterFailure(hasTimeout: timeout != nil) { return 0 }
        }
    }

    @usableFromInline
    func wait(into buffer: borrowing EpollEventBuffer, nanoseconds: Int64) throws(Errno) -> Int {
        let set = owned.descriptor.rawValue
        let storage = unsafe buffer.storage
        var milliseconds = nanoseconds / 1_000_000
        if nanoseconds % 1_000_000 != 0 {
            let count = unsafe c_epoll_pwait2(set, storage, buffer.capacity, nanoseconds)
            if count >= 0 { return Int(count) }
            // An older kernel, or a filter of system calls that is older.
            guard errno == ENOSYS || errno == EPERM else {
                _ = try endsAfterFailure(hasTimeout: true)
                return 0
            }
            milliseconds += 1
        }
        while true {
            // One call takes 24 days.
            let part = CInt(clamping: milliseconds)
            let count = unsafe epoll_wait(set, storage, buffer.capacity, part)
            if count > 0 { return Int(count) }
            if count < 0, try endsAfterFailure(hasTimeout: true) { return 0 }
            milliseconds -= Int64(part)
            if milliseconds == 0 { return 0 }
        }
    }

    /// What to do when a wait failed: go on after a signal if there is no timeout, end if there is one. Waiting again
    /// would begin the whole time anew, so a thread that gets signals often would never be told that it is over.
    @inlinable func endsAfterFailure(hasTimeout: Bool) throws(Errno) -> Bool {
        let error = errno
        if error != EINTR { throw Errno(rawValue: error) }
        return hasTimeout
    }

    /// Closes the set and reports what `close(2)` said.
    public consuming func close() throws(Errno) {
        try owned.close()
    }
}

extension Duration {
    /// Nanoseconds rounded up, from 0 for a negative time to 292 years.
    @inlinable var nanoseconds: Int64 {
        let attoseconds = attoseconds
        // Up to nine seconds take a division of 64 bits.
        guard attoseconds >> 63 == 0 else { return longNanoseconds }
        return Int64(truncatingIfNeeded: (UInt64(truncatingIfNeeded: attoseconds) + 999_999_999) / 1_000_000_000)
    }

    @usableFromInline var longNanoseconds: Int64 {
        if attoseconds < 0 { return 0 }
        guard self < .nanoseconds(Int64.max) else { return .max }
        return Int64((attoseconds + 999_999_999) / 1_000_000_000)
    }
}
