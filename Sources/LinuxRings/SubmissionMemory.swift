public import CIOUring

/// What submissions point at: a cell of memory beside each entry of the submission queue.
///
/// The kernel reads a time or an address as it takes the entry and not later (`IORING_FEAT_SUBMIT_STABLE`, Linux 5.5).
/// An entry, and with it its cell, is given out again when the kernel has taken it and not before, whoever takes it:
/// `io_uring_enter(2)` or a polling thread (`IORING_SETUP_SQPOLL`). So nobody has to keep anything alive but the ring,
/// which frees the cells in the end. That a poller may outlive: one of a ring whose descriptor has a duplicate.
@safe @usableFromInline struct SubmissionMemory: ~Copyable {
    @usableFromInline var cells: UnsafeMutableRawPointer?
    /// The size of the queue that the cells belong to.
    @usableFromInline var count: UInt32 = 0
    /// The cells of queues before that, when the ring had another size: what was queued then may still point there.
    private var retired: [UnsafeMutableRawPointer] = unsafe []

    init() { unsafe cells = nil }

    /// Whether there are cells.
    var isUsed: Bool { unsafe cells != nil }

    /// For the end of the ring, if nobody will read a cell any more; they leak without this.
    func deallocate() {
        unsafe cells?.deallocate()
        unsafe retired.forEach { unsafe $0.deallocate() }
    }

    /// The size of a `sockaddr_storage`, the largest that is kept here.
    @inlinable static var cellBytes: Int { 128 }

    /// The cell beside the entry with this index in a queue of this size.
    @inlinable @inline(__always)
    mutating func cell(_ index: Int, of entries: UInt32) -> UnsafeMutableRawPointer {
        if entries != count { allocate(entries) }
        return unsafe cells.unsafelyUnwrapped + index * Self.cellBytes
    }

    /// Most rings never need any.
    @usableFromInline @inline(never) mutating func allocate(_ entries: UInt32) {
        if let cells = unsafe cells { unsafe retired.append(cells) }
        unsafe cells = .allocate(byteCount: Int(entries) * Self.cellBytes, alignment: 16)
        count = entries
    }
}

extension Ring {
    /// The cell beside an entry.
    @unsafe @inlinable @inline(__always)
    mutating func cell(_ entry: UnsafeMutablePointer<io_uring_sqe>) -> UnsafeMutableRawPointer {
        let index = unsafe entry - ring.sq.sqes
        let entries = unsafe ring.sq.ring_mask &+ 1
        return unsafe memory.cell(index, of: entries)
    }
}
