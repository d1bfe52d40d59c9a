public import CIOUring
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// An io_uring: a submission queue and a completion queue shared with the kernel (`io_uring(7)`).
///
/// A ring belongs to one thread; ``RingSetup/singleIssuer`` makes the kernel insist on the one that created it, and
/// answer another with `EEXIST`. When the thread that handed a request over has ended, the request stays pending and
/// comes to nothing: what would have completed it ends it with `ECANCELED`. Only a ring that another thread may enter
/// can tell.
///
/// The ring does not own the descriptors and the memory named in submissions: they must live until the completion
/// came. It copies addresses and times, which need not live. It owns what is to be closed
/// (``prepareClose(_:_:token:)``), and it keeps the memory of buffer groups (``register(_:)-(BufferGroup)``).
///
/// After `fork(2)` parent and child share both queues, so the child must not use the ring: what it takes is lost to its
/// parent. Nothing checks that here; ``DescriptorRing`` does. Dropping the ring in the child leaves the parent's alone,
/// and closes the child's copies of descriptors whose close was queued at the fork and not handed over.
///
/// The end of a ring closes its descriptor, which cancels what is pending, but not before this returns; and not while a
/// duplicate of the descriptor or a child of a fork has the ring open, for what is pending goes on then. If closes may be
/// pending, or buffer groups are in use, it first cancels everything, one request after the other, and waits for it, for
/// a second at most; what is not done by then is left alone, and memory that the kernel may write into is never freed.
/// Before Linux 6.6 that is one call, whose time nothing bounds: it grows with the square of what is pending. With
/// ``RingSetup/submissionPolling`` a buffer group's memory always leaks if a request was queued with
/// ``EntryFlags/skipSuccess``, or if ``RingRestrictions`` do not allow ``OperationCode/none`` with
/// ``RingRestrictions/Flags/drain``, since nothing else tells that the poller's own workers are done.
/// End a ring on its own thread: on another, ``RingSetup/singleIssuer`` forbids even that, so that a close which waits
/// behind a link leaks its descriptor, and a buffer group its memory.
///
/// When the ring's number was closed behind its back, its end leaves alone everything that it knows by number.
@safe @frozen public struct Ring: ~Copyable {
    @usableFromInline var ring: io_uring
    /// What this kernel's rings can do.
    public let features: RingFeatures
    /// How the ring was set up, which may be less than what was wished for.
    public let setup: RingSetup
    /// `io_uring_enter(2)` calls made so far.
    public internal(set) var enters: UInt64 = 0
    /// Submissions handed to the kernel so far; with ``RingSetup/submissionPolling`` those that the poller can see.
    public internal(set) var submitted: UInt64 = 0
    /// False of a ring with ``RingSetup/startsDisabled`` until ``enable()``.
    public internal(set) var isEnabled: Bool
    /// What the ring was restricted to (``restrict(to:)``).
    @usableFromInline var restrictions: RingRestrictions?
    /// The thread whose table of rings has this one (``registerDescriptor()``).
    var registrant: CInt?
    /// Where the queues are, if the caller brought it.
    let queueMemory: RingMemory?
    /// Waits that the kernel reads for itself (``registerWaits(_:)``).
    var waitMemory: RingMemory?
    /// The 16 bytes that the completion which was taken last had more than others, as two numbers, if it has
    /// ``CompletionFlags/large``; else those of an earlier one.
    public internal(set) var largeResult: (UInt64, UInt64) = (0, 0)
    /// True where only liburing would know whether it entered the kernel: with a poller, and with
    /// ``RingSetup/taskRunFlag``.
    @usableFromInline let entersItself: Bool
    @usableFromInline var closes: CloseTable
    /// The buffer groups that the kernel may write into.
    @usableFromInline var groups: BufferGroups
    /// Times and addresses of submissions.
    @usableFromInline var memory: SubmissionMemory
    @usableFromInline let stamp: ForkStamp
    /// Tells the ring's descriptor from what has its number after it was closed behind the ring's back.
    @usableFromInline let identity: FileIdentity

    deinit {
        var ring = unsafe ring
        let cellsAreRead = unsafe memory.isUsed && stamp.isCurrent && mayReadCells(&ring)
        if registrant != nil && registrant != c_io_uring_thread() { unsafe Self.forgetRegistration(&ring) }
        if isIntact {
            var closes = closes
            unsafe end(
                &ring, &closes, groups, submitted: submitted, isParent: stamp.isCurrent, wasEnabled: isEnabled)
        } else {
            // The ring's number, and the others that it knows, may be strangers' by now.
            unsafe ring.ring_fd = -1
            if stamp.isCurrent { groups.leak() }
        }
        if setup.contains(.callerMemory) { unsafe Self.closeAlone(&ring) } else { unsafe io_uring_queue_exit(&ring) }
        if !cellsAreRead { memory.deallocate() }
    }

    /// True if the ring's number is still its own: `close_range(2)` in a child, or an emptied descriptor table, may have
    /// closed it.
    var isIntact: Bool { (try? FileIdentity(of: descriptor)) == identity }

    /// The ring's own descriptor, borrowed.
    @inlinable public var descriptor: BorrowedDescriptor { unsafe BorrowedDescriptor(rawValue: ring.ring_fd) }

    // MARK: Submitting

    /// Tokens from this one on are the ring's own: queuing a request with one of them is a mistake of the program and
    /// ends it.
    @inlinable public static var firstReservedToken: UInt64 { CloseTable.firstIdentifier }

    /// The next free submission, to be filled, with the token last; makes room by submitting when the queue is full.
    ///
    /// - Throws: `EBUSY` when the kernel takes nothing because completions overflowed, or when the queue is full in the
    ///   middle of a chain.
    @inlinable @inline(__always)
    mutating func nextEntry(_ token: UInt64) throws(Errno) -> UnsafeMutablePointer<io_uring_sqe> {
        precondition(token < Self.firstReservedToken, "a token that the ring has reserved for itself")
        if let entry = unsafe io_uring_get_sqe(&ring) { return unsafe entry }
        return unsafe try entryAfterSubmitting()
    }

    @usableFromInline @inline(never)
    mutating func entryAfterSubmitting() throws(Errno) -> UnsafeMutablePointer<io_uring_sqe> {
        try makeRoom(1)
        guard let entry = unsafe io_uring_get_sqe(&ring) else { throw .resourceBusy }
        return unsafe entry
    }

    /// Makes room for `count` submissions in a row, by handing over what is queued if there is less: for a chain of
    /// ``EntryFlags/link``, which one enter has to hand over as a whole. With ``RingSetup/submissionPolling`` it waits
    /// until the poller has taken enough.
    ///
    /// - Throws: `EINVAL` for more than the queue holds, `EBUSY` when the queue is full in the middle of a chain, and
    ///   what ``submit()`` throws.
    public mutating func reserve(_ count: UInt32) throws(Errno) {
        if unsafe count > ring.sq.ring_mask &+ 1 { throw .invalidArgument }
        if freeEntries >= count { return }
        try makeRoom(count)
        if freeEntries < count { throw .resourceBusy }
    }

    /// Submissions that can be queued before something has to be handed over.
    @inlinable public var freeEntries: UInt32 {
        mutating get { unsafe io_uring_sq_space_left(&ring) }
    }

    /// Submissions that are queued and not handed over. A poller is at work on others, which it has not taken yet.
    @inlinable @inline(__always) var unhanded: UInt32 {
        mutating get {
            if setup.contains(.submissionPolling) { return unsafe ring.sq.sqe_tail &- ring.sq.sqe_head }
            return unsafe io_uring_sq_ready(&ring)
        }
    }

    /// Whether the last submission that was not handed over is linked to one that is to come. The kernel would end the
    /// chain where an enter ends, and run the rest whatever became of its beginning.
    var isInChain: Bool {
        mutating get { unsafe unhanded > 0 && queuedEntry(0).pointee.flags & EntryFlags.linkBits != 0 }
    }

    private mutating func makeRoom(_ count: UInt32) throws(Errno) {
        if setup.contains(.submissionPolling) { return try waitForPoller(toLeave: count) }
        if isInChain { throw .resourceBusy }
        try submit()
    }

    /// The queued submission that has `distance` others behind it.
    @unsafe @inlinable @inline(__always)
    func queuedEntry(_ distance: UInt32) -> UnsafeMutablePointer<io_uring_sqe> {
        unsafe ring.sq.sqes + Int((ring.sq.sqe_tail &- 1 &- distance) & ring.sq.ring_mask)
    }

    @usableFromInline @inline(__always) mutating func countEnter(taken: CInt) {
        enters &+= 1
        if taken > 0 { submitted &+= UInt64(UInt32(bitPattern: taken)) }
    }

    mutating func countTimedEnter(taken: UInt32) {
        enters += 1
        submitted += UInt64(taken)
    }

    // MARK: Completing

    /// Completions that are ready to be taken. With ``RingSetup/mixedCompletions`` it is the places that they take, of
    /// which a large one has two, and waiting for a number of them means places, too.
    @inlinable public var readyCompletions: UInt32 {
        mutating get { unsafe io_uring_cq_ready(&ring) }
    }

    /// Takes the next completion without a system call; nil if none is ready.
    @inlinable public mutating func nextCompletion() -> Completion? {
        guard let raw = nextRawCompletion() else { return nil }
        return Completion(raw)
    }

    @inlinable @inline(__always) mutating func nextRawCompletion() -> RawCompletion? {
        guard unsafe io_uring_cq_ready(&ring) > 0 else { return nil }
        let entry = unsafe ring.cq.cqes.unsafelyUnwrapped[Int(ring.cq.khead.pointee & ring.cq.ring_mask)]
        unsafe io_uring_cq_advance(&ring, 1)
        if entry.flags & CompletionFlags.ofMixed != 0 { return takeMixed(entry) }
        if entry.user_data >= Self.firstReservedToken { return endClose(RawCompletion(entry)) }
        return RawCompletion(entry)
    }

    /// What the completion that ``nextRawCompletion()`` would take carries.
    @inlinable @inline(__always) mutating func peekToken() -> UInt64? {
        while unsafe io_uring_cq_ready(&ring) > 0 {
            let entry = unsafe ring.cq.cqes.unsafelyUnwrapped[Int(ring.cq.khead.pointee & ring.cq.ring_mask)]
            if entry.flags & C_IORING_CQE_F_SKIP == 0 { return entry.user_data }
            unsafe io_uring_cq_advance(&ring, 1)
        }
        return nil
    }

    /// Gives the completion of a close the token of its user.
    @usableFromInline @inline(never) mutating func endClose(_ completion: RawCompletion) -> RawCompletion {
        var completion = completion
        if let token = closes.end(completion.token, result: completion.result) { completion.token = token }
        return completion
    }

    /// True while completions wait in the kernel because the completion queue was full (`IORING_SQ_CQ_OVERFLOW`).
    /// The next enter brings them in. A multishot request may have ended by it.
    @inlinable public var completionsOverflowed: Bool {
        mutating get { unsafe io_uring_cq_has_overflow(&ring) }
    }

    /// Completions that the kernel lost for want of memory or, before ``RingFeatures/noDrop``, of room.
    public var droppedCompletions: UInt32 {
        unsafe ring.cq.koverflow.pointee
    }
}
