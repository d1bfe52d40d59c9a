public import LinuxDescriptors
public import SystemPackage

/// A multishot accept that is armed again whenever the kernel ends it.
///
/// The kernel ends a multishot request when completions overflow, when descriptors run out and on other errors; its
/// last completion lacks ``CompletionFlags/more``. A server that misses it stops accepting and never learns why.
///
/// A lack of descriptors leaves the connection in the listener's queue, and the request armed again fails again at
/// once until a descriptor is free: close something, or ``stop(on:token:)``. A lack of slots closes the connection.
@frozen public struct MultishotAccept: Sendable {
    /// The listener, borrowed.
    public let listener: BorrowedDescriptor
    /// Where accepted connections go.
    public let destination: Destination
    /// Completions of this request carry it.
    public let token: UInt64
    /// How often it was armed again.
    public private(set) var rearms: UInt64 = 0
    /// True after ``stop(on:token:)``: the request is not armed again when it ends.
    public private(set) var isStopping = false

    /// Where accepted connections go.
    public enum Destination: Sendable {
        /// Descriptors of the process.
        case descriptors
        /// Slots of the ring's own file table.
        case slots
    }

    /// Describes the request; ``arm(on:)`` queues it.
    @inlinable public init(listener: BorrowedDescriptor, into destination: Destination = .descriptors, token: UInt64) {
        self.listener = listener
        self.destination = destination
        self.token = token
    }

    /// Queues the request.
    @inlinable public func arm(on ring: inout Ring) throws(Errno) {
        switch destination {
        case .descriptors: try ring.prepareMultishotAccept(on: listener, token: token)
        case .slots: try ring.prepareMultishotAcceptDirect(on: listener, token: token)
        }
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
    }

    /// Takes a completion of this request, queues the request anew if it has ended, and returns the descriptor or
    /// slot, which the caller then owns.
    ///
    /// - Returns: nil when the request ended without a connection in a way that arming it again cures: `ECANCELED` by
    ///   an overflow, `EMFILE`, `ENFILE`, `ECONNABORTED`, `EAGAIN`, `EINTR`.
    /// - Throws: every other error, for example `EINVAL` of a listener that was shut down. The request is not armed
    ///   then.
    @inlinable @inline(__always)
    public mutating func accepted(_ completion: Completion, on ring: inout Ring) throws(Errno) -> CInt? {
        if completion.result >= 0 {
            if !completion.isArmed { try rearm(on: &ring) }
            return completion.result
        }
        try recover(from: completion, on: &ring)
        return nil
    }

    @usableFromInline mutating func rearm(on ring: inout Ring) throws(Errno) {
        if isStopping { return }
        rearms += 1
        try arm(on: &ring)
    }

    @usableFromInline mutating func recover(from completion: Completion, on ring: inout Ring) throws(Errno) {
        let error = Errno(rawValue: -completion.result)
        switch error {
        case .canceled, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .connectionAbort, .wouldBlock, .interrupted:
            if !completion.isArmed { try rearm(on: &ring) }
        default:
            throw error
        }
    }
}
