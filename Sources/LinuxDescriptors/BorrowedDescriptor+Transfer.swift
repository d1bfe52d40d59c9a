public import CSocketExtras
public import Glibc
public import SystemPackage

extension BorrowedDescriptor {
    /// Reads what has arrived at a socket, at most what fits (`recv(2)`).
    ///
    /// - Parameters:
    ///   - bytes: where they go.
    ///   - waiting: false for not waiting even if the socket is a blocking one (`MSG_DONTWAIT`).
    /// - Returns: the number of bytes, 0 after the peer's last byte, nil if nothing is there and it does not wait.
    /// - Throws: `ECONNRESET`, `ETIMEDOUT`, `ENOTSOCK`; `EINVAL` for `bytes` without room, whose 0 could not be told
    ///   from the peer's end.
    @inlinable public func receive(into bytes: inout MutableRawSpan, waiting: Bool = true) throws(Errno) -> Int? {
        guard !bytes.isEmpty else { throw .invalidArgument }
        let number = rawValue
        let flags = waiting ? 0 : CInt(MSG_DONTWAIT)
        return try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(Errno) -> Int? in
            try nonblockingSystemCall { unsafe recv(number, buffer.baseAddress, buffer.count, flags) }
        }
    }

    /// Sends as much as the socket's buffer takes, without a `SIGPIPE` (`send(2)`, `MSG_NOSIGNAL`).
    ///
    /// - Parameters:
    ///   - bytes: what to send.
    ///   - waiting: false for not waiting even if the socket is a blocking one (`MSG_DONTWAIT`).
    /// - Returns: the number of bytes taken, which may be fewer than given; nil if the buffer is full and it does not
    ///   wait. What was not taken is to be sent again when the socket is writable.
    /// - Throws: `EPIPE`, `ECONNRESET`, `ENOTSOCK`.
    @inlinable public func send(_ bytes: RawSpan, waiting: Bool = true) throws(Errno) -> Int? {
        let number = rawValue
        let flags = CInt(MSG_NOSIGNAL) | (waiting ? 0 : CInt(MSG_DONTWAIT))
        return try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) -> Int? in
            try nonblockingSystemCall {
                unsafe Glibc.send(number, buffer.baseAddress, buffer.count, flags)
            }
        }
    }

    /// Reads from a file, a pipe, a terminal, a timer: whatever is no socket (`read(2)`), at most what fits.
    ///
    /// - Returns: the number of bytes, 0 at the end, nil if nonblocking and nothing is there.
    /// - Throws: `EBADF`, also of a descriptor that is open for writing only; `EIO`; `EISDIR`; `EINVAL` for `bytes`
    ///   without room, whose 0 could not be told from the end.
    @inlinable public func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int? {
        guard !bytes.isEmpty else { throw .invalidArgument }
        let number = rawValue
        return try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(Errno) -> Int? in
            try nonblockingSystemCall { unsafe Glibc.read(number, buffer.baseAddress, buffer.count) }
        }
    }

    /// Writes to a file, a pipe, a terminal: whatever is no socket (`write(2)`).
    ///
    /// A pipe that nobody reads any more ends the process with `SIGPIPE`, unless it ignores the signal.
    ///
    /// - Returns: the number of bytes taken, which may be fewer than given; nil if nonblocking and there is no room.
    /// - Throws: `EBADF`, also of a descriptor that is open for reading only; `EPIPE`, `ENOSPC`, `EIO`.
    @inlinable public func write(_ bytes: RawSpan) throws(Errno) -> Int? {
        let number = rawValue
        return try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) -> Int? in
            try nonblockingSystemCall { unsafe Glibc.write(number, buffer.baseAddress, buffer.count) }
        }
    }
}
