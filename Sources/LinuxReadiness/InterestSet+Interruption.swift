public import LinuxDescriptors
public import SystemPackage

extension InterestSet {
    /// Waits for events like ``wait(timeout:)``, and tells a signal from the end of the time (`epoll_pwait2(2)`). A signal
    /// ends it even if it has no limit.
    ///
    /// ```swift
    /// let usual = SignalSet([SIGCHLD]).block()
    /// switch try set.waitInterruptibly(timeout: .seconds(5), blocked: usual) {
    /// case .events: while let event = set.nextEvent() { handle(event) }
    /// case .timedOut: sayStillHere()
    /// case .interrupted: reapChildren()
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - timeout: nil waits for ever; zero or less does not wait, and no signal ends what does not wait.
    ///   - blocked: what the thread blocks while it waits, in place of what it blocks otherwise; nil leaves that as it is.
    ///     See ``Epoll/waitInterruptibly(into:timeout:blocked:)``.
    /// - Returns: events if some are left to be taken or ready, signals or not: the most that there are, of which fewer are
    ///   delivered if some are of former lives.
    /// - Throws: what ``wait()`` throws.
    @inlinable public mutating func waitInterruptibly(
        timeout: Duration? = nil, blocked: SignalSet? = nil
    ) throws(Errno) -> WaitOutcome {
        if next < end { return .events(end - next) }
        if mustRebuild || !stamp.isCurrent { return try waitInterruptiblyOutOfLine(timeout, blocked) }
        beginBatch()
        let outcome: WaitOutcome
        do {
            outcome = try kernel.epoll.waitInterruptibly(into: buffer, timeout: timeout, blocked: blocked)
        } catch {
            return try waitInterruptiblyAnew(after: error, timeout, blocked)
        }
        if case .events(let count) = outcome {
            end = count
            if hasOneShots { noteFired() }
        }
        return outcome
    }

    @usableFromInline @inline(never) mutating func waitInterruptiblyOutOfLine(
        _ timeout: Duration?, _ blocked: SignalSet?
    ) throws(Errno) -> WaitOutcome {
        try waitOutOfLine(WaitLimits(timeout, blocked, endsAtSignal: true))
    }

    /// Goes on after a wait that failed because the kernel's set was closed behind the set's back.
    @usableFromInline mutating func waitInterruptiblyAnew(
        after error: Errno, _ timeout: Duration?, _ blocked: SignalSet?
    ) throws(Errno) -> WaitOutcome {
        guard try madeLostSetAnew() else { throw error }
        return try waitInterruptiblyOutOfLine(timeout, blocked)
    }
}
