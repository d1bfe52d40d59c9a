public import CIOUring
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Queues one read into memory that must live until the completion came (`io_uring_prep_read(3)`), from the
    /// file's position if it has one. The result is the number of bytes, 0 at the end of the file.
    ///
    /// One read moves at most 2 147 479 552 bytes, and more are not asked for.
    ///
    /// - Throws: `EINVAL` for memory without room, whose 0 could not be told from the end of the file, and what
    ///   ``submit()`` throws when the queue was full.
    @unsafe @inlinable public mutating func prepareRead(
        _ descriptor: BorrowedDescriptor, into memory: UnsafeMutableRawBufferPointer, _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        let count = try transferCount(memory.count, least: 1)
        let entry = unsafe try nextEntry(token)
        // An offset of -1 is the file's own position; pipes and eventfds have none.
        unsafe io_uring_prep_read(
            entry, descriptor.rawValue, memory.baseAddress, UInt32(truncatingIfNeeded: count), .max)
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues one read into a buffer that the kernel picks from a group when data is there (`io_uring_prep_read(3)`,
    /// `IOSQE_BUFFER_SELECT`): of a pipe, a terminal, a file. The result is the number of bytes, at most what a buffer
    /// of the group holds; 0 at the end, for which no buffer may have been used (``Completion/bufferIdentifier``).
    /// Without a free buffer it fails with `ENOBUFS`.
    ///
    /// - Parameters:
    ///   - file: what is read.
    ///   - group: the group's number in this ring.
    ///   - offset: where in the file, in bytes; nil for the position that it has, and for what has none.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: `EINVAL` for an offset below 0, and what ``submit()`` throws when the queue was full.
    @inlinable public mutating func prepareRead(
        _ file: RequestFile, from group: UInt16, at offset: Int64? = nil, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let position = try filePosition(offset)
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_read(entry, file.number, nil, 0, position)
        unsafe entry.pointee.flags = flags.rawValue | file.flags | C_IOSQE_BUFFER_SELECT
        unsafe entry.pointee.buf_group = group
        unsafe entry.pointee.user_data = token
    }
}

/// An offset as the kernel takes it: all ones are the file's own position.
@inlinable @inline(__always) func filePosition(_ offset: Int64?) throws(Errno) -> UInt64 {
    guard let offset else { return .max }
    if offset < 0 { throw .invalidArgument }
    return UInt64(offset)
}
