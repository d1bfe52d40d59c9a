public import CIOUring
import Glibc
public import SystemPackage

/// Sends that leave the bytes where they are (Linux 6.0).
///
/// Such a send has two completions with its token. The first brings the result, and ``CompletionFlags/more`` says that
/// another follows; the memory is still the kernel's. The second (``Completion/isNotification``) says that the memory is
/// free again, which for TCP is when the peer has acknowledged it. Without ``CompletionFlags/more`` there is no second
/// one. They pay from some ten kilobytes on; the kernel copies after all where it must, as to a peer on the same machine.
///
/// ``EntryFlags/skipSuccess`` makes them fail with `EINVAL`; sockets that cannot do it say `EOPNOTSUPP`.
extension Ring {
    /// Queues a send of memory without a copy (`io_uring_prep_send_zc(3)`, Linux 6.0).
    ///
    /// Unsafe: the memory must live, and nobody may change it, until the notification came.
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - memory: where the bytes are.
    ///   - count: how many; one send moves at most 2 147 479 552, and more are not asked for.
    ///   - sendFlags: how it is sent.
    ///   - flags: how the submission is carried out.
    ///   - token: what both completions carry.
    /// - Throws: `EINVAL` for a count below 0, and what ``submit()`` throws when the queue was full.
    @unsafe @inlinable public mutating func prepareSendZeroCopy(
        _ file: RequestFile, from memory: UnsafeRawPointer, count: Int, sendFlags: SendFlags = [],
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let count = try transferCount(count, least: 0)
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_send_zc(
            entry, file.number, memory, count, sendFlags.message | noSignal, UInt32(sendFlags.request))
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }

    /// Queues a send of a registered buffer without a copy (`io_uring_prep_send_zc_fixed(3)`, Linux 6.0): its pages are
    /// known to the kernel already, which saves what the other way spends on each send.
    ///
    /// What the peer gets is what the buffer holds when it goes out, so it should not be changed before the notification
    /// came. It fails with `EFAULT` when the buffer is not what is registered in its slot.
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - buffer: what is sent, a whole buffer or a part (``RegisteredBuffer/extracting(_:)``).
    ///   - sendFlags: how it is sent.
    ///   - flags: how the submission is carried out.
    ///   - token: what both completions carry.
    @inlinable public mutating func prepareSendZeroCopy(
        _ file: RequestFile, from buffer: RegisteredBuffer, sendFlags: SendFlags = [], _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_send_zc_fixed(
            entry, file.number, UnsafeRawPointer(bitPattern: buffer.address), buffer.count,
            sendFlags.message | noSignal, UInt32(sendFlags.request), UInt32(buffer.slot))
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }

    /// Queues a send of what a message holds, without a copy of its bytes (`io_uring_prep_sendmsg_zc(3)`, Linux 6.1).
    ///
    /// The message is lent until the notification, or a first completion that has no second, gives it back
    /// (``MessageBuffer/takeBack(_:)``).
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - message: what is sent.
    ///   - sendFlags: how it is sent.
    ///   - flags: how the submission is carried out.
    ///   - token: what both completions carry; no other pending request may.
    /// - Throws: what ``submit()`` throws when the queue was full; the message is not lent then.
    /// - Precondition: no request works on the message.
    public mutating func prepareSendMessageZeroCopy(
        _ file: RequestFile, from message: inout MessageBuffer, sendFlags: SendFlags = [], _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        message.ensureOwn()
        let header = unsafe message.readyToSend()
        unsafe try prepareSendMessageZeroCopy(file, from: header, sendFlags: sendFlags, flags, token: token)
        message.lend(to: token, forReceive: false)
    }

    /// Queues a send of a message in memory of the caller's, without a copy of its bytes (`io_uring_prep_sendmsg_zc(3)`).
    ///
    /// Unsafe: the header and all that it points to must live, and nobody may change them, until the notification came.
    @unsafe @inlinable public mutating func prepareSendMessageZeroCopy(
        _ file: RequestFile, from header: UnsafePointer<msghdr>, sendFlags: SendFlags = [], _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_sendmsg_zc(
            entry, file.number, header, UInt32(bitPattern: sendFlags.message | noSignal))
        unsafe entry.pointee.ioprio = sendFlags.request
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }
}

extension Completion {
    /// True of the second completion of a zero-copy send, after which its memory is free (`IORING_CQE_F_NOTIF`). Its
    /// result is no number of bytes.
    @inlinable public var isNotification: Bool { flags.contains(.notification) }

    /// What a notification says when ``SendFlags/reportUsage`` asked for it (Linux 6.2): true if the kernel has copied at
    /// least a part after all (`IORING_NOTIF_USAGE_ZC_COPIED`). If that is always so, a plain send is cheaper.
    @inlinable public var wasCopied: Bool { isNotification && result < 0 }
}
