public import CIOUring
import Glibc
public import SystemPackage

/// The ring's own table of buffers (`io_uring_register_buffers(3)`).
extension Ring {
    /// Gives the ring a table with all buffers, in slots of the same numbers.
    ///
    /// - Throws: `EBUSY` when it has a table already; `ENOMEM`, also beyond `RLIMIT_MEMLOCK`, which counts without the
    ///   privilege `CAP_IPC_LOCK`.
    public mutating func registerBuffers(_ buffers: borrowing RegisteredBuffers) throws(Errno) {
        var vectors: [iovec] = unsafe []
        for index in 0..<buffers.count { unsafe vectors.append(buffers.vector(index)) }
        let count = UInt32(buffers.count)
        let result = unsafe vectors.withUnsafeBufferPointer {
            unsafe io_uring_register_buffers(&ring, $0.baseAddress, count)
        }
        if result < 0 { throw Errno(rawValue: -result) }
    }

    /// Gives the ring a table with one buffer: the whole memory of a group, the headroom included, so that what was
    /// received can be sent from where it is with ``prepareSendZeroCopy(_:from:sendFlags:_:token:)``.
    ///
    /// - Returns: the buffer, of which ``RegisteredBuffer/extracting(_:)`` names a part: offsets are those from
    ///   ``BufferGroup/start``.
    /// - Throws: `ENOENT` for a group that is not registered with this ring (``register(_:)-(BufferGroup)``), which keeps its
    ///   memory; `EBUSY` when the ring has a table already; `EFAULT` for more than a gibibyte; `ENOMEM`, also beyond
    ///   `RLIMIT_MEMLOCK`, which counts without the privilege `CAP_IPC_LOCK`.
    public mutating func registerMemory(of group: borrowing BufferGroup) throws(Errno) -> RegisteredBuffer {
        guard groups.isKept(group.memory, as: group.identifier) else { throw .noSuchFileOrDirectory }
        let bytes = group.count * (group.headroom + group.bytes)
        var vector = unsafe iovec(iov_base: group.start, iov_len: .init(bytes))
        let result = unsafe io_uring_register_buffers(&ring, &vector, 1)
        if result < 0 { throw Errno(rawValue: -result) }
        return RegisteredBuffer(address: UInt(bitPattern: unsafe group.start), count: bytes, slot: 0)
    }

    /// Gives the ring a table with `count` empty slots, to be filled one after the other
    /// (`io_uring_register_buffers_sparse(3)`, Linux 5.19).
    ///
    /// - Throws: `EBUSY` when it has a table already, `EINVAL` for none, for more than 16 384, and before Linux 5.19.
    public mutating func registerBufferSlots(count: UInt32) throws(Errno) {
        let result = unsafe io_uring_register_buffers_sparse(&ring, count)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    /// Puts a buffer into a slot, in place of what is there (`io_uring_register_buffers_update_tag(3)`, Linux 5.13).
    /// Requests that work on the old one go on with it.
    ///
    /// - Parameters:
    ///   - index: the buffer.
    ///   - buffers: whose it is.
    ///   - slot: where it goes.
    ///   - token: if given, a completion with it tells that the buffer was taken out of the slot again and that no
    ///     request works on it any more.
    /// - Throws: `ENXIO` without a table, `EINVAL` for a slot beyond it, `ENOMEM`.
    /// - Precondition: there is such a buffer; the token is not 0, and below ``firstReservedToken``.
    public mutating func registerBuffer(
        _ index: Int, of buffers: borrowing RegisteredBuffers, slot: UInt16, token: UInt64? = nil
    ) throws(Errno) {
        precondition(token != 0 && token ?? 0 < Self.firstReservedToken, "0, or a token that the ring has reserved")
        precondition((0..<buffers.count).contains(index), "a buffer that there is not")
        unsafe try update(slot, buffers.vector(index), token ?? 0)
    }

    /// Takes a buffer out of its slot; an empty one stays so.
    ///
    /// - Throws: `ENXIO` without a table, `EINVAL` for a slot beyond it.
    public mutating func emptyBufferSlot(_ slot: UInt16) throws(Errno) {
        unsafe try update(slot, iovec(iov_base: nil, iov_len: 0), 0)
    }

    /// Takes the whole table from the ring (`io_uring_unregister_buffers(3)`). Requests that work on its buffers go on.
    ///
    /// - Throws: `ENXIO` without a table.
    public mutating func unregisterBuffers() throws(Errno) {
        let result = unsafe io_uring_unregister_buffers(&ring)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    @unsafe private mutating func update(_ slot: UInt16, _ vector: iovec, _ tag: UInt64) throws(Errno) {
        var (vector, tag) = unsafe (vector, tag)
        let result = unsafe io_uring_register_buffers_update_tag(&ring, UInt32(slot), &vector, &tag, 1)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    // MARK: Requests

    /// Queues one read into a registered buffer (`io_uring_prep_read_fixed(3)`). The result is the number of bytes, 0 at
    /// the end of the file; `EFAULT` when the buffer is not what is registered in its slot.
    ///
    /// - Parameters:
    ///   - file: what is read: a file, a pipe, a socket.
    ///   - buffer: where the bytes go, a whole buffer or a part.
    ///   - offset: where in the file, in bytes; nil for the position that it has, and for what has none.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: `EINVAL` for an offset below 0 and for a part of no bytes, and what ``submit()`` throws when the queue
    ///   was full.
    @inlinable public mutating func prepareReadFixed(
        _ file: RequestFile, into buffer: RegisteredBuffer, at offset: Int64? = nil, _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        let position = try filePosition(offset)
        let count = try transferCount(buffer.count, least: 1)
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_read_fixed(
            entry, file.number, UnsafeMutableRawPointer(bitPattern: buffer.address),
            UInt32(truncatingIfNeeded: count), position, CInt(buffer.slot))
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }

    /// Queues one write of a registered buffer (`io_uring_prep_write_fixed(3)`). The result is the number of bytes taken,
    /// which may be fewer; `EFAULT` when the buffer is not what is registered in its slot. To a pipe or a socket whose
    /// other end is gone it is `EPIPE`.
    ///
    /// - Parameters:
    ///   - file: what is written to.
    ///   - buffer: what is written, a whole buffer or a part.
    ///   - offset: where in the file, in bytes; nil for the position that it has, and for what has none.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: `EINVAL` for an offset below 0, and what ``submit()`` throws when the queue was full.
    @inlinable public mutating func prepareWriteFixed(
        _ file: RequestFile, from buffer: RegisteredBuffer, at offset: Int64? = nil, _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        let position = try filePosition(offset)
        let count = try transferCount(buffer.count, least: 0)
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_write_fixed(
            entry, file.number, UnsafeRawPointer(bitPattern: buffer.address), UInt32(truncatingIfNeeded: count),
            position, CInt(buffer.slot))
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }
}
