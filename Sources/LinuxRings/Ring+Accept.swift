public import CIOUring
import Glibc
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Queues one accept (`io_uring_prep_accept(3)`). The result is a descriptor, which the caller then owns.
    @inlinable public mutating func prepareAccept(
        on listener: BorrowedDescriptor, nonblocking: Bool = false, token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_accept(entry, listener.rawValue, nil, nil, acceptFlags(nonblocking))
        unsafe entry.pointee.user_data = token
    }

    /// Queues an accept that completes once for each connection until it ends
    /// (`io_uring_prep_multishot_accept(3)`, Linux 5.19). Each result is a descriptor, which the caller then owns.
    @inlinable public mutating func prepareMultishotAccept(
        on listener: BorrowedDescriptor, nonblocking: Bool = false, token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_multishot_accept(entry, listener.rawValue, nil, nil, acceptFlags(nonblocking))
        unsafe entry.pointee.user_data = token
    }

    /// Like ``prepareMultishotAccept(on:nonblocking:token:)`` into the ring's own file table, which must have slots
    /// (``registerFileSlots(count:)``). Each result is a slot; without a free one the request ends with `ENFILE`, and
    /// the connection that it had taken already is closed.
    @inlinable public mutating func prepareMultishotAcceptDirect(
        on listener: BorrowedDescriptor, token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_multishot_accept_direct(entry, listener.rawValue, nil, nil, 0)
        unsafe entry.pointee.user_data = token
    }
}

/// `SOCK_CLOEXEC` and `SOCK_NONBLOCK`, which Glibc imports as an enumeration.
@usableFromInline func acceptFlags(_ nonblocking: Bool) -> CInt {
    CInt(SOCK_CLOEXEC.rawValue) | (nonblocking ? CInt(SOCK_NONBLOCK.rawValue) : 0)
}
