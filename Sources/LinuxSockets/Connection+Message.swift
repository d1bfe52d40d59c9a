import CSocketExtras
import Glibc
import LinuxDescriptors
public import SystemPackage

/// Transfers with options, and those of several pieces of memory by one call: `recvmsg(2)`, `sendmsg(2)`.
extension Connection {
    /// Reads what has arrived as the options say: without taking it, or all of the room at once (`recv(2)`).
    ///
    /// ```swift
    /// // A header of 16 bytes from a blocking socket; fewer say that the peer has ended.
    /// let count = try connection.receive(into: &header, options: .waitAll)
    /// ```
    ///
    /// - Returns: the number of bytes, 0 after the peer's last byte, nil if nothing is there and it does not wait.
    /// - Throws: what ``receive(into:)`` throws. An error that comes after some bytes is thrown by the next call.
    public func receive(
        into bytes: inout MutableRawSpan, options: ReceiveOptions
    ) throws(Errno) -> Int? {
        guard !bytes.isEmpty else { throw .invalidArgument }
        let number = owned.descriptor.rawValue
        return try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(Errno) -> Int? in
            try nonblockingSystemCall { unsafe recv(number, buffer.baseAddress, buffer.count, options.rawValue) }
        }
    }

    /// Reads into two pieces of memory, of which the second takes what does not fit the first: a buffer that begins anew at
    /// its end, say.
    ///
    /// - Returns: the number of bytes in both, 0 after the peer's last byte, nil if nothing is there and it does not wait.
    /// - Throws: what ``receive(into:)`` throws; `EINVAL` if neither has room.
    public func receive(
        into first: inout MutableRawSpan, _ second: inout MutableRawSpan, options: ReceiveOptions = []
    ) throws(Errno) -> Int? {
        var parts = unsafe MessageParts(&first, &second)
        guard unsafe parts.byteCount > 0 else { throw .invalidArgument }
        return try unsafe parts.receive(from: owned.descriptor, options.rawValue)
    }

    /// Reads into three pieces of memory, one after the other.
    public func receive(
        into first: inout MutableRawSpan, _ second: inout MutableRawSpan, _ third: inout MutableRawSpan,
        options: ReceiveOptions = []
    ) throws(Errno) -> Int? {
        var parts = unsafe MessageParts(&first, &second, &third)
        guard unsafe parts.byteCount > 0 else { throw .invalidArgument }
        return try unsafe parts.receive(from: owned.descriptor, options.rawValue)
    }

    /// Sends as the options say, as much as the socket's buffer takes.
    ///
    /// - Returns: the number of bytes taken; nil if the buffer is full and it does not wait.
    /// - Throws: what ``send(_:)`` throws.
    public func send(_ bytes: RawSpan, options: SendOptions) throws(Errno) -> Int? {
        let number = owned.descriptor.rawValue
        let flags = options.rawValue | CInt(MSG_NOSIGNAL)
        return try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) -> Int? in
            try nonblockingSystemCall { unsafe Glibc.send(number, buffer.baseAddress, buffer.count, flags) }
        }
    }

    /// Sends two pieces of memory, one after the other: a header and what it is of, say.
    ///
    /// - Returns: the number of bytes taken of both, which may end within either; nil if the buffer is full and it does not
    ///   wait.
    /// - Throws: what ``send(_:)`` throws.
    public func send(_ first: RawSpan, _ second: RawSpan, options: SendOptions = []) throws(Errno) -> Int? {
        var parts = unsafe MessageParts(first, second)
        return try unsafe parts.send(to: owned.descriptor, options.rawValue)
    }

    /// Sends three pieces of memory, one after the other.
    public func send(
        _ first: RawSpan, _ second: RawSpan, _ third: RawSpan, options: SendOptions = []
    ) throws(Errno) -> Int? {
        var parts = unsafe MessageParts(first, second, third)
        return try unsafe parts.send(to: owned.descriptor, options.rawValue)
    }
}
