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
    ///   - flags: how the submission is carried out.
    ///   - token: the token of this ring's own completion.
    /// - Precondition: both tokens are below ``firstReservedToken``.
    @inlinable public mutating func prepareMessage(
        to ring: BorrowedDescriptor, result messageResult: Int32 = 0, messageToken: UInt64, _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        precondition(messageToken < Self.firstReservedToken, "a token that rings have reserved for themselves")
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_msg_ring(entry, ring.rawValue, UInt32(bitPattern: messageResult), messageToken, 0)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }
}
