public import LinuxDescriptors
public import SystemPackage

/// A connection that a multishot accept brought; whoever has this owns it.
@frozen public enum AcceptedFile: ~Copyable, Sendable {
    /// A descriptor of the process, closed if nobody takes it.
    case descriptor(OwnedDescriptor)
    /// A slot of the ring, to be closed with ``Ring/prepareClose(slot:_:token:)``; it ends with the ring if nobody does.
    case slot(Slot)
}

/// A multishot accept that is armed again whenever the kernel ends it, unless that would be in vain.
///
/// The kernel ends a multishot request when completions overflow, when descriptors run out and on other errors; its
/// last completion lacks ``CompletionFlags/more``. A server that misses it stops accepting and never learns why.
///
/// When descriptors, memory or slots have run out, arming it again at once would fail again at once, for as long as the
/// shortage lasts. Then ``shortage`` says what is missing, and the caller has it armed again with
/// ``resume(on:afterClose:)``, which does nothing before a moment has passed. So this loop does not spin, however busy
/// other requests on the ring are:
///
/// ```swift
/// if accept.shortage == nil {
///     try ring.submitAndWait()
/// } else {
///     _ = try ring.submitAndWait(timeout: .milliseconds(50))
///     try accept.resume(on: &ring)
/// }
/// ```
///
/// Who knows that something was closed can have it armed at once. Meanwhile connections wait in the listener's queue. A
/// lack of slots is different in that the kernel has taken the connection already that found none, and closes it.
@frozen public struct MultishotAccept: Sendable {
    /// The listener, borrowed.
    public let listener: BorrowedDescriptor
    /// Where accepted connections go.
    public let destination: Destination
    /// Completions of this request carry it.
    public let token: UInt64
    /// Whether the descriptors that it brings are nonblocking, for who makes ordinary calls on them; of slots it means
    /// nothing.
    public var makesNonblocking = false
    /// How often it was armed again.
    public private(set) var rearms: UInt64 = 0
    /// Why it ended and is not armed: nil while it is armed or stopping.
    public private(set) var shortage: Errno?
    /// True after ``stop(on:token:)``: the request is not armed again when it ends.
    public private(set) var isStopping = false
    /// How often it ended without a connection since the last one.
    @usableFromInline var failures = 0
    /// When a shortage may be over.
    private var retryTime: ContinuousClock.Instant?

    /// How long a shortage is believed to last.
    private static var moment: Duration { .milliseconds(10) }

    /// Where accepted connections go.
    public enum Destination: Sendable {
        /// Descriptors of the process.
        case descriptors
        /// Slots of the ring's own file table.
        case slots
    }

    /// Describes the request; ``arm(on:)`` queues it.
    public init(listener: BorrowedDescriptor, into destination: Destination = .descriptors, token: UInt64) {
        self.listener = listener
        self.destination = destination
        self.token = token
    }

    /// Queues the request, which must not be armed; a ``shortage`` is over by that.
    ///
    /// - Throws: what ``Ring/submit()`` throws when the queue was full.
    public mutating func arm(on ring: inout Ring) throws(Errno) {
        switch destination {
        case .descriptors: try ring.prepareMultishotAccept(on: listener, nonblocking: makesNonblocking, token: token)
        case .slots: try ring.prepareMultishotAcceptDirect(on: listener, token: token)
        }
        shortage = nil
    }

    /// Queues the request again if a ``shortage`` ended it at least 10 ms ago; does nothing otherwise.
    ///
    /// - Parameters:
    ///   - ring: the ring that it was armed on.
    ///   - afterClose: something was closed or given back since, so that it need not wait. Saying so when nothing was
    ///     costs one accept in vain.
    /// - Throws: what ``arm(on:)`` throws; there is still a shortage then.
    public mutating func resume(on ring: inout Ring, afterClose: Bool = false) throws(Errno) {
        guard shortage != nil else { return }
        if !afterClose, let retryTime, ContinuousClock.now < retryTime { return }
        try arm(on: &ring)
        failures = 0
        rearms += 1
    }

    /// Queues the cancellation of the request, which then ends for good.
    ///
    /// Its completions still go to ``accepted(_:on:)`` until one is no longer armed: some may carry connections.
    ///
    /// - Parameters:
    ///   - ring: the ring that it was armed on.
    ///   - token: what the completion of the cancellation itself carries.
    public mutating func stop(on ring: inout Ring, token: UInt64) throws(Errno) {
        try ring.prepareCancel(target: self.token, token: token)
        isStopping = true
        shortage = nil
    }

    /// Takes a completion of this request, queues the request anew if it has ended, and returns the connection.
    ///
    /// - Returns: nil when the request ended without a connection. After an overflow (`ECANCELED`), `EAGAIN`, `EINTR`
    ///   and an error of one connection (`Errno.isOfOneConnection`) it is armed again, unless nothing else came of it
    ///   for 64 times; after `EMFILE`, `ENFILE`, `ENOBUFS` or `ENOMEM` it is not. Then there is a ``shortage``.
    /// - Throws: every other error, for example `EINVAL` of a listener that was shut down. The request is not armed
    ///   then. A connection is never lost to an error: if the queue takes no request, there is a ``shortage``.
    /// - Precondition: the completion carries ``token``: the result of another is no connection.
    @inlinable @inline(__always)
    public mutating func accepted(
        _ completion: consuming Completion, on ring: inout Ring
    ) throws(Errno) -> AcceptedFile? {
        precondition(completion.token == token, "the completion of another request")
        if !completion.isArmed || completion.result < 0 { try ended(completion.error, on: &ring) }
        if completion.result < 0 { return nil }
        failures = 0
        switch destination {
        case .descriptors: return .descriptor(try completion.takeDescriptor())
        case .slots: return .slot(try completion.takeSlot())
        }
    }

    /// The request is over, with or without an error.
    @usableFromInline mutating func ended(_ error: Errno?, on ring: inout Ring) throws(Errno) {
        guard let error else { return rearm(on: &ring) }
        if isStopping && error == .canceled { return }
        switch error {
        case .canceled, .wouldBlock, .interrupted: break
        case _ where error.isOfOneConnection: break
        case _ where error.isShortage:
            runShort(of: error)
            return
        default: throw error
        }
        failures += 1
        if failures < 64 { rearm(on: &ring) } else { runShort(of: error) }
    }

    private mutating func runShort(of error: Errno) {
        if isStopping { return }
        shortage = error
        retryTime = .now + Self.moment
    }

    private mutating func rearm(on ring: inout Ring) {
        if isStopping { return }
        do {
            try arm(on: &ring)
            rearms += 1
        } catch {
            runShort(of: error)
        }
    }
}
