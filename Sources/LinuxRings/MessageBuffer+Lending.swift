import CIOUring
import Glibc

/// Giving a message to the kernel, and taking it back.
extension MessageBuffer {
    /// Takes the message back from the request that a completion ends.
    ///
    /// After a receive it holds what came, after one that failed nothing; after a send what was sent:
    /// ``removeFirst(_:)`` takes away what a stream has taken.
    ///
    /// - Returns: false if the completion is not that of the request, or not its last: a send without a copy has a
    ///   second one (``CompletionFlags/notification``), before which the message is the kernel's.
    ///
    /// Unsafe: a completion is told by its token alone, and what is taken back too early the kernel still writes into.
    /// From the `prepare` method until this, nothing else may be pending with the token, or complete and be untaken, on this
    /// ring or on another whose completions are given here: no poll, no earlier request. Give each message that is
    /// lent a token that nothing else ever has, or use ``DescriptorRing``, whose requests own their buffers.
    @unsafe public mutating func takeBack(_ completion: borrowing Completion) -> Bool {
        guard lentTo == completion.token, !completion.isArmed else { return false }
        lentTo = nil
        guard lentForReceive else { return true }
        let hasCome = completion.result >= 0
        fill(hasCome ? Int(completion.result) : 0)
        flags = hasCome ? unsafe MessageFlags(rawValue: UInt32(bitPattern: header.pointee.msg_flags)) : []
        addressLength = hasCome ? unsafe Int(header.pointee.msg_namelen) : 0
        if !hasCome { unsafe header.pointee.msg_controllen = 0 }
        return true
    }

    /// Takes the message back without a completion.
    ///
    /// Unsafe: the kernel must be done with the request, because the ring is known to have ended it, or because it was
    /// queued with ``EntryFlags/skipSuccess`` and something that it has done can be seen.
    @unsafe public mutating func takeBackUnchecked() {
        lentTo = nil
        if lentForReceive { removeAll() }
    }

    /// Prepares the header for a receive into all the room that there is.
    mutating func readyToReceive() -> UnsafeMutablePointer<msghdr> {
        ensureOwn()
        fill(largestTransferBytes)
        unsafe header.pointee.msg_name = addressCapacity > 0 ? addressStart : nil
        unsafe header.pointee.msg_namelen = .init(addressCapacity)
        unsafe header.pointee.msg_control = controlCapacity > 0 ? controlStart : nil
        unsafe header.pointee.msg_controllen = .init(controlCapacity)
        unsafe header.pointee.msg_flags = 0
        return unsafe header
    }

    /// Prepares the header for a send of what the message holds.
    mutating func readyToSend() -> UnsafeMutablePointer<msghdr> {
        ensureOwn()
        let length = min(addressLength, addressCapacity)
        unsafe header.pointee.msg_name = length > 0 ? addressStart : nil
        unsafe header.pointee.msg_namelen = .init(length)
        unsafe header.pointee.msg_control = header.pointee.msg_controllen > 0 ? controlStart : nil
        unsafe header.pointee.msg_flags = 0
        return unsafe header
    }

    mutating func lend(to token: UInt64, forReceive: Bool) {
        lentTo = token
        lentForReceive = forReceive
    }
}
