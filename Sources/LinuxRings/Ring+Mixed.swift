public import CIOUring
import Glibc
public import SystemPackage

/// Completions of 16 and of 32 bytes in one queue (``RingSetup/mixedCompletions``, Linux 6.18).
extension Ring {
    /// Goes on from an entry that was taken and is more or less than a completion: one whose second half is in the next
    /// place, or one that fills a place at the end of the queue because a large one did not fit.
    @usableFromInline @inline(never)
    mutating func takeMixed(_ first: io_uring_cqe) -> RawCompletion? {
        var entry = first
        while entry.flags & C_IORING_CQE_F_SKIP != 0 {
            guard let next = takePlace() else { return nil }
            entry = next
        }
        if entry.flags & C_IORING_CQE_F_32 != 0, let rest = takePlace() {
            largeResult = unsafe withUnsafeBytes(of: rest) {
                unsafe ($0.load(as: UInt64.self), $0.load(fromByteOffset: 8, as: UInt64.self))
            }
        }
        let completion = RawCompletion(entry)
        return completion.token >= Self.firstReservedToken ? endClose(completion) : completion
    }

    private mutating func takePlace() -> io_uring_cqe? {
        guard unsafe io_uring_cq_ready(&ring) > 0 else { return nil }
        let entry = unsafe ring.cq.cqes[Int(ring.cq.khead.pointee & ring.cq.ring_mask)]
        unsafe io_uring_cq_advance(&ring, 1)
        return entry
    }

    /// Queues a request that does nothing and succeeds (`io_uring_prep_nop(3)`, `IORING_OP_NOP`, Linux 5.1): a completion
    /// to measure or to test with.
    ///
    /// - Parameters:
    ///   - large: what the completion brings as ``largeResult``, with ``RingSetup/mixedCompletions`` (Linux 6.18); without
    ///     that flag the completion has `EINVAL`.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: what ``submit()`` throws when the queue was full.
    public mutating func prepareNop(
        large: (UInt64, UInt64)? = nil, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_nop(entry)
        if let large {
            unsafe entry.pointee.rw_flags = CInt(C_IORING_NOP_CQE32)
            unsafe entry.pointee.off = large.0
            unsafe entry.pointee.addr = large.1
        }
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }
}
