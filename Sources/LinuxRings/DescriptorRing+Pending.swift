import LinuxDescriptors
public import SystemPackage

/// What is in the ring, and what is pending.
extension DescriptorRing {
    /// The tokens that are live, in the order of their indices. One whose close is a part of a queued ``RequestChain`` is
    /// not among them.
    public var tokens: [RingToken] { slots.liveTokens }

    /// What is pending on a descriptor, the oldest request first; nothing for a token that is not live.
    public func pendingOperations(on token: RingToken) -> [RingOperation] {
        guard let member = unsafe slots.findPending(token) else { return [] }
        var operations: [RingOperation] = []
        var index = unsafe member.pointee.firstRequest
        while index != RequestTable.none {
            let request = unsafe requests.requests[Int(index)]
            if unsafe request.operation != .cancel { unsafe operations.append(request.operation) }
            index = unsafe request.next
        }
        return operations.reversed()
    }

    /// Whether a request has not ended. One that has may have events that were not taken yet.
    public func isPending(_ request: RingRequest) -> Bool { unsafe find(request) != nil }

    /// Cancels one request and waits for its end. Its events are kept for ``nextEvent()``, the last of them with `ECANCELED`
    /// if it did not end otherwise before; so are those of others that come meanwhile.
    ///
    /// - Throws: `ENOENT` when it has ended or is another ring's, `ESTALE` in a child; `ETIMEDOUT` when the kernel does not
    ///   end it within ten seconds (without a limit before Linux 5.11); and what `io_uring_enter(2)` throws.
    public mutating func cancel(_ request: RingRequest) throws(Errno) {
        try ensureUsable()
        guard let entry = unsafe find(request), unsafe entry.pointee.operation != .wake else {
            throw .noSuchFileOrDirectory
        }
        try cancelPendingOnOwnRing(
            unsafe slots.token(entry.pointee.slot), .request(request.identifier), keepsEvents: true)
    }

    /// Cancels the requests of one kind on a descriptor, as ``cancel(_:)`` does; nothing if there are none. What waits for
    /// them in a ``RequestChain`` ends with them.
    ///
    /// - Throws: `ENOENT` for a token that is not live, and what ``cancel(_:)`` throws.
    public mutating func cancel(_ operation: RingOperation, on token: RingToken) throws(Errno) {
        try ensureUsable()
        guard unsafe slots.findPending(token) != nil else { throw .noSuchFileOrDirectory }
        try cancelPendingOnOwnRing(token, .operation(operation), keepsEvents: true)
    }

    func find(_ request: RingRequest) -> UnsafeMutablePointer<RequestTable.Request>? {
        request.ring == slots.ring ? unsafe requests.find(request.identifier) : nil
    }
}

/// Which requests of a descriptor are to be cancelled.
enum RequestChoice {
    case all
    case operation(RingOperation)
    case request(UInt64)
}
