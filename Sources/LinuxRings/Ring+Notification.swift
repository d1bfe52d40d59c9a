import CIOUring
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Adds 1 to an eventfd whenever a completion is posted (`io_uring_register_eventfd(3)`), so that an epoll loop,
    /// or another thread, can wait for this ring among other things.
    ///
    /// The count is a hint, not the number of completions: take all completions that are ready after each wake. With
    /// ``RingSetup/deferTaskRun`` completions are posted only in an enter that asks for them, and the eventfd tells
    /// that there is work to be done in one: enter with ``submitAndWait(for:)`` before looking for completions.
    ///
    /// - Parameter descriptor: an eventfd, of which the ring keeps a reference of its own.
    /// - Throws: `EBUSY` when one is registered already, `EINVAL` for a descriptor that is not an eventfd.
    public mutating func registerEventFD(_ descriptor: BorrowedDescriptor) throws(Errno) {
        let result = unsafe io_uring_register_eventfd(&ring, descriptor.rawValue)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    /// Ends what ``registerEventFD(_:)`` began.
    ///
    /// - Throws: `ENXIO` when none is registered.
    public mutating func unregisterEventFD() throws(Errno) {
        let result = unsafe io_uring_unregister_eventfd(&ring)
        if result < 0 { throw Errno(rawValue: -result) }
    }
}
