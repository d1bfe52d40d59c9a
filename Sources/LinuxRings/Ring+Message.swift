public import CIOUring
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Queues a message to another ring: a completion that appears there, as if a request of its own had ended
    /// (`io_uring_prep_msg_ring(3)`, `IORING_OP_MSG_RING`, Linux 5.18).
    ///
    /// The receiver's thread needs nothing but its wait for completions; it is woken like by any other. This ring gets
    /// a completion with the result 0, or none with ``EntryFlags/skipSuccess``. It fails with `EBADFD` when the
    /// other descriptor is not a ring. A full completion queue of the receiver does not stop it: the kernel keeps the
    /// message there (``completionsOverflowed``), as it does with completions. Where it cannot, for want of memory,
    /// this request fails with `EOVERFLOW` or, on later kernels, `ENOMEM`.
    ///
    /// - Parameters:
    ///   - ring: the receiver's descriptor, borrowed until the message was sent.
    ///   - messageResult: the result of the completion that the receiver gets; not below 0, or it reads as an error.
    ///   - messageToken: the token of the completion that the receiver gets.
    ///   - completionFlags: the flags of the completion that the receiver gets (`IORING_MSG_RING_FLAGS_PASS`, Linux 6.3);
    ///     with any, `EINVAL` is the result before that (``RingCapabilities/messageFlags``).
    ///   - flags: how the submission is carried out.
    ///   - token: the token of this ring's own completion.
    /// - Precondition: both tokens are below ``firstReservedToken``.
    @inlinable public mutating func prepareMessage(
        to ring: BorrowedDescriptor, result messageResult: Int32 = 0, messageToken: UInt64,
        completionFlags: CompletionFlags = [], _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        precondition(messageToken < Self.firstReservedToken, "a token that rings have reserved for themselves")
        let entry = unsafe try nextEntry(token)
        let passing = completionFlags.isEmpty ? 0 : C_IORING_MSG_RING_FLAGS_PASS
        unsafe io_uring_prep_msg_ring(entry, ring.rawValue, UInt32(bitPattern: messageResult), messageToken, passing)
        unsafe entry.pointee.file_index = completionFlags.rawValue
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues the gift of a file to another ring: what is in a slot of this ring is in a slot of that one afterwards, too
    /// (`io_uring_prep_msg_ring_fd(3)`, `IORING_MSG_SEND_FD`, Linux 6.0).
    ///
    /// ```swift
    /// try ring.prepareMessage(slot: slot, to: worker, into: .anySlot, messageToken: 3, token: 1)
    /// ```
    ///
    /// The slot of this ring keeps the file, too, until it is closed. The result of both completions is the slot, or 0 for
    /// one that was given. It fails with `EBADF` for an empty slot, `EBADFD` when the other is not a ring, `EINVAL` when it
    /// is this ring, `ENXIO` when it has no table, `ENFILE` when it has no free slot; with `EOVERFLOW` it has the file and
    /// was not told.
    ///
    /// - Parameters:
    ///   - slot: what is given.
    ///   - ring: the receiver's descriptor, borrowed until the message was sent.
    ///   - destination: where it goes; a slot.
    ///   - messageToken: the token of the completion that the receiver gets; nil for none
    ///     (`IORING_MSG_RING_CQE_SKIP`).
    ///   - flags: how the submission is carried out.
    ///   - token: the token of this ring's own completion.
    /// - Throws: `EINVAL` for a destination that is no slot, or one of the two largest.
    /// - Precondition: both tokens are below ``firstReservedToken``.
    @inlinable public mutating func prepareMessage(
        slot: Slot, to ring: BorrowedDescriptor, into destination: FileDestination, messageToken: UInt64?,
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        if destination == .descriptor { throw .invalidArgument }
        let index = try destination.index()
        let messageToken = messageToken ?? .max
        precondition(
            messageToken == .max || messageToken < Self.firstReservedToken,
            "a token that rings have reserved for themselves")
        let entry = unsafe try nextEntry(token)
        let skip = messageToken == .max ? UInt32(IORING_MSG_RING_CQE_SKIP) : 0
        unsafe io_uring_prep_msg_ring(entry, ring.rawValue, 0, messageToken, skip)
        // IORING_MSG_SEND_FD, which is of another kind in later headers.
        unsafe entry.pointee.addr = 1
        unsafe entry.pointee.addr3 = UInt64(slot.index)
        unsafe entry.pointee.file_index = index
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }
}
