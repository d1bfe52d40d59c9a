public import CIOUring
public import LinuxDescriptors
public import SystemPackage

/// Requests that take an address, and what else makes a socket ready. The ring copies the address: nothing has to live
/// on but the descriptor.
extension Ring {
    /// Queues a connect (`io_uring_prep_connect(3)`, `connect(2)`, Linux 5.5). The request completes when the connection
    /// is made, whether or not the socket is a nonblocking one.
    ///
    /// ```swift
    /// let socket = try StreamSocket(for: address, .blocking)
    /// try ring.prepareConnect(.descriptor(socket.descriptor), to: address, token: 1)
    /// ```
    ///
    /// The result is 0, or `ECONNREFUSED`, `ETIMEDOUT`, `EISCONN` and whatever else `connect(2)` says; `EALREADY` while
    /// another connect of the socket is under way. To limit its time see ``prepareLinkTimeout(_:clock:_:token:)``.
    ///
    /// - Throws: `EINVAL` for an address of more than 128 bytes, which the kernel has none of.
    @inlinable public mutating func prepareConnect(
        _ file: RequestFile, to address: some SockaddrConvertible, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        try address.withSockaddr { (bytes) throws(Errno) in
            try prepareConnect(file, toSockaddr: bytes, flags, token: token)
        }
    }

    /// Like ``prepareConnect(_:to:_:token:)`` with the bytes of a `sockaddr`.
    @inlinable public mutating func prepareConnect(
        _ file: RequestFile, toSockaddr bytes: RawSpan, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token, copying: bytes)
        let address = unsafe cell(entry).assumingMemoryBound(to: sockaddr.self)
        unsafe io_uring_prep_connect(entry, file.number, address, socklen_t(truncatingIfNeeded: bytes.byteCount))
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }

    /// Queues a bind (`io_uring_prep_bind(3)`, `bind(2)`, `IORING_OP_BIND`, Linux 6.11).
    ///
    /// The result is 0, or `EADDRINUSE`, `EACCES` and whatever else `bind(2)` says. Before Linux 6.11 it is `EINVAL`
    /// (``RingCapabilities/bindAndListen``).
    ///
    /// - Throws: `EINVAL` for an address of more than 128 bytes.
    @inlinable public mutating func prepareBind(
        _ file: RequestFile, to address: some SockaddrConvertible, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        try address.withSockaddr { (bytes) throws(Errno) in
            try prepareBind(file, toSockaddr: bytes, flags, token: token)
        }
    }

    /// Like ``prepareBind(_:to:_:token:)`` with the bytes of a `sockaddr`.
    @inlinable public mutating func prepareBind(
        _ file: RequestFile, toSockaddr bytes: RawSpan, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token, copying: bytes)
        // As in a connect, the length stands where other requests have an offset.
        unsafe io_uring_prep_rw(
            CInt(C_IORING_OP_BIND), entry, file.number, cell(entry), 0, UInt64(bytes.byteCount))
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }

    /// Queues a listen (`io_uring_prep_listen(3)`, `listen(2)`, `IORING_OP_LISTEN`, Linux 6.11).
    ///
    /// The result is 0, or `EADDRINUSE`, `EOPNOTSUPP` and whatever else `listen(2)` says. Before Linux 6.11 it is `EINVAL`
    /// (``RingCapabilities/bindAndListen``).
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - backlog: how many connections may wait to be accepted, and one more. The kernel cuts it to
    ///     `net.core.somaxconn` without a word.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries.
    /// - Throws: `EINVAL` for a negative backlog, which the kernel would take for the largest.
    @inlinable public mutating func prepareListen(
        _ file: RequestFile, backlog: Int, _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        if backlog < 0 { throw .invalidArgument }
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_rw(CInt(C_IORING_OP_LISTEN), entry, file.number, nil, UInt32(clamping: backlog), 0)
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }

    /// The next free submission with a copy of an address beside it.
    @unsafe @usableFromInline
    mutating func nextEntry(
        _ token: UInt64, copying address: RawSpan
    ) throws(Errno) -> UnsafeMutablePointer<io_uring_sqe> {
        if address.byteCount > SubmissionMemory.cellBytes { throw .invalidArgument }
        let entry = unsafe try nextEntry(token)
        let memory = unsafe UnsafeMutableRawBufferPointer(start: cell(entry), count: SubmissionMemory.cellBytes)
        unsafe address.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        return unsafe entry
    }
}
