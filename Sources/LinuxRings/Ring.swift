public import CIOUring
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// An io_uring: a submission queue and a completion queue shared with the kernel (`io_uring(7)`).
///
/// A ring belongs to one thread; ``RingSetup/singleIssuer`` makes the kernel insist on the thread that created it.
/// The ring owns neither descriptors nor memory named in submissions: they must live until the completion came.
///
/// After `fork(2)` parent and child share both queues, so the child must not use the ring: what it takes is lost to its
/// parent. Nothing checks that here; ``DescriptorRing`` does. Dropping the ring in the child leaves the parent's alone.
///
/// The descriptor of the ring itself is closed with it, which cancels what is pending, but not before this returns.
@safe @frozen public struct Ring: ~Copyable {
    @usableFromInline var ring: io_uring
    /// What this kernel's rings can do.
    public let features: RingFeatures
    /// How the ring was set up, which may be less than what was wished for.
    public let setup: RingSetup
    /// `io_uring_enter(2)` calls made so far.
    public private(set) var enters: UInt64 = 0
    /// Submissions handed to the kernel so far.
    public private(set) var submitted: UInt64 = 0

    /// Creates a ring (`io_uring_setup(2)`).
    ///
    /// - Parameters:
    ///   - entries: submissions that can be queued between two enters; rounded up to a power of two.
    ///   - completions: room for completions, twice `entries` if not given.
    ///   - setup: what the ring shall be like.
    /// - Throws: `ENOSYS` and `EPERM` where io_uring is absent or forbidden, `EINVAL` for flags that this kernel does
    ///   not know, `ENOMEM`, `EMFILE`.
    public init(entries: UInt32, completions: UInt32? = nil, _ setup: RingSetup = []) throws(Errno) {
        var ring = unsafe io_uring()
        var parameters = io_uring_params()
        parameters.flags = setup.rawValue
        if let completions {
            parameters.flags |= UInt32(IORING_SETUP_CQSIZE)
            parameters.cq_entries = completions
        }
        let result = unsafe io_uring_queue_init_params(entries, &ring, &parameters)
        if result < 0 { throw Errno(rawValue: -result) }
        unsafe self.ring = ring
        self.setup = setup
        features = RingFeatures(rawValue: parameters.features)
    }

    /// Creates a ring for one thread with the cheapest way of posting completions that this kernel has:
    /// ``RingSetup/deferTaskRun``, else ``RingSetup/cooperativeTaskRun``, else neither.
    public static func forThisThread(entries: UInt32, completions: UInt32? = nil) throws(Errno) -> Ring {
        let wishes: [RingSetup] = [[.singleIssuer, .deferTaskRun, .submitAll], [.cooperativeTaskRun, .submitAll]]
        for wish in wishes {
            do {
                return try Ring(entries: entries, completions: completions, wish)
            } catch {
                if error != .invalidArgument { throw error }
            }
        }
        return try Ring(entries: entries, completions: completions)
    }

    deinit {
        var ring = unsafe ring
        unsafe io_uring_queue_exit(&ring)
    }

    /// The ring's own descriptor, borrowed.
    @inlinable public var descriptor: BorrowedDescriptor { unsafe BorrowedDescriptor(rawValue: ring.ring_fd) }

    // MARK: Submitting

    /// The next free submission, zeroed but for the token; makes room by submitting when the queue is full.
    ///
    /// - Throws: `EBUSY` when the kernel takes nothing because completions overflowed.
    @inlinable @inline(__always)
    mutating func nextEntry(_ token: UInt64) throws(Errno) -> UnsafeMutablePointer<io_uring_sqe> {
        if let entry = unsafe io_uring_get_sqe(&ring) {
            unsafe entry.pointee.user_data = token
            return unsafe entry
        }
        return unsafe try entryAfterSubmitting(token)
    }

    @usableFromInline @inline(never)
    mutating func entryAfterSubmitting(_ token: UInt64) throws(Errno) -> UnsafeMutablePointer<io_uring_sqe> {
        try submit()
        guard let entry = unsafe io_uring_get_sqe(&ring) else { throw .resourceBusy }
        unsafe entry.pointee.user_data = token
        return unsafe entry
    }

    /// Hands the queued submissions to the kernel without waiting (`io_uring_enter(2)`).
    ///
    /// - Returns: how many were taken.
    @inlinable @discardableResult public mutating func submit() throws(Errno) -> Int {
        try enter(waitingFor: 0)
    }

    /// Hands over the queued submissions and waits until `count` completions are ready, in one `io_uring_enter(2)`.
    ///
    /// - Returns: how many submissions were taken.
    @inlinable @discardableResult public mutating func submitAndWait(for count: UInt32 = 1) throws(Errno) -> Int {
        try enter(waitingFor: count)
    }

    @inlinable mutating func enter(waitingFor count: UInt32) throws(Errno) -> Int {
        while true {
            // liburing does not enter the kernel for nothing.
            let enters = unsafe count > 0 || io_uring_sq_ready(&ring) > 0 || io_uring_cq_has_overflow(&ring)
            let result = unsafe io_uring_submit_and_wait(&ring, count)
            if enters { countEnter(taken: result) }
            if result >= 0 { return Int(result) }
            if result != -EINTR { throw Errno(rawValue: -result) }
        }
    }

    @usableFromInline @inline(__always) mutating func countEnter(taken: CInt) {
        enters += 1
        if taken > 0 { submitted += UInt64(taken) }
    }

    /// Waits until a completion is ready or the time is over, after handing over what is queued. With a timeout of 0
    /// it collects what a ``RingSetup/deferTaskRun`` ring has not posted yet, without waiting.
    ///
    /// - Returns: false when the time is over, or when a signal came first.
    /// - Throws: `EINVAL` before Linux 5.11 (no ``RingFeatures/extendedArgument``).
    public mutating func submitAndWait(timeoutNanoseconds: UInt64) throws(Errno) -> Bool {
        var timeout = __kernel_timespec(
            tv_sec: Int64(timeoutNanoseconds / 1_000_000_000), tv_nsec: Int64(timeoutNanoseconds % 1_000_000_000))
        guard features.contains(.extendedArgument) else { throw .invalidArgument }
        var first: UnsafeMutablePointer<io_uring_cqe>?
        let queued = unsafe io_uring_sq_ready(&ring)
        // liburing does not enter the kernel when nothing is queued and a completion is there already.
        if unsafe queued > 0 || io_uring_cq_ready(&ring) == 0 { enters += 1 }
        let result = unsafe io_uring_submit_and_wait_timeout(&ring, &first, 1, &timeout, nil)
        let left = unsafe io_uring_sq_ready(&ring)
        submitted += UInt64(queued - left)
        if result < 0 && result != -ETIME && result != -EINTR { throw Errno(rawValue: -result) }
        // When it submitted something, the kernel says how much instead of that the time is over.
        return unsafe io_uring_cq_ready(&ring) > 0
    }

    // MARK: Completing

    /// Completions that are ready to be taken.
    @inlinable public var readyCompletions: UInt32 {
        mutating get { unsafe io_uring_cq_ready(&ring) }
    }

    /// Takes the next completion without a system call; nil if none is ready.
    @inlinable public mutating func nextCompletion() -> Completion? {
        guard unsafe io_uring_cq_ready(&ring) > 0 else { return nil }
        let completion = unsafe Completion(ring.cq.cqes[Int(ring.cq.khead.pointee & ring.cq.ring_mask)])
        unsafe io_uring_cq_advance(&ring, 1)
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

    // MARK: Resources

    /// Gives the ring a file table of its own with `count` empty slots, for direct accepts
    /// (`io_uring_register(2)`, `IORING_REGISTER_FILES2`, Linux 5.19).
    public mutating func registerFileSlots(count: UInt32) throws(Errno) {
        let result = unsafe io_uring_register_files_sparse(&ring, count)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}
