import CIOUring
public import SystemPackage

/// The ring in its thread's own table of rings (`io_uring_register_ring_fd(3)`, Linux 5.18).
extension Ring {
    /// Saves each enter of this thread the look-up of the descriptor, which costs something in a process of many threads
    /// (`IORING_REGISTER_RING_FDS`). A thread has room for 16 rings.
    ///
    /// The place belongs to the calling thread: from here on only that thread may enter the ring, or it would enter
    /// another that happens to have the same place in its own table.
    ///
    /// - Throws: `EEXIST` of a ring that is registered, `EBUSY` when all places are taken, `EINVAL` before Linux 5.18.
    public mutating func registerDescriptor() throws(Errno) {
        if registrant != nil { throw .fileExists }
        let result = unsafe io_uring_register_ring_fd(&ring)
        if result < 0 { throw Errno(rawValue: -result) }
        registrant = c_io_uring_thread()
    }

    /// Ends what ``registerDescriptor()`` began, on the same thread.
    ///
    /// - Throws: `EINVAL` of a ring that is not registered, or that another thread registered.
    public mutating func unregisterDescriptor() throws(Errno) {
        guard registrant == c_io_uring_thread() else { throw .invalidArgument }
        let result = unsafe io_uring_unregister_ring_fd(&ring)
        if result < 0 { throw Errno(rawValue: -result) }
        registrant = nil
    }

    /// Lets liburing use the descriptor again, and leave this thread's table alone, which has another ring in that place.
    @unsafe static func forgetRegistration(_ ring: inout io_uring) {
        unsafe ring.enter_ring_fd = ring.ring_fd
        unsafe ring.int_flags = 0
    }
}
