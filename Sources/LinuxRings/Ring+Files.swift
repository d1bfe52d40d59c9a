import CIOUring
public import LinuxDescriptors
public import SystemPackage

/// The ring's own file table (`io_uring_register_files(3)`).
extension Ring {
    /// Gives the ring a file table of its own with `count` empty slots, for direct accepts
    /// (`io_uring_register(2)`, `IORING_REGISTER_FILES2`, Linux 5.19).
    ///
    /// - Throws: `EBUSY` when it has one already, `EINVAL` for none and before Linux 5.19, `EMFILE` for more than
    ///   `RLIMIT_NOFILE` or 1 048 576, `ENOMEM`.
    public mutating func registerFileSlots(count: UInt32) throws(Errno) {
        let result = unsafe io_uring_register_files_sparse(&ring, count)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    /// Puts a file into a slot of the ring's own table, in place of what is there
    /// (`io_uring_register_files_update(3)`). The caller's descriptor can be closed afterwards.
    ///
    /// - Throws: `ENXIO` without a table, `EINVAL` for a slot beyond it, `EOVERFLOW` for the largest number of all,
    ///   `EBADF` for a descriptor that is not open, or that is a ring.
    public mutating func registerFile(_ descriptor: BorrowedDescriptor, slot: Slot) throws(Errno) {
        // -1 and -2 would mean something else to the kernel: empty the slot, or skip it.
        guard descriptor.rawValue >= 0 else { throw .badFileDescriptor }
        try update(slot, descriptor.rawValue)
    }

    /// Closes what is in a slot of the ring's own table; an empty one stays so.
    ///
    /// - Throws: `ENXIO` without a table, `EINVAL` for a slot beyond it, `EOVERFLOW` for the largest number of all.
    public mutating func emptySlot(_ slot: Slot) throws(Errno) {
        try update(slot, -1)
    }

    private mutating func update(_ slot: Slot, _ number: CInt) throws(Errno) {
        var number = number
        let result = unsafe io_uring_register_files_update(&ring, slot.index, &number, 1)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}
