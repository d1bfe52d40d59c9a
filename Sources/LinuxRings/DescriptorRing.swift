import CIOUring
public import LinuxDescriptors
public import SystemPackage

/// A ring that owns the descriptors and the buffers of its requests, so that none is closed or freed while a request
/// is pending on it.
///
/// A pending request holds the file: after a plain `close(2)` a listener goes on listening and a connection sends no
/// end of stream, until the request ends, and the number cannot be used to cancel it any more. Here closing and
/// removing cancel what is pending first and wait for it.
///
/// Every request has an entry of the ring's own, which its completion must name. What others put into the completion
/// queue, such as a message of a ring that has no ``address()`` of this one, is counted (``foreignCompletions``) and has no
/// effect. Tokens name a ring, a descriptor and one life of it, so neither a token of another ring nor one of a former
/// life does anything.
///
/// A token can also name a slot of the ring's own file table (``makeSlots(count:)``) or a descriptor that somebody else
/// owns (``insert(lent:)``); requests are queued on all of them alike.
///
/// A connection that was accepted and has not been taken is closed when the listener's token or the ring ends; with
/// ``drain(_:)`` they can be had before.
///
/// A child of `fork(2)` shares the queues with its parent and would take completions from it. There every operation
/// fails with `ESTALE`, ``isUsable`` is false, and nothing is done to the parent's requests; the end of the ring closes
/// the child's copies of its descriptors, unless the child closed them itself.
///
/// A ring belongs to one thread. A number that is closed behind its back goes on being used while it has it; when it is
/// removed or the ring ends, it is recognised by its inode and not closed again. Its end waits for a second
/// at most until the kernel is done with what was pending (not at all before Linux 6.0, and on another thread than the
/// ring's); after that, what the kernel may still write into is never freed.
///
/// Queuing a poll, waiting for it and taking it costs 353 instructions in user space, 132 with a bare ``Ring``; each of
/// four at once 237 in place of 80; a send and the receive of it 847 in place of 270; each of eight datagrams that arrive
/// in buffers of a group 172 in place of 89, their sending included (`Benchmarks/Reference/descriptor-ring.sh`).
@safe public struct DescriptorRing: ~Copyable {
    @usableFromInline var ring: Ring
    @usableFromInline var slots = RingSlots()
    @usableFromInline var requests = RequestTable()
    @usableFromInline let stamp: ForkStamp
    /// Taken from the ring while it waited for cancelled requests, and not delivered yet.
    @usableFromInline var kept: [RingEventParts] = unsafe []
    @usableFromInline var keptStart = 0
    /// What waiting and taking events have to look at first; 0 as long as that is nothing.
    @usableFromInline var attention: UInt8 = 0
    @usableFromInline var groups: [UnsafeMutablePointer<GroupState>] = unsafe []
    var waker = WakerState()
    /// Times of limits that are queued, by the places of their submissions.
    let limits: LimitMemory
    /// Carried by messages to this ring, and by nothing else: it is below the tokens that ``Ring`` has reserved, and no
    /// request has it.
    @usableFromInline let secret = UInt64.random(in: 0...UInt64.max) & 0x3fff_ffff_ffff_ffff | 1 << 63
    /// Shared with those who have this ring's address, if there are any.
    var life: RingLife?
    /// What the kernel can do, once that has been asked.
    var operations: Set<UInt8>?
    /// Completions that were not delivered because their descriptor was removed; connections among them were closed.
    public internal(set) var droppedCompletions: UInt64 = 0
    /// Completions that no request of this ring caused.
    public var foreignCompletions: UInt64 { foreign }
    @usableFromInline var foreign: UInt64 = 0

    /// Takes a ring over.
    ///
    /// - Precondition: nothing was ever queued on it, and it has no completions.
    public init(_ ring: consuming Ring) {
        precondition(ring.isUntouched, "a ring that was used already, whose completions nobody here would know")
        stamp = ring.stamp
        limits = LimitMemory(count: unsafe ring.ring.sq.ring_mask &+ 1)
        self.ring = ring
    }

    /// Makes a ring for this thread (``Ring/forThisThread(entries:completions:adding:)``).
    ///
    /// - Throws: what ``Ring/init(entries:completions:_:)`` throws.
    @available(*, noasync, message: "the ring belongs to one thread, and a task changes its thread")
    public init(entries: UInt32, completions: UInt32? = nil) throws(Errno) {
        self.init(try Ring.forThisThread(entries: entries, completions: completions))
    }

    deinit {
        life?.end()
        let isIntact = ring.isIntact
        for index in unsafe keptStart..<kept.count { unsafe kept[index].end(closing: isIntact) }
        var ring = ring
        var requests = requests
        endRing(&ring, &requests, slots, isParent: stamp.isCurrent, isIntact: isIntact)
        waker.free()
        for index in unsafe groups.indices { unsafe GroupState.close(groups[index]) }
        slots.closeAll(trustsShared: isIntact)
    }

    /// False in a child of the process that made the ring.
    @inlinable public var isUsable: Bool { stamp.isCurrent }

    /// Tokens that are live: descriptors and slots that the ring owns, and descriptors that are lent to it.
    public var count: Int { slots.liveCount }

    @inlinable @inline(__always) func ensureUsable() throws(Errno) {
        if !stamp.isCurrent { throw .staleNFSFileHandle }
    }

    // MARK: Membership

    /// Takes a descriptor over and returns what names it from now on.
    ///
    /// - Throws: `ESTALE` in a child, `EBADF` for a number that is not open; the descriptor is closed then, in a child its
    ///   copy.
    public mutating func insert(_ descriptor: consuming OwnedDescriptor) throws(Errno) -> RingToken {
        try ensureUsable()
        let identity = try FileIdentity(of: descriptor.descriptor)
        return slots.insert(descriptor.release().rawValue, identity)
    }

    /// Takes note of a descriptor that somebody else owns, so that requests can be queued on it: another ring's
    /// (``descriptor``), an epoll set's, standard input. The ring never closes it. Its owner must keep it open until
    /// ``close(_:)``, which ends what is pending on it: a number that was closed and given out again is a stranger's.
    ///
    /// - Throws: `ESTALE` in a child, `EBADF` for a number that is not open, `EINVAL` for this ring's own.
    public mutating func insert(lent descriptor: BorrowedDescriptor) throws(Errno) -> RingToken {
        try ensureUsable()
        if descriptor == ring.descriptor { throw .invalidArgument }
        return slots.insert(descriptor.rawValue, try FileIdentity(of: descriptor), .lent)
    }

    /// The descriptor, borrowed; nil for a token that is not live, and of a slot.
    @inlinable public func descriptor(of token: RingToken) -> BorrowedDescriptor? { slots.descriptor(of: token) }

    /// Cancels what is pending on a descriptor, waits for it, and gives the descriptor back. Completions of others that
    /// come meanwhile are kept for ``nextEvent()``; those of this one are dropped, and connections among them closed:
    /// ``drain(_:)`` first if they matter.
    ///
    /// The kernel ends requests on sockets at once. One that it does not end is waited for ten seconds (without a limit
    /// before Linux 5.11).
    ///
    /// - Throws: `ENOENT` for a token that is not live, `ESTALE` in a child, and where the ring's own number was closed
    ///   behind its back while something is pending; `EINVAL` for a slot and for what is lent, of which there is no
    ///   descriptor to give; `ETIMEDOUT` for a request that does not end, and what `io_uring_enter(2)` and a
    ///   cancellation throw; the descriptor stays with the ring then. `EBADF` when the number was closed behind the
    ///   ring's back: it is not given back, because it is nobody's or somebody else's by now, and the token is not live
    ///   any more.
    public mutating func remove(_ token: RingToken) throws(Errno) -> OwnedDescriptor {
        let kind = unsafe try live(token).pointee.kind
        if kind == .slot || kind == .lent { throw .invalidArgument }
        try cancelPendingOnOwnRing(token, keepsEvents: false)
        dropKept(of: token)
        let member = unsafe try live(token).pointee
        slots.retire(token.index)
        guard RingSlots.isIntact(member) else { throw .badFileDescriptor }
        return OwnedDescriptor(owning: FileDescriptor(rawValue: member.number))
    }

    /// Cancels what is pending on a descriptor, waits for it, and closes the descriptor, or empties the slot; one that is
    /// lent stays open. A ``RequestChain`` that is about to close it is cancelled, too.
    ///
    /// - Throws: what ``remove(_:)``, `close(2)` and ``Ring/emptySlot(_:)`` throw.
    public mutating func close(_ token: RingToken) throws(Errno) {
        if let member = unsafe slots.findPending(token), unsafe member.pointee.isClosing {
            try ensureUsable()
            try cancelPendingOnOwnRing(token, keepsEvents: false)
            dropKept(of: token)
            // The chain came to its end before it was cancelled.
            if unsafe slots.find(token) == nil { return }
        }
        let kind = unsafe try live(token).pointee.kind
        guard kind == .slot || kind == .lent else { return try remove(token).close() }
        try cancelPendingOnOwnRing(token, keepsEvents: false)
        dropKept(of: token)
        let number = unsafe try live(token).pointee.number
        slots.retire(token.index)
        if kind == .slot { try ring.emptySlot(Slot(UInt32(bitPattern: number))) }
    }

    /// Closes every descriptor, as ``close(_:)`` does, but for those that a ``RequestChain`` is about to close.
    ///
    /// - Throws: the first error; those after it stay with the ring.
    public mutating func closeAll() throws(Errno) {
        for token in slots.liveTokens { try close(token) }
    }

    /// Cancels what is pending on a descriptor and waits for it, as ``remove(_:)`` does, but keeps its completions for
    /// ``nextEvent()``, the last of them with `ECANCELED`. So a listener can be removed without losing a connection:
    /// drain it, take all events, remove it, and accept from it until nothing is left in its queue.
    ///
    /// - Throws: what ``remove(_:)`` throws.
    public mutating func drain(_ token: RingToken) throws(Errno) {
        _ = unsafe try live(token)
        try cancelPendingOnOwnRing(token, keepsEvents: true)
    }

    /// Tells that the ring's number was closed from that the descriptor's was.
    mutating func cancelPendingOnOwnRing(
        _ token: RingToken, _ choice: RequestChoice = .all, keepsEvents: Bool
    ) throws(Errno) {
        do {
            try cancelPending(on: token, choice, keepsEvents: keepsEvents)
        } catch {
            throw error == .badFileDescriptor ? .staleNFSFileHandle : error
        }
    }
}
