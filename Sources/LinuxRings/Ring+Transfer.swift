public import CIOUring
import Glibc
public import SystemPackage

extension Ring {
    /// Queues one receive into memory that must live until the completion came (`io_uring_prep_recv(3)`). The result
    /// is the number of bytes, 0 after the peer's last one.
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - memory: where the bytes go.
    ///   - count: how many fit; one receive moves at most 2 147 479 552, and more are not asked for.
    ///   - receiveFlags: how it is received.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: `EINVAL` for a count below 1, whose 0 could not be told from the peer's end, and what
    ///   ``submit()`` throws when the queue was full.
    @unsafe @inlinable public mutating func prepareReceive(
        _ file: RequestFile, into memory: UnsafeMutableRawPointer, count: Int, receiveFlags: ReceiveFlags = [],
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let count = try transferCount(count, least: 1)
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_recv(entry, file.number, memory, count, receiveFlags.message)
        unsafe entry.pointee.ioprio = receiveFlags.request
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }

    /// Queues one receive into a buffer that the kernel picks from a group when data is there
    /// (`IOSQE_BUFFER_SELECT`). Without a free one it fails with `ENOBUFS`.
    @inlinable public mutating func prepareReceive(
        _ file: RequestFile, from group: UInt16, receiveFlags: ReceiveFlags = [], _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_recv(entry, file.number, nil, 0, receiveFlags.message)
        unsafe entry.pointee.ioprio = receiveFlags.request
        unsafe entry.pointee.flags = flags.rawValue | file.flags | C_IOSQE_BUFFER_SELECT
        unsafe entry.pointee.buf_group = group
        unsafe entry.pointee.user_data = token
    }

    /// Queues a receive that completes for every arrival, each in a buffer of the group, until it ends
    /// (`io_uring_prep_recv_multishot(3)`, Linux 6.0). It ends with `ENOBUFS` when no buffer is free: arm it again
    /// after one was given back, not before. With ``ReceiveFlags/waitAll`` it fails with `EINVAL`.
    @inlinable public mutating func prepareMultishotReceive(
        _ file: RequestFile, from group: UInt16, receiveFlags: ReceiveFlags = [], _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_recv_multishot(entry, file.number, nil, 0, receiveFlags.message)
        unsafe entry.pointee.ioprio |= receiveFlags.request
        unsafe entry.pointee.flags = flags.rawValue | file.flags | C_IOSQE_BUFFER_SELECT
        unsafe entry.pointee.buf_group = group
        unsafe entry.pointee.user_data = token
    }

    /// Queues a send of memory that must live until the completion came (`io_uring_prep_send(3)`). The result is the
    /// number of bytes taken, which may be fewer; to a peer that is gone it is `EPIPE`, without a signal.
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - memory: where the bytes are.
    ///   - count: how many; one send moves at most 2 147 479 552, and more are not asked for.
    ///   - sendFlags: how it is sent.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: `EINVAL` for a count below 0, and what ``submit()`` throws when the queue was full.
    @unsafe @inlinable public mutating func prepareSend(
        _ file: RequestFile, from memory: UnsafeRawPointer, count: Int, sendFlags: SendFlags = [],
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let count = try transferCount(count, least: 0)
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_send(entry, file.number, memory, count, sendFlags.message | noSignal)
        unsafe entry.pointee.ioprio = sendFlags.request
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }
}

/// A send to a peer that is gone fails instead of killing the process.
@usableFromInline let noSignal = CInt(MSG_NOSIGNAL)
