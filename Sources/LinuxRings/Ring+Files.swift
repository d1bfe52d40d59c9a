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

    /// Puts files into slots in a row, in place of what is there (`io_uring_register_files_update(3)`, Linux 5.5).
    ///
    /// - Returns: how many were put there: a descriptor that is not open ends it.
    /// - Throws: what ``registerFile(_:slot:)`` throws, if not even the first could be put there; `EINVAL` for more than
    ///   there are slots, before any was.
    public mutating func registerFiles(
        _ descriptors: [BorrowedDescriptor], from first: Slot
    ) throws(Errno) -> Int {
        if descriptors.isEmpty { throw .invalidArgument }
        let numbers = descriptors.map(\.rawValue)
        // -1 and -2 would mean something else to the kernel: empty the slot, or skip it.
        let usable = numbers.prefix { $0 >= 0 }
        if usable.isEmpty { throw .badFileDescriptor }
        let result = unsafe usable.withUnsafeBufferPointer {
            unsafe io_uring_register_files_update(&ring, first.index, $0.baseAddress, UInt32($0.count))
        }
        if result < 0 { throw Errno(rawValue: -result) }
        return Int(result)
    }

    /// Says which slots the kernel gives out by itself, to direct accepts (`io_uring_register_file_alloc_range(3)`,
    /// Linux 6.0); all if this is never said. The others are for ``registerFile(_:slot:)`` alone.
    ///
    /// - Throws: `EOVERFLOW` and `EINVAL` for slots beyond the table, `EINVAL` before Linux 6.0.
    public mutating func setAutomaticSlots(_ slots: Range<UInt32>) throws(Errno) {
        let count = slots.upperBound - slots.lowerBound
        let result = unsafe io_uring_register_file_alloc_range(&ring, slots.lowerBound, count)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    /// Takes the file table from the ring and closes what is in it (`io_uring_unregister_files(3)`). Requests that work on
    /// a slot go on.
    ///
    /// - Throws: `ENXIO` without a table.
    public mutating func unregisterFileSlots() throws(Errno) {
        let result = unsafe io_uring_unregister_files(&ring)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    private mutating func update(_ slot: Slot, _ number: CInt) throws(Errno) {
        var number = number
        let result = unsafe io_uring_register_files_update(&ring, slot.index, &number, 1)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}
