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
}
