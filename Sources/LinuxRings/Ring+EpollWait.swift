public import CIOUring
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Queues a wait for an epoll set (`IORING_OP_EPOLL_WAIT`, Linux 6.15): as `epoll_wait(2)` without a timeout, in the
    /// same enter as everything else that the ring waits for. The result is how many events were written, one at least.
    ///
    /// ```swift
    /// let events = EpollEventBuffer(capacity: 64)
    /// unsafe try ring.prepareEpollWait(set.descriptor, into: events.memory, token: 1)
    /// try ring.submitAndWait()
    /// ```
    ///
    /// It completes once. Events are taken from the set as the request completes, not when its completion is looked at: a
    /// level-triggered one that is dealt with since may be told all the same, and an edge that is told to a request whose
    /// completion nobody looks at is lost. Of several requests on one set each is told of a level, and one of an edge.
    ///
    /// The request keeps the set open, also when its number is closed. It fails with `EINVAL` when the file is no epoll
    /// set, or on an older kernel (``RingCapabilities/epollWait``), and with `EFAULT` when the memory cannot be written.
    ///
    /// - Parameters:
    ///   - set: an epoll set, borrowed until the request was handed over.
    ///   - memory: room for events as `<sys/epoll.h>` has them (`struct epoll_event`: 12 bytes on x86-64, 16 elsewhere).
    ///     It must live, and nobody else may use it, until the completion came.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: `EINVAL` for memory without room for an event, and what ``submit()`` throws when the queue was full.
    /// - Precondition: the token is below ``firstReservedToken``.
    @unsafe @inlinable public mutating func prepareEpollWait(
        _ set: BorrowedDescriptor, into memory: UnsafeMutableRawBufferPointer, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        // A wait for more than 2 GiB of events is refused by the kernel.
        let room = min(memory.count, Int(Int32.max)) / Int(C_EPOLL_EVENT_BYTES)
        if room == 0 { throw .invalidArgument }
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_rw(
            CInt(C_IORING_OP_EPOLL_WAIT), entry, set.rawValue, memory.baseAddress, UInt32(truncatingIfNeeded: room), 0)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }
}
