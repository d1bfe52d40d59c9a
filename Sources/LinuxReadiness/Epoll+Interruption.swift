public import CEpoll
public import Glibc
public import LinuxDescriptors
public import SystemPackage

extension Epoll {
    /// Waits like ``wait(into:timeout:)``, and tells a signal from the end of the time (`epoll_pwait(2)`,
    /// `epoll_pwait2(2)`). A signal ends it even if it has no limit.
    ///
    /// With a mask, signals that the thread blocks otherwise are delivered while it waits and at no other time, so that none
    /// can come between a look at what its handler left and the wait:
    ///
    /// ```swift
    /// let usual = SignalSet([SIGCHLD]).block()
    /// while true {
    ///     switch try set.waitInterruptibly(into: events, blocked: usual) {
    ///     case .events(let count): for index in 0..<count { handle(events[index]) }
    ///     case .interrupted: reapChildren()
    ///     case .timedOut: break
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - buffer: where the events go.
    ///   - timeout: nil waits for ever; zero or less does not wait, and no signal ends what does not wait. It is rounded as
    ///     ``wait(into:timeout:)`` says.
    ///   - blocked: what the thread blocks while it waits, in place of what it blocks otherwise (Linux 2.6.19); nil leaves
    ///     that as it is.
    /// - Returns: events if there are some, signals or not: a signal then waits for the next wait.
    /// - Throws: nothing that a program can put right: `EBADF` and `EINVAL` would mean that the set is none.
    @inlinable public func waitInterruptibly(
        into buffer: borrowing EpollEventBuffer, timeout: Duration? = nil, blocked: SignalSet? = nil
    ) throws(Errno) -> WaitOutcome {
        let nanoseconds = timeout?.nanoseconds ?? -1
        if nanoseconds > 0 { return try waitInterruptibly(into: buffer, nanoseconds: nanoseconds, blocked) }
        let milliseconds: CInt = nanoseconds == 0 ? 0 : -1
        return try outcome(of: waitOnce(buffer, milliseconds, blocked))
    }

    @usableFromInline func waitInterruptibly(
        into buffer: borrowing EpollEventBuffer, nanoseconds: Int64, _ blocked: SignalSet?
    ) throws(Errno) -> WaitOutcome {
        var milliseconds = nanoseconds / 1_000_000
        if nanoseconds % 1_000_000 != 0 {
            let count = waitOnce(buffer, nanoseconds: nanoseconds, blocked)
            // An older kernel, or a filter of system calls that is older.
            guard count < 0, errno == ENOSYS || errno == EPERM else { return try outcome(of: count) }
            milliseconds += 1
        }
        while true {
            // One call takes 24 days.
            let part = CInt(clamping: milliseconds)
            let result = try outcome(of: waitOnce(buffer, part, blocked))
            milliseconds -= Int64(part)
            if result != .timedOut || milliseconds == 0 { return result }
        }
    }

    /// One call; -1 waits for ever.
    @inlinable func waitOnce(
        _ buffer: borrowing EpollEventBuffer, _ milliseconds: CInt, _ blocked: SignalSet?
    ) -> CInt {
        let set = owned.descriptor.rawValue
        let storage = unsafe buffer.storage
        guard let blocked else { return unsafe epoll_wait(set, storage, buffer.capacity, milliseconds) }
        return unsafe c_epoll_pwait(set, storage, buffer.capacity, milliseconds, blocked.bits)
    }

    private func waitOnce(
        _ buffer: borrowing EpollEventBuffer, nanoseconds: Int64, _ blocked: SignalSet?
    ) -> CInt {
        let set = owned.descriptor.rawValue
        let storage = unsafe buffer.storage
        guard let blocked else { return unsafe c_epoll_pwait2(set, storage, buffer.capacity, nanoseconds) }
        return unsafe c_epoll_pwait2_blocking(set, storage, buffer.capacity, nanoseconds, blocked.bits)
    }

    /// What a call said that has just returned.
    @inlinable func outcome(of count: CInt) throws(Errno) -> WaitOutcome {
        if count > 0 { return .events(Int(count)) }
        if count == 0 { return .timedOut }
        let error = errno
        if error == EINTR { return .interrupted }
        throw Errno(rawValue: error)
    }
}
