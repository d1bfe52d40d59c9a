import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// A connected stream socket: TCP or unix.
@frozen public struct Connection: DescriptorOwner, ~Copyable, Sendable {
    @usableFromInline let owned: OwnedDescriptor

    /// Takes over a connected socket.
    @inlinable public init(owning descriptor: consuming OwnedDescriptor) {
        owned = descriptor
    }

    /// The descriptor, borrowed.
    @inlinable public var descriptor: BorrowedDescriptor { owned.descriptor }

    /// Gives the descriptor away.
    @inlinable public consuming func release() -> OwnedDescriptor {
        owned
    }

    /// Where this end is (`getsockname(2)`).
    public var localAddress: SocketAddress {
        get throws(Errno) { try SocketAddress.local(of: owned.descriptor) }
    }

    /// Where the peer is (`getpeername(2)`).
    ///
    /// - Throws: `ENOTCONN` while connecting and after a reset. A server that must know learns it as it accepts:
    ///   ``Listener/accept(_:peer:)``.
    public var peerAddress: SocketAddress {
        get throws(Errno) { try SocketAddress.peer(of: owned.descriptor) }
    }

    /// Reads what has arrived, at most what fits (`recv(2)`).
    ///
    /// - Returns: the number of bytes, 0 after the peer's last byte, nil if nonblocking and nothing is there.
    /// - Throws: `ECONNRESET`, `ETIMEDOUT`; `EINVAL` for `bytes` without room, whose 0 could not be told from the peer's
    ///   end.
    @inlinable public func receive(into bytes: inout MutableRawSpan) throws(Errno) -> Int? {
        try owned.descriptor.receive(into: &bytes)
    }

    /// Sends as much as the socket's buffer takes, without a `SIGPIPE` (`send(2)`, `MSG_NOSIGNAL`).
    ///
    /// - Returns: the number of bytes taken, nil if nonblocking and the buffer is full.
    /// - Throws: `EPIPE`, `ECONNRESET`.
    @inlinable public func send(_ bytes: RawSpan) throws(Errno) -> Int? {
        try owned.descriptor.send(bytes)
    }

    /// Says that nothing more will be sent (`shutdown(2)`, `SHUT_WR`).
    ///
    /// - Throws: `ENOTCONN`.
    public func finishSending() throws(Errno) { try shutDown(CInt(SHUT_WR)) }

    /// Says that nothing more will be received (`shutdown(2)`, `SHUT_RD`), which ends a ``receive(into:)`` that waits in
    /// another thread. What has arrived can be received still, and then 0 is.
    ///
    /// A unix peer that goes on sending gets `EPIPE`. A TCP peer is told nothing, and what it sends arrives as before.
    ///
    /// - Throws: `ENOTCONN`.
    public func finishReceiving() throws(Errno) { try shutDown(CInt(SHUT_RD)) }

    /// Ends both directions (`shutdown(2)`, `SHUT_RDWR`) of this socket and all its duplicates, and every call that waits
    /// on it in other threads. The descriptor stays open.
    ///
    /// - Throws: `ENOTCONN`.
    public func finish() throws(Errno) { try shutDown(CInt(SHUT_RDWR)) }

    private func shutDown(_ how: CInt) throws(Errno) {
        let number = owned.descriptor.rawValue
        _ = try systemCall { shutdown(number, how) }
    }

    /// Closes the connection and reports what `close(2)` said.
    @inlinable public consuming func close() throws(Errno) {
        try owned.close()
    }
}
