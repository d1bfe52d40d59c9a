import CIOUring
import Glibc
import LinuxDescriptors
public import SystemPackage

/// Making rings (`io_uring_setup(2)`).
extension Ring {
    /// Creates a ring (`io_uring_setup(2)`).
    ///
    /// - Parameters:
    ///   - entries: submissions that can be queued between two enters; rounded up to a power of two.
    ///   - completions: room for completions, twice `entries` if not given.
    ///   - setup: what the ring shall be like.
    /// - Throws: `ENOSYS` and `EPERM` where io_uring is absent or forbidden, `ENOMEM`, `EMFILE`. `EINVAL` for sizes
    ///   that no kernel takes, for flags that are not ``RingSetup/understood``, and for flags that this kernel does not
    ///   know: ``RingCapabilities/setups`` says which those are.
    public init(entries: UInt32, completions: UInt32? = nil, _ setup: RingSetup = []) throws(Errno) {
        if setup.contains(.callerMemory) { throw .invalidArgument }
        try self.init(entries, completions, setup, nil, nil)
    }

    /// Creates a ring whose queues lie in memory of the caller's: ``RingSetup/callerMemory`` (Linux 6.5).
    ///
    /// For huge pages, for memory on a node of its own, or for a process that must not map more. It saves nothing else.
    ///
    /// ```swift
    /// let memory = try RingMemory(bytes: RingMemory.bytesNeeded(entries: 256))
    /// var ring = try Ring(entries: 256, [.submitAll], memory: memory)
    /// ```
    ///
    /// - Parameters:
    ///   - entries: submissions that can be queued between two enters; rounded up to a power of two.
    ///   - completions: room for completions, twice `entries` if not given.
    ///   - setup: what else the ring shall be like.
    ///   - poller: the thread of the kernel that takes the submissions; nil for none.
    ///   - memory: where the queues are to be; the ring keeps it until its end.
    /// - Throws: `EINVAL` before Linux 6.5, and of later kernels before 6.10 for more than a page of either queue that is
    ///   not one huge page; `ENOBUFS` for memory that is smaller than ``RingMemory/bytesNeeded(entries:completions:)``;
    ///   what ``init(entries:completions:_:)`` throws, and with a poller ``init(entries:completions:_:poller:)``.
    public init(
        entries: UInt32, completions: UInt32? = nil, _ setup: RingSetup = [], poller: SubmissionPoller? = nil,
        memory: consuming RingMemory
    ) throws(Errno) {
        if memory.bytes < RingMemory.bytesNeeded(entries: entries, completions: completions) { throw .noBufferSpace }
        let polled: RingSetup = poller == nil ? [] : .submissionPolling
        try self.init(entries, completions, setup.union([.callerMemory, polled]), poller, memory)
    }

    /// Creates a ring whose submissions a thread of the kernel takes: ``RingSetup/submissionPolling`` with what it needs.
    ///
    /// ```swift
    /// var ring = try Ring(
    ///     entries: 256, [.submitAll], poller: SubmissionPoller(idle: .milliseconds(50), processor: 3))
    /// ```
    ///
    /// - Parameters:
    ///   - entries: submissions that can be queued before the poller has to have taken some.
    ///   - completions: room for completions, twice `entries` if not given.
    ///   - setup: what else the ring shall be like.
    ///   - poller: what the thread shall be like.
    /// - Throws: `EPERM` before Linux 5.13 without a privilege, too; `EINVAL` also for a processor that does not exist,
    ///   is off, or is not among those that the process may use; and what ``init(entries:completions:_:)`` throws.
    public init(
        entries: UInt32, completions: UInt32? = nil, _ setup: RingSetup = [], poller: SubmissionPoller
    ) throws(Errno) {
        if setup.contains(.callerMemory) { throw .invalidArgument }
        try self.init(entries, completions, setup.union(.submissionPolling), poller, nil)
    }

    private init(
        _ entries: UInt32, _ completions: UInt32?, _ setup: RingSetup, _ poller: SubmissionPoller?,
        _ memory: consuming RingMemory?
    ) throws(Errno) {
        guard setup.isSubset(of: .understood) else { throw .invalidArgument }
        var parameters = io_uring_params()
        parameters.flags = setup.rawValue
        if let completions {
            parameters.flags |= UInt32(IORING_SETUP_CQSIZE)
            parameters.cq_entries = completions
        }
        if let poller { poller.write(to: &parameters) }
        var ring = unsafe io_uring()
        let places = unsafe memory?.places(entries: entries)
        let result =
            if let places = unsafe places {
                unsafe c_io_uring_setup_in(entries, &parameters, &ring, places.queues, places.submissions)
            } else {
                unsafe Self.makeQueues(entries, &ring, &parameters, setup)
            }
        if result < 0 { throw Errno(rawValue: -result) }
        do {
            identity = unsafe try FileIdentity(of: BorrowedDescriptor(rawValue: ring.ring_fd))
        } catch {
            if unsafe places != nil { unsafe Self.closeAlone(&ring) } else { unsafe io_uring_queue_exit(&ring) }
            throw error
        }
        unsafe self.ring = ring
        self.setup = setup
        features = RingFeatures(rawValue: parameters.features)
        enters = 0
        submitted = 0
        isEnabled = !setup.contains(.startsDisabled)
        restrictions = nil
        registrant = nil
        queueMemory = memory
        waitMemory = nil
        entersItself = !setup.isDisjoint(with: [.submissionPolling, .taskRunFlag])
        closes = CloseTable()
        groups = BufferGroups()
        self.memory = SubmissionMemory()
        stamp = .current()
    }

    /// `io_uring_queue_init_params(3)`, which before liburing 2.5 writes a table that
    /// ``RingSetup/noSubmissionArray`` leaves out, and over the queue's head and tail with it.
    @unsafe private static func makeQueues(
        _ entries: UInt32, _ ring: inout io_uring, _ parameters: inout io_uring_params, _ setup: RingSetup
    ) -> CInt {
        guard setup.contains(.noSubmissionArray) else {
            return unsafe io_uring_queue_init_params(entries, &ring, &parameters)
        }
        let number = unsafe io_uring_setup(entries, &parameters)
        if number < 0 { return number }
        let result = unsafe io_uring_queue_mmap(number, &parameters, &ring)
        if result < 0 {
            _ = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
            return result
        }
        // Some liburings leave these to the caller.
        unsafe ring.flags = parameters.flags
        unsafe ring.features = parameters.features
        unsafe ring.ring_fd = number
        unsafe ring.enter_ring_fd = number
        return 0
    }

    /// Ends a ring whose queues lie in memory of the caller's: liburing 2.3 would unmap that.
    @unsafe static func closeAlone(_ ring: inout io_uring) {
        if unsafe ring.enter_ring_fd != ring.ring_fd { _ = unsafe io_uring_unregister_ring_fd(&ring) }
        let number = unsafe ring.ring_fd
        if number >= 0 { _ = OwnedDescriptor(owning: FileDescriptor(rawValue: number)) }
    }

    /// Creates a ring for one thread with the cheapest way of posting completions that this kernel has:
    /// ``RingSetup/deferTaskRun``, else ``RingSetup/cooperativeTaskRun``, else neither.
    ///
    /// With the first, every other thread that enters the ring gets `EEXIST`. A task of Swift concurrency changes its
    /// thread when it is suspended, so the compiler refuses this in asynchronous functions.
    ///
    /// - Parameters:
    ///   - entries: submissions that can be queued between two enters; rounded up to a power of two.
    ///   - completions: room for completions, twice `entries` if not given.
    ///   - more: flags that the ring shall have in any case.
    /// - Throws: what ``init(entries:completions:_:)`` throws.
    @available(*, noasync, message: "the ring belongs to one thread, and a task changes its thread")
    public static func forThisThread(
        entries: UInt32, completions: UInt32? = nil, adding more: RingSetup = []
    ) throws(Errno) -> Ring {
        let wishes: [RingSetup] = [[.singleIssuer, .deferTaskRun, .submitAll], [.cooperativeTaskRun, .submitAll]]
        for wish in wishes {
            do {
                return try Ring(entries: entries, completions: completions, wish.union(more))
            } catch {
                if error != .invalidArgument { throw error }
            }
        }
        return try Ring(entries: entries, completions: completions, more)
    }
}
