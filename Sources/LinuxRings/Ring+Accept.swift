public import CIOUring
import Glibc
public import LinuxDescriptors
public import SystemPackage

extension Ring {
    /// Queues one accept (`io_uring_prep_accept(3)`, Linux 5.5). The result is a descriptor, which the caller then owns.
    @inlinable public mutating func prepareAccept(
        on listener: BorrowedDescriptor, nonblocking: Bool = false, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_accept(entry, listener.rawValue, nil, nil, acceptFlags(nonblocking))
        unsafe entry.pointee.flags = flags.rawValue
        unsafe entry.pointee.user_data = token
    }

    /// Queues one accept on a descriptor or a slot, into a descriptor or a slot (`io_uring_prep_accept_direct(3)`,
    /// Linux 5.15; ``FileDestination/anySlot`` Linux 5.19).
    ///
    /// Before Linux 5.15 the kernel does not look at the destination and makes a descriptor. The result is `ENXIO`
    /// without a table, `EINVAL` for a slot beyond it, `ENFILE` when no slot is free; the connection that was taken
    /// is closed then.
    ///
    /// - Throws: `EINVAL` for the two largest slots of all.
    @inlinable public mutating func prepareAccept(
        on listener: RequestFile, into destination: FileDestination = .descriptor, nonblocking: Bool = false,
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let index = try destination.index()
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_accept(entry, listener.number, nil, nil, destination.flags(nonblocking))
        unsafe entry.pointee.file_index = index
        unsafe entry.pointee.flags = flags.rawValue | listener.flags
        unsafe entry.pointee.user_data = token
    }

    /// Queues one accept that also tells where the connection comes from (`accept(2)`): in `peer`, which must live until
    /// the completion came, and be read when it did.
    ///
    /// ```swift
    /// let peer = AddressBuffer()
    /// unsafe try ring.prepareAccept(on: .descriptor(listener), peer: peer, token: 1)
    /// try ring.submitAndWait()
    /// let connection = try ring.nextCompletion()?.takeDescriptor()
    /// print(peer.address(as: SocketAddress.self))
    /// ```
    ///
    /// A multishot accept has no such form: the kernel would write every address into the same memory, the next before
    /// the last was read. `SocketAddress.peer(of:)` of `LinuxSockets` asks for the address of a descriptor.
    @unsafe @inlinable public mutating func prepareAccept(
        on listener: RequestFile, into destination: FileDestination = .descriptor, peer: borrowing AddressBuffer,
        nonblocking: Bool = false, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let index = try destination.index()
        let entry = unsafe try nextEntry(token)
        peer.makeReady()
        unsafe io_uring_prep_accept(
            entry, listener.number, peer.address, peer.length, destination.flags(nonblocking))
        unsafe entry.pointee.file_index = index
        unsafe entry.pointee.flags = flags.rawValue | listener.flags
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

    /// Like ``prepareMultishotAccept(on:nonblocking:token:)`` on a slot of the ring, or into slots of the ring.
    ///
    /// - Throws: `EINVAL` for one given slot, which every connection would push the last one out of.
    @inlinable public mutating func prepareMultishotAccept(
        on listener: RequestFile, into destination: FileDestination = .descriptor, nonblocking: Bool = false,
        token: UInt64
    ) throws(Errno) {
        if case .slot = destination { throw .invalidArgument }
        let index = try destination.index()
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_multishot_accept(
            entry, listener.number, nil, nil, destination.flags(nonblocking))
        unsafe entry.pointee.file_index = index
        unsafe entry.pointee.flags = listener.flags
        unsafe entry.pointee.user_data = token
    }
}

/// `SOCK_CLOEXEC` and `SOCK_NONBLOCK`, which Glibc imports as an enumeration.
@usableFromInline func acceptFlags(_ nonblocking: Bool) -> CInt {
    CInt(SOCK_CLOEXEC.rawValue) | (nonblocking ? CInt(SOCK_NONBLOCK.rawValue) : 0)
}
