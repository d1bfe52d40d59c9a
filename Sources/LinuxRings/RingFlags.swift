public import CIOUring

/// How a ring is set up: the `flags` of `io_uring_setup(2)`.
@frozen public struct RingSetup: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: UInt32

    /// Takes the flags as the kernel has them; ``Ring`` refuses those that are not ``understood``.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The flags with which a ring has the layout and the habits that this library knows. Others change the size of
    /// entries, make the kernel take submissions by itself, or leave memory to be mapped by the caller.
    public static var understood: Self { [.clamp, .submitAll, .cooperativeTaskRun, .singleIssuer, .deferTaskRun] }

    /// `IORING_SETUP_CLAMP`: cut sizes that are too large instead of refusing them.
    @inlinable public static var clamp: Self { Self(rawValue: 1 << 4) }
    /// `IORING_SETUP_SUBMIT_ALL` (Linux 5.18): go on with a batch after an entry that failed.
    @inlinable public static var submitAll: Self { Self(rawValue: 1 << 7) }
    /// `IORING_SETUP_COOP_TASKRUN` (Linux 5.19): do not interrupt the thread to post completions.
    @inlinable public static var cooperativeTaskRun: Self { Self(rawValue: 1 << 8) }
    /// `IORING_SETUP_SINGLE_ISSUER` (Linux 6.0): only the thread that made the ring submits to it.
    @inlinable public static var singleIssuer: Self { Self(rawValue: 1 << 12) }
    /// `IORING_SETUP_DEFER_TASKRUN` (Linux 6.1): post completions only while the thread waits for them.
    /// Needs ``singleIssuer``.
    @inlinable public static var deferTaskRun: Self { Self(rawValue: 1 << 13) }
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
    /// `IORING_FEAT_EXT_ARG` (Linux 5.11): waiting takes a timeout.
    @inlinable public static var extendedArgument: Self { Self(rawValue: 1 << 8) }
    /// `IORING_FEAT_CQE_SKIP` (Linux 5.17): ``EntryFlags/skipSuccess`` works.
    @inlinable public static var skipSuccess: Self { Self(rawValue: 1 << 11) }
}

/// How one submission is carried out: the `flags` of an `io_uring_sqe` (`io_uring_enter(2)`).
///
/// Whether a request works on a slot, and whether it picks a buffer, its `prepare` method says itself.
@frozen public struct EntryFlags: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: UInt8

    /// Takes the flags as the kernel has them, but for all except `IOSQE_IO_LINK`, `IOSQE_IO_HARDLINK` and
    /// `IOSQE_CQE_SKIP_SUCCESS`, which are dropped: with the others the ring could not account for what it owns.
    @inlinable public init(rawValue: UInt8) {
        self.rawValue = rawValue & (Self.linkBits | C_IOSQE_CQE_SKIP_SUCCESS)
    }

    /// Takes any flags, for tests of what the kernel does with those that it refuses.
    init(unchecked rawValue: UInt8) { self.rawValue = rawValue }

    /// Either kind of link. Swift's importer skips the macro for `IOSQE_IO_HARDLINK`.
    @usableFromInline static var linkBits: UInt8 { @inlinable get { C_IOSQE_IO_LINK | 1 << 3 } }

    /// `IOSQE_IO_LINK`: the next submission starts when this one succeeded, and fails with `ECANCELED` when not.
    ///
    /// A chain is what one enter hands over, so it ends where the queue is handed over. When the queue is full in its
    /// middle, queuing the next of it throws `EBUSY`: make room for the whole of it with ``Ring/reserve(_:)`` first.
    @inlinable public static var link: Self { Self(rawValue: C_IOSQE_IO_LINK) }
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
}
