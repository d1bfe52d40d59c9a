public import LinuxDescriptors
public import SystemPackage

/// A ring that owns the descriptors of its requests, so that none is closed while a request is pending on it.
///
/// A pending request holds the file: after a plain `close(2)` a listener goes on listening and a connection sends no
/// end of stream, until the request ends, and the number cannot be used to cancel it any more. Here closing and
/// removing cancel what is pending first and wait for it. Completions carry a token that counts lives, so one of a
/// former life is never delivered; a connection that it brought is closed. So is one that has not been taken when the
/// listener's token or the ring ends.
///
/// A child of `fork(2)` shares the queues with its parent and would take completions from it. There every operation
/// fails with `ESTALE`, ``isUsable`` is false, and nothing is done to the parent's requests.
///
/// A ring belongs to one thread. What it cannot prevent: a number closed behind its back, and a request that the kernel
/// cannot cancel, such as a read of a file on a slow disk, for which removing waits. Dropped without ``closeAll()``,
/// the ring waits for nothing: it cancels what it can at once, and after it is closed the kernel ends the rest a little
/// later (before Linux 6.0, everything).
@safe public struct DescriptorRing: ~Copyable {
    @usableFromInline var ring: Ring
    @usableFromInline var slots = RingSlots()
    @usableFromInline let stamp: ForkStamp
    /// Taken from the ring while it waited for cancelled requests, and not delivered yet.
    @usableFromInline var kept: [RingEvent] = []
    @usableFromInline var keptStart = 0
    /// Completions of former lives that were dropped; connections among them were closed.
    public internal(set) var droppedCompletions: UInt64 = 0

    /// Takes a ring over, which must have no requests pending and no completions to be taken.
    public init(_ ring: consuming Ring) {
        self.ring = ring
        stamp = .current()
    }

    deinit {
        // In a child the completions are its parent's.
        if stamp.isCurrent {
            for event in kept[keptStart...] { event.closeConnection() }
            var ring = ring
            ring.end { RingEvent($0).closeConnection() }
        }
    }

    /// False in a child of the process that made the ring.
    @inlinable public var isUsable: Bool { stamp.isCurrent }

    /// Descriptors that the ring owns.
    public var count: Int { slots.liveCount }

    @inlinable func ensureUsable() throws(Errno) {
        if !stamp.isCurrent { throw .staleNFSFileHandle }
    }

    // MARK: Membership

    /// Takes a descriptor over and returns what names it from now on.
    ///
    /// - Throws: `ESTALE` in a child; the descriptor is closed then, in the child.
    public mutating func insert(_ descriptor: consuming OwnedDescriptor) throws(Errno) -> RingToken {
        try ensureUsable()
        return slots.insert(BorrowedDescriptor(descriptor.release()))
    }

    /// The descriptor, borrowed; nil for a token that is not live.
    @inlinable public func descriptor(of token: RingToken) -> BorrowedDescriptor? { slots.descriptor(of: token) }

    /// Cancels what is pending on a descriptor, waits for it, and gives the descriptor back. Completions of others that
    /// come meanwhile are kept for ``nextEvent()``.
    ///
    /// - Throws: `ENOENT` for a token that is not live, `ESTALE` in a child, and what `io_uring_enter(2)` and a
    ///   cancellation throw; the descriptor stays with the ring then.
    public mutating func remove(_ token: RingToken) throws(Errno) -> OwnedDescriptor {
        try ensureUsable()
        guard let descriptor = slots.descriptor(of: token) else { throw .noSuchFileOrDirectory }
        try cancelPending(on: token)
        dropKept(of: token)
        slots.retire(token)
        return OwnedDescriptor(owning: FileDescriptor(rawValue: descriptor.rawValue))
    }

    /// Cancels what is pending on a descriptor, waits for it, and closes the descriptor.
    ///
    /// - Throws: what ``remove(_:)`` and `close(2)` throw.
    public mutating func close(_ token: RingToken) throws(Errno) {
        try remove(token).close()
    }

    /// Closes every descriptor, as ``close(_:)`` does.
    ///
    /// - Throws: the first error; those after it stay with the ring.
    public mutating func closeAll() throws(Errno) {
        for token in slots.liveTokens { try close(token) }
    }

    // MARK: Completions

    /// Hands over what is queued and waits for a completion; returns at once if some are ready (`io_uring_enter(2)`).
    ///
    /// - Throws: `ESTALE` in a child.
    @inlinable public mutating func wait() throws(Errno) {
        try ensureUsable()
        try ring.submitAndWait(for: keptStart < kept.count ? 0 : 1)
    }

    /// Like ``wait()`` with a limit.
    ///
    /// - Returns: false when the time is over.
    /// - Throws: `ESTALE` in a child, `EINVAL` before Linux 5.11.
    public mutating func wait(timeoutNanoseconds: UInt64) throws(Errno) -> Bool {
        try ensureUsable()
        if keptStart < kept.count {
            try ring.submit()
            return true
        }
        return try ring.submitAndWait(timeoutNanoseconds: timeoutNanoseconds)
    }

    /// The next completion of a live descriptor, without a system call; nil if none is ready, and always in a child.
    @inlinable public mutating func nextEvent() -> RingEvent? {
        guard stamp.isCurrent else { return nil }
        while true {
            guard let event = takeKept() ?? takeFresh() else { return nil }
            if slots.isLive(event.token) { return event }
            drop(event)
        }
    }

    @usableFromInline mutating func takeKept() -> RingEvent? {
        guard keptStart < kept.count else { return nil }
        defer {
            keptStart += 1
            if keptStart == kept.count {
                kept.removeAll(keepingCapacity: true)
                keptStart = 0
            }
        }
        return kept[keptStart]
    }

    /// Takes a completion from the ring, but of cancellations.
    @inlinable mutating func takeFresh() -> RingEvent? {
        while let event = takeAny() {
            if event.operation != .cancel { return event }
        }
        return nil
    }

    /// Takes a completion from the ring and counts the end of its request.
    @inlinable mutating func takeAny() -> RingEvent? {
        guard let completion = ring.nextCompletion() else { return nil }
        let event = RingEvent(completion)
        if event.operation != .cancel && !completion.isArmed { slots.ended(event.token) }
        return event
    }

    @usableFromInline mutating func drop(_ event: RingEvent) {
        droppedCompletions += 1
        event.closeConnection()
    }

    /// Drops what was kept of a token that ends.
    private mutating func dropKept(of token: RingToken) {
        guard keptStart < kept.count else { return }
        let untaken = kept[keptStart...]
        kept = untaken.filter { $0.token != token }
        keptStart = 0
        for event in untaken where event.token == token { drop(event) }
    }

    /// Cancels by what the requests carry and not by descriptor: the number may have been closed behind the ring's
    /// back, and another token may name the same open file.
    private mutating func cancelPending(on token: RingToken) throws(Errno) {
        while slots.pending(on: token) > 0 {
            for operation in RingOperation.requests {
                let target = RingToken.userData(token, operation)
                try ring.prepareCancel(target: target, token: RingToken.userData(token, .cancel))
            }
            var unanswered = RingOperation.requests.count
            var found = false
            while unanswered > 0 {
                try ring.submitAndWait(for: 1)
                while let event = takeAny() {
                    guard event.token == token else {
                        if event.operation != .cancel { kept.append(event) }
                        continue
                    }
                    guard event.operation == .cancel else {
                        drop(event)
                        continue
                    }
                    unanswered -= 1
                    if event.result == 0 { found = true }
                    if let error = event.error, error != .noSuchFileOrDirectory, error != .alreadyInProcess {
                        throw error
                    }
                }
            }
            // A cancellation ends one request of its kind; without any left to find, the rest are about to end.
            if !found && slots.pending(on: token) > 0 {
                try ring.submitAndWait(for: 1)
            }
        }
    }
}
