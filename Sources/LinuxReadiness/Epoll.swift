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
    /// - Throws: `EEXIST`, `EPERM` for a file that cannot be polled, `ENOSPC` past
    ///   `/proc/sys/fs/epoll/max_user_watches`, `EINVAL` for flags that exclude each other, `ENOMEM`.
    @inlinable @inline(__always)
    public func add(_ descriptor: BorrowedDescriptor, _ events: EpollEvents, token: UInt64) throws(Errno) {
        try control(EPOLL_CTL_ADD, descriptor, events, token)
    }

    /// Replaces events and token (`EPOLL_CTL_MOD`); arms a one-shot registration again. If the descriptor is ready
    /// at this moment the kernel reports it, so nothing that arrived meanwhile is missed.
    ///
    /// - Throws: `ENOENT`; `EINVAL` when the registration is or would become exclusive.
    @inlinable public func modify(_ descriptor: BorrowedDescriptor, _ events: EpollEvents, token: UInt64) throws(Errno)
    {
        try control(EPOLL_CTL_MOD, descriptor, events, token)
    }

    /// Stops watching (`EPOLL_CTL_DEL`).
    ///
    /// - Throws: `ENOENT`; `EBADF` when the descriptor was closed first.
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
    /// (`epoll_wait(2)`); 0 means that the time is over, or that a signal came first.
    ///
    /// - Parameters:
    ///   - buffer: where the events go.
    ///   - timeoutMilliseconds: -1 waits for ever, signals or not; 0 does not wait.
    @inlinable public func wait(
        into buffer: borrowing EpollEventBuffer, timeoutMilliseconds: CInt = -1
    ) throws(Errno) -> Int {
        let set = owned.descriptor.rawValue
        let storage = unsafe buffer.storage
        let capacity = buffer.capacity
        while true {
            let count = unsafe epoll_wait(set, storage, capacity, timeoutMilliseconds)
            if count >= 0 { return Int(count) }
            if try endsAfterFailure(hasTimeout: timeoutMilliseconds >= 0) { return 0 }
        }
    }

    /// Like ``wait(into:timeoutMilliseconds:)`` with a timeout in nanoseconds (`epoll_pwait2`, Linux 5.11); an older
    /// kernel waits up to the next millisecond.
    @inlinable public func wait(
        into buffer: borrowing EpollEventBuffer, timeoutNanoseconds: UInt64
    ) throws(Errno) -> Int {
        let set = owned.descriptor.rawValue
        let storage = unsafe buffer.storage
        let capacity = buffer.capacity
        var timeout = timespec(
            tv_sec: Int(timeoutNanoseconds / 1_000_000_000), tv_nsec: Int(timeoutNanoseconds % 1_000_000_000))
        let count = unsafe c_epoll_pwait2(set, storage, capacity, &timeout)
        if count >= 0 { return Int(count) }
        if errno == ENOSYS {
            let milliseconds = timeoutNanoseconds / 1_000_000 + (timeoutNanoseconds % 1_000_000 == 0 ? 0 : 1)
            return try wait(into: buffer, timeoutMilliseconds: CInt(clamping: milliseconds))
        }
        _ = try endsAfterFailure(hasTimeout: true)
        return 0
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
