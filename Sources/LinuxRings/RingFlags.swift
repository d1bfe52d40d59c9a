public import CIOUring

/// How a ring is set up: the `flags` of `io_uring_setup(2)`.
@frozen public struct RingSetup: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: UInt32

    /// Takes the flags as the kernel has them; ``Ring`` refuses those that are not ``understood``.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The flags with which a ring has the layout and the habits that this library knows. Others change the size of all
    /// entries, or poll devices. How long the poller of ``submissionPolling`` looks, and where it runs,
    /// ``SubmissionPoller`` says.
    public static var understood: Self {
        [
            .submissionPolling, .clamp, .startsDisabled, .submitAll, .cooperativeTaskRun, .taskRunFlag, .singleIssuer,
            .deferTaskRun, .callerMemory, .noSubmissionArray, .mixedCompletions,
        ]
    }

    /// `IORING_SETUP_SQPOLL` (for everybody since Linux 5.13): a kernel thread takes the submissions, so that handing
    /// over needs no system call while that thread is awake. It shares its processor with nobody until it has found
    /// nothing for as long as ``SubmissionPoller/idle`` says. Excludes ``cooperativeTaskRun``, ``taskRunFlag`` and
    /// ``deferTaskRun``.
    @inlinable public static var submissionPolling: Self { Self(rawValue: 1 << 1) }
    /// `IORING_SETUP_CLAMP`: cut sizes that are too large instead of refusing them.
    @inlinable public static var clamp: Self { Self(rawValue: 1 << 4) }
    /// `IORING_SETUP_R_DISABLED` (Linux 5.10): take no submission before ``Ring/enable()``.
    @inlinable public static var startsDisabled: Self { Self(rawValue: 1 << 6) }
    /// `IORING_SETUP_SUBMIT_ALL` (Linux 5.18): go on with a batch after an entry that failed.
    @inlinable public static var submitAll: Self { Self(rawValue: 1 << 7) }
    /// `IORING_SETUP_COOP_TASKRUN` (Linux 5.19): do not interrupt the thread to post completions.
    @inlinable public static var cooperativeTaskRun: Self { Self(rawValue: 1 << 8) }
    /// `IORING_SETUP_TASKRUN_FLAG` (Linux 5.19): tell by ``Ring/hasDeferredWork`` that completions can be had in an
    /// enter. Needs ``cooperativeTaskRun`` or ``deferTaskRun``.
    @inlinable public static var taskRunFlag: Self { Self(rawValue: 1 << 9) }
    /// `IORING_SETUP_SINGLE_ISSUER` (Linux 6.0): only the thread that made the ring submits to it.
    @inlinable public static var singleIssuer: Self { Self(rawValue: 1 << 12) }
    /// `IORING_SETUP_DEFER_TASKRUN` (Linux 6.1): post completions only while the thread waits for them.
    /// Needs ``singleIssuer``.
    @inlinable public static var deferTaskRun: Self { Self(rawValue: 1 << 13) }
    /// `IORING_SETUP_NO_MMAP` (Linux 6.5): the queues lie in memory that the caller brings
    /// (``Ring/init(entries:completions:_:poller:memory:)``, which sets it), and not in the kernel's, which is mapped.
    @inlinable public static var callerMemory: Self { Self(rawValue: 1 << 14) }
    /// `IORING_SETUP_NO_SQARRAY` (Linux 6.6): have no table between the submission queue's positions and its entries,
    /// which this library never uses: the kernel reads one number less for each submission.
    @inlinable public static var noSubmissionArray: Self { Self(rawValue: 1 << 16) }
    /// `IORING_SETUP_CQE_MIXED` (Linux 6.18): a completion with more to say takes two places of the queue
    /// (``CompletionFlags/large``, ``Ring/largeResult``), and the others one.
    @inlinable public static var mixedCompletions: Self { Self(rawValue: 1 << 18) }
}

/// What the kernel's rings can do: `io_uring_params.features` of `io_uring_setup(2)`.
@frozen public struct RingFeatures: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: UInt32

    /// Takes the flags as the kernel has them.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `IORING_FEAT_NODROP` (Linux 5.5): completions that do not fit the queue are kept, not dropped.
    @inlinable public static var noDrop: Self { Self(rawValue: 1 << 1) }
    /// `IORING_FEAT_FAST_POLL` (Linux 5.7): sockets are waited for without a kernel thread.
    @inlinable public static var fastPoll: Self { Self(rawValue: 1 << 5) }
    /// `IORING_FEAT_SQPOLL_NONFIXED` (Linux 5.11): the poller of ``RingSetup/submissionPolling`` takes descriptors, not
    /// only slots.
    @inlinable public static var pollerTakesDescriptors: Self { Self(rawValue: 1 << 7) }
    /// `IORING_FEAT_EXT_ARG` (Linux 5.11): waiting takes a timeout.
    @inlinable public static var extendedArgument: Self { Self(rawValue: 1 << 8) }
    /// `IORING_FEAT_CQE_SKIP` (Linux 5.17): ``EntryFlags/skipSuccess`` works.
    @inlinable public static var skipSuccess: Self { Self(rawValue: 1 << 11) }
    /// `IORING_FEAT_RECVSEND_BUNDLE` (Linux 6.10): ``ReceiveFlags/bundle`` works.
    @inlinable public static var bundles: Self { Self(rawValue: 1 << 14) }
    /// `IORING_FEAT_MIN_TIMEOUT` (Linux 6.12): waiting takes a least time (``WaitBatch/minimum``).
    @inlinable public static var minimumWait: Self { Self(rawValue: 1 << 15) }
}

/// How one submission is carried out: the `flags` of an `io_uring_sqe` (`io_uring_enter(2)`).
///
/// Whether a request works on a slot, and whether it picks a buffer, its `prepare` method says itself.
@frozen public struct EntryFlags: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: UInt8

    /// Takes the flags as the kernel has them. `IOSQE_FIXED_FILE`, `IOSQE_BUFFER_SELECT` and those that this library
    /// does not know are dropped: with them the ring could not account for what it owns.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue & Self.known }

    /// Takes any flags, for tests of what the kernel does with those that it refuses.
    init(unchecked rawValue: UInt8) { self.rawValue = rawValue }

    @usableFromInline static var known: UInt8 {
        @inlinable get { linkBits | C_IOSQE_IO_DRAIN | C_IOSQE_ASYNC | C_IOSQE_CQE_SKIP_SUCCESS }
    }

    /// Either kind of link.
    @usableFromInline static var linkBits: UInt8 { @inlinable get { C_IOSQE_IO_LINK | C_IOSQE_IO_HARDLINK } }

    /// `IOSQE_IO_LINK` (Linux 5.3): the next submission starts when this one succeeded, and fails with `ECANCELED` when
    /// not. Fewer bytes than were asked for are no success of a read or a write.
    ///
    /// A chain is what one enter hands over, so it ends where the queue is handed over. When the queue is full in its
    /// middle, queuing the next of it throws `EBUSY`: make room for the whole of it with ``Ring/reserve(_:)`` first.
    @inlinable public static var link: Self { Self(rawValue: C_IOSQE_IO_LINK) }
    /// `IOSQE_IO_HARDLINK` (Linux 5.5): like ``link``, but the next submission starts however this one ended.
    ///
    /// What the kernel refuses as it takes it, for flags or fields that it does not know, ends the chain all the same.
    @inlinable public static var hardLink: Self { Self(rawValue: C_IOSQE_IO_HARDLINK) }
    /// `IOSQE_IO_DRAIN` (Linux 5.2): starts when everything before it has completed, and nothing behind it starts
    /// before it has. In the middle of a chain it holds for the whole chain.
    ///
    /// A request that stays armed lets it wait for as long; cancellation does not find what waits. On a ring that was
    /// given ``skipSuccess`` once, the kernel refuses it with `EOPNOTSUPP`.
    @inlinable public static var drain: Self { Self(rawValue: C_IOSQE_IO_DRAIN) }
    /// `IOSQE_ASYNC` (Linux 5.6): a thread of the kernel's carries it out from the start, for what is known to wait:
    /// without it the kernel tries first whether it can be done at once. On sockets it costs much and brings nothing.
    @inlinable public static var async: Self { Self(rawValue: C_IOSQE_ASYNC) }
    /// `IOSQE_CQE_SKIP_SUCCESS` (Linux 5.17): no completion unless it fails.
    ///
    /// If it fails, and is linked to others, these have no completions at all. A close that is linked behind it must
    /// have one, so ``Ring/prepareClose(_:_:token:)`` takes the flag away from all before it in the chain.
    @inlinable public static var skipSuccess: Self { Self(rawValue: C_IOSQE_CQE_SKIP_SUCCESS) }
}

/// What a completion says beside its result: the `flags` of an `io_uring_cqe`.
@frozen public struct CompletionFlags: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: UInt32

    /// Takes the flags as the kernel has them.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `IORING_CQE_F_BUFFER`: the upper 16 bits name the buffer that the kernel picked.
    @inlinable public static var buffer: Self { Self(rawValue: 1 << 0) }
    /// `IORING_CQE_F_MORE`: the request is still armed and more completions will come.
    @inlinable public static var more: Self { Self(rawValue: 1 << 1) }
    /// `IORING_CQE_F_SOCK_NONEMPTY`: the socket held more than was read.
    @inlinable public static var socketNonempty: Self { Self(rawValue: 1 << 2) }
    /// `IORING_CQE_F_NOTIF`: the second completion of a zero-copy send.
    @inlinable public static var notification: Self { Self(rawValue: 1 << 3) }
    /// `IORING_CQE_F_BUF_MORE` (Linux 6.12): the kernel will put more into the last buffer that it used, behind what is
    /// there: see ``BundleGroup``.
    @inlinable public static var bufferHasMore: Self { Self(rawValue: 1 << 4) }
    /// `IORING_CQE_F_32` (Linux 6.18): the completion has 16 bytes more, which are in ``Ring/largeResult``.
    @inlinable public static var large: Self { Self(rawValue: C_IORING_CQE_F_32) }

    /// What a ring with ``RingSetup/mixedCompletions`` alone has: large ones, and places that hold nothing.
    @usableFromInline static var ofMixed: UInt32 {
        @inlinable get { C_IORING_CQE_F_32 | C_IORING_CQE_F_SKIP }
    }
}
