public import LinuxDescriptors
public import SystemPackage

/// Waiting for the ring among other things: in an epoll set, or in another ring (``insert(lent:)``).
///
/// A wait elsewhere hands nothing over and takes nothing. So hand over what is queued before it, and enter the ring after
/// each report:
///
/// ```swift
/// var ring = try DescriptorRing.forNesting(entries: 64)
/// try epoll.add(ring.descriptor, .readable, token: 1)
/// while true {
///     try ring.submit()
///     _ = try epoll.wait(into: buffer)
///     while try ring.wait(timeout: .zero) {
///         while let event = ring.nextEvent() { handle(event) }
///     }
/// }
/// ```
///
/// Events that the ring keeps after ``drain(_:)`` and its kin are not reported: take them before the wait elsewhere.
extension DescriptorRing {
    /// Makes a ring for this thread whose ``descriptor`` can be waited for: like ``init(entries:completions:)``, without
    /// ``RingSetup/deferTaskRun``.
    ///
    /// The kernel does the ring's work when the thread is in another wait, too, and may end that wait early, as a signal
    /// does (`EINTR`).
    ///
    /// - Throws: what ``Ring/init(entries:completions:_:)`` throws.
    @available(*, noasync, message: "the ring belongs to one thread, and a task changes its thread")
    public static func forNesting(entries: UInt32, completions: UInt32? = nil) throws(Errno) -> DescriptorRing {
        do {
            return DescriptorRing(try Ring(entries: entries, completions: completions, .submitAll))
        } catch {
            // Before Linux 5.18.
            if error != .invalidArgument { throw error }
        }
        return DescriptorRing(try Ring(entries: entries, completions: completions))
    }

    /// The ring's own descriptor, borrowed: readable when there are completions (`io_uring(7)`).
    ///
    /// A ring with ``RingSetup/deferTaskRun`` (which ``init(entries:completions:)`` makes where it can) is a trap. There the
    /// kernel posts completions only in an enter of the ring's thread: the descriptor is readable and ``nextEvent()`` has
    /// nothing. Worse, nobody who waits for the descriptor already is woken (seen on Linux 6.18), so a wait elsewhere can
    /// last for ever. A counter (``Ring/registerEventFD(_:)``) is no way out: it may miss what a write to an eventfd
    /// completes. Use ``forNesting(entries:completions:)``.
    public var descriptor: BorrowedDescriptor { ring.descriptor }

    /// Hands over what is queued, without waiting (`io_uring_enter(2)`). ``wait()`` does that, too.
    ///
    /// - Throws: `ESTALE` in a child, and what ``Ring/submit()`` throws.
    public mutating func submit() throws(Errno) {
        try ensureUsable()
        if attention & Self.wakerIsIdle != 0 { try armWaker() }
        try ring.submit()
    }
}
