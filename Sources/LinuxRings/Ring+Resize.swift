import CIOUring
import Glibc
public import SystemPackage

/// Queues that change their size (`IORING_REGISTER_RESIZE_RINGS`, Linux 6.13).
extension Ring {
    /// Makes both queues larger or smaller. What is pending stays so, and completions that are ready stay ready.
    ///
    /// So a ring can begin small and grow when ``completionsOverflowed`` tells that it should. The kernel does not say
    /// where the table that ``RingSetup/noSubmissionArray`` leaves out comes to lie, so the ring must be without it.
    ///
    /// - Parameters:
    ///   - entries: submissions that can be queued; rounded up to a power of two.
    ///   - completions: room for completions, twice `entries` if not given.
    /// - Throws: `EBUSY` while submissions are queued: ``submit()`` first. `EOVERFLOW` when more completions are ready
    ///   than there would be room for. `EINVAL` before Linux 6.13, without ``RingSetup/deferTaskRun`` and
    ///   ``RingSetup/noSubmissionArray``, with ``RingSetup/callerMemory``, and for sizes that no kernel takes. `EEXIST`
    ///   on another thread than the ring's. `ENOMEM`: where there is no address space for the new queues the old ones
    ///   are gone already, every enter throws `EBADF` from then on, and what is pending ends with the ring.
    public mutating func resize(entries: UInt32, completions: UInt32? = nil) throws(Errno) {
        guard setup.contains(.noSubmissionArray), !setup.contains(.callerMemory) else { throw .invalidArgument }
        if unhanded > 0 { throw .resourceBusy }
        var parameters = io_uring_params()
        parameters.sq_entries = entries
        // Not read by the kernel: it tells liburing to map both queues at once.
        parameters.features = features.rawValue
        if let completions {
            parameters.flags = UInt32(IORING_SETUP_CQSIZE)
            parameters.cq_entries = completions
        }
        let result = unsafe io_uring_register(
            UInt32(bitPattern: ring.ring_fd), C_IORING_REGISTER_RESIZE_RINGS, &parameters, 1)
        if result < 0 { throw Errno(rawValue: -result) }
        var resized = unsafe io_uring()
        let mapped = unsafe io_uring_queue_mmap(ring.ring_fd, &parameters, &resized)
        if mapped < 0 {
            unsafe ring.enter_ring_fd = -1
            throw Errno(rawValue: -mapped)
        }
        unsafe adopt(resized)
    }

    /// Unmaps the old queues and goes on in the new ones, into which the kernel copied what was in them.
    @unsafe private mutating func adopt(_ resized: io_uring) {
        let (sq, cq) = unsafe (ring.sq, ring.cq)
        unsafe munmap(sq.sqes, Int(sq.ring_entries) * MemoryLayout<io_uring_sqe>.size)
        unsafe munmap(sq.ring_ptr, sq.ring_sz)
        if unsafe cq.ring_ptr != nil && cq.ring_ptr != sq.ring_ptr { unsafe munmap(cq.ring_ptr, cq.ring_sz) }
        unsafe ring.sq = resized.sq
        unsafe ring.cq = resized.cq
        unsafe ring.sq.sqe_head = sq.sqe_head
        unsafe ring.sq.sqe_tail = sq.sqe_tail
    }
}
