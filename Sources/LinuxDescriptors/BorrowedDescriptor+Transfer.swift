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
}
