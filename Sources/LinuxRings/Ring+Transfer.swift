public import CIOUring
import Glibc
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Queues one receive into memory that must live until the completion came (`io_uring_prep_recv(3)`). The result
    /// is the number of bytes, 0 after the peer's last one.
    @unsafe @inlinable public mutating func prepareReceive(
        _ descriptor: CInt, into memory: UnsafeMutableRawPointer, count: Int, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_recv(entry, descriptor, memory, count, 0)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues one receive into a buffer that the kernel picks from a group when data is there
    /// (`IOSQE_BUFFER_SELECT`). Without a free one it fails with `ENOBUFS`.
    @inlinable public mutating func prepareReceive(
        _ descriptor: CInt, from group: UInt16, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_recv(entry, descriptor, nil, 0, 0)
        unsafe entry.pointee.flags = flags.union(.bufferSelect).rawValue
        unsafe entry.pointee.buf_group = group
        unsafe entry.pointee.user_data = token
    }

    /// Queues a receive that completes for every arrival, each in a buffer of the group, until it ends
    /// (`io_uring_prep_recv_multishot(3)`, Linux 6.0). It ends with `ENOBUFS` when no buffer is free.
    @inlinable public mutating func prepareMultishotReceive(
        _ descriptor: CInt, from group: UInt16, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_recv_multishot(entry, descriptor, nil, 0, 0)
        unsafe entry.pointee.flags = flags.union(.bufferSelect).rawValue
        unsafe entry.pointee.buf_group = group
        unsafe entry.pointee.user_data = token
    }

    /// Queues a send of memory that must live until the completion came (`io_uring_prep_send(3)`). The result is the
    /// number of bytes taken, which may be fewer.
    @unsafe @inlinable public mutating func prepareSend(
        _ descriptor: CInt, from memory: UnsafeRawPointer, count: Int, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_send(entry, descriptor, memory, count, noSignal)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Puts a file into a slot of the ring's own table (`io_uring_register_files_update(3)`). The caller's descriptor
    /// can be closed afterwards.
    public mutating func registerFile(_ descriptor: BorrowedDescriptor, slot: UInt32) throws(Errno) {
        var number = descriptor.rawValue
        let result = unsafe io_uring_register_files_update(&ring, slot, &number, 1)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}

/// A send to a peer that is gone fails instead of killing the process.
@usableFromInline let noSignal = CInt(MSG_NOSIGNAL)
