import CIOUring
import SystemPackage

extension RingCapabilities {
    private func has(_ operation: io_uring_op) -> Bool { operations.contains(UInt8(operation.rawValue)) }

    // MARK: Sockets

    /// ``Ring/prepareConnect(_:to:_:token:)`` (Linux 5.5).
    public var connect: Bool { has(IORING_OP_CONNECT) }

    /// ``Ring/prepareShutdown(_:_:_:token:)`` (Linux 5.11).
    public var shutdown: Bool { has(IORING_OP_SHUTDOWN) }

    /// ``Ring/prepareSocket(family:_:protocolNumber:into:nonblocking:_:token:)`` (Linux 5.19).
    public var socket: Bool { has(IORING_OP_SOCKET) }

    /// ``Ring/prepareBind(_:to:_:token:)`` and ``Ring/prepareListen(_:backlog:_:token:)`` (Linux 6.11).
    public var bindAndListen: Bool { operations.contains(C_IORING_OP_BIND) && operations.contains(C_IORING_OP_LISTEN) }

    /// Accepts and sockets into a slot that the kernel picks (``FileDestination/anySlot``, Linux 5.19, as
    /// ``multishotAccept``).
    public var slotAllocation: Bool { multishotAccept }

    // MARK: Time

    /// ``Ring/prepareTimeout(_:clock:completions:endsChain:_:token:)`` (Linux 5.4).
    public var timeout: Bool { has(IORING_OP_TIMEOUT) }

    /// ``Ring/prepareLinkTimeout(_:clock:_:token:)`` (Linux 5.5).
    public var linkTimeout: Bool { has(IORING_OP_LINK_TIMEOUT) }

    /// ``Ring/prepareTimeoutUpdate(target:to:isLinked:_:token:)`` (Linux 5.11, as `IORING_FEAT_EXT_ARG`), of linked ones
    /// where there are ``timeoutClocks``.
    public var timeoutUpdate: Bool { features.contains(.extendedArgument) }

    // MARK: Other requests

    /// ``Ring/prepareEpollWait(_:into:_:token:)`` (Linux 6.15).
    public var epollWait: Bool { operations.contains(C_IORING_OP_EPOLL_WAIT) }

    /// Cancellation of all requests of a token, of a file, and of everything (Linux 5.19, as ``multishotAccept``).
    public var cancelByFile: Bool { multishotAccept }

    /// ``Ring/cancel(_:all:timeout:)``, and cancellation by slot (Linux 6.0, as ``multishotReceive``).
    public var immediateCancel: Bool { multishotReceive }

    /// ``Ring/preparePollUpdate(target:events:newToken:_:token:)`` (Linux 5.13, as `IORING_FEAT_RSRC_TAGS`).
    public var pollUpdate: Bool { features.contains(RingFeatures(rawValue: UInt32(IORING_FEAT_RSRC_TAGS))) }

    /// Files given from ring to ring (Linux 6.0, as ``multishotReceive``):
    /// ``Ring/prepareMessage(slot:to:into:messageToken:_:token:)``.
    public var messageFiles: Bool { multishotReceive }

    /// Messages with flags (Linux 6.3, as `IORING_FEAT_REG_REG_RING`, which older headers do not have).
    public var messageFlags: Bool { features.contains(RingFeatures(rawValue: 1 << 13)) }
}

extension Ring {
    /// Tries what has no bit and no operation of its own: a timeout by another clock, and one that is a multishot.
    mutating func probeTimeouts() throws(Errno) -> (clocks: Bool, multishot: Bool) {
        guard supportedOperations().contains(UInt8(IORING_OP_TIMEOUT.rawValue)) else { return (false, false) }
        // One after the other: a kernel may stop at an entry that it refuses.
        try prepareTimeout(.after(.zero), clock: .boottime, token: 0)
        let clocks = try isOver()
        try prepareMultishotTimeout(every: .nanoseconds(1), times: 1, token: 0)
        return (clocks, try isOver())
    }

    /// Whether the one request that was queued ends because its time is over.
    private mutating func isOver() throws(Errno) -> Bool {
        try submitAndWait(for: 1)
        guard let completion = nextCompletion() else { return false }
        return completion.error == .timeout
    }
}
