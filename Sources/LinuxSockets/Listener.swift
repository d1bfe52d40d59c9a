public import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// A listening stream socket: TCP or unix.
///
/// Any number of threads may accept from it at once.
@frozen public struct Listener: DescriptorOwner, ~Copyable, Sendable {
    @usableFromInline let owned: OwnedDescriptor

    /// Takes over a socket that listens already, for example one inherited from a supervisor.
    @inlinable public init(owning descriptor: consuming OwnedDescriptor) {
        owned = descriptor
    }

    /// Creates a nonblocking socket, sets the options, binds and listens.
    ///
    /// - Parameters:
    ///   - address: where to listen. The file of a unix socket is made, and is left behind in the end.
    ///   - backlog: see ``StreamSocket/listen(backlog:)``.
    ///   - options: what to set before binding. Of a unix socket `SO_REUSEADDR` means nothing.
    /// - Throws: the error of the step that failed; ``StreamSocket`` takes the steps one by one and lists them.
    public init(
        _ address: SocketAddress, backlog: Int = 4096, _ options: [SocketOption] = [.reuseAddress]
    ) throws(Errno) {
        let socket = try StreamSocket(for: address, .nonblocking)
        for option in options { try setSocketOption(option, on: socket.descriptor) }
        try socket.bind(to: address)
        self = try socket.listen(backlog: backlog)
    }

    /// The descriptor, borrowed.
    @inlinable public var descriptor: BorrowedDescriptor { owned.descriptor }

    /// Gives the descriptor away.
    @inlinable public consuming func release() -> OwnedDescriptor {
        owned
    }

    /// Where it listens; with the port that the kernel chose if 0 was asked for (`getsockname(2)`).
    public var address: SocketAddress {
        get throws(Errno) { try SocketAddress.local(of: owned.descriptor) }
    }

    /// Takes the next connection: see ``acceptConnection(from:_:)``.
    @inlinable public func accept(_ options: AcceptOptions = [.nonblocking]) throws(Errno) -> Connection? {
        try acceptConnection(from: owned.descriptor, options)
    }

    /// Takes the next connection and tells where it comes from: see ``acceptConnection(from:_:peer:)``.
    public func accept(
        _ options: AcceptOptions = [.nonblocking], peer: inout SocketAddress?
    ) throws(Errno) -> Connection? {
        try acceptConnection(from: owned.descriptor, options, peer: &peer)
    }

    /// Stops listening and wakes threads that wait in `accept4(2)`, whose calls fail with `EINVAL`
    /// (`shutdown(2)` on a listener). The descriptor stays open.
    public func stopAccepting() throws(Errno) {
        let number = owned.descriptor.rawValue
        _ = try systemCall { shutdown(number, CInt(SHUT_RD)) }
    }

    /// Closes the socket. Connections that nobody accepted are reset.
    public consuming func close() throws(Errno) {
        try owned.close()
    }
}

/// The `flags` of `accept4(2)`. Close-on-exec is always set.
@frozen public struct AcceptOptions: OptionSet, Sendable {
    /// The flags as the kernel has them.
    public let rawValue: CInt

    /// Takes the flags as the kernel has them.
    @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

    /// `SOCK_NONBLOCK`: the accepted connection does not wait.
    @inlinable public static var nonblocking: Self { Self(rawValue: CInt(SOCK_NONBLOCK.rawValue)) }
}

/// Takes the next connection from a listener that somebody else owns (`accept4(2)`).
///
/// - Returns: nil if the listener is nonblocking and none is waiting.
/// - Throws: `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`, which last until something was closed (`Errno.isShortage`);
///   `ECONNABORTED`, `EPROTO`, `EPERM` and the like of one connection (`Errno.isOfOneConnection`); `EINVAL` when the
///   listener was shut down.
@inlinable @inline(__always)
public func acceptConnection(
    from listener: BorrowedDescriptor, _ options: AcceptOptions = [.nonblocking]
) throws(Errno) -> Connection? {
    let flags = options.rawValue | CInt(SOCK_CLOEXEC.rawValue)
    let number = try nonblockingSystemCall { accept4(listener.rawValue, nil, nil, flags) }
    guard let number else { return nil }
    return Connection(owning: OwnedDescriptor(owning: FileDescriptor(rawValue: number)))
}

/// Like ``acceptConnection(from:_:)``, and tells where the connection comes from.
///
/// That is known even of a peer that is gone already, of whom ``Connection/peerAddress`` says `ENOTCONN`.
///
/// - Parameters:
///   - listener: where to take the connection from, borrowed.
///   - options: what the connection is to be.
///   - peer: set to the peer's address when there is a connection, and left alone otherwise. The client of a unix
///     listener is ``SocketAddress/unixUnnamed`` as a rule.
public func acceptConnection(
    from listener: BorrowedDescriptor, _ options: AcceptOptions = [.nonblocking], peer: inout SocketAddress?
) throws(Errno) -> Connection? {
    let flags = options.rawValue | CInt(SOCK_CLOEXEC.rawValue)
    var address = SocketAddress.unixUnnamed
    let number = try nonblockingSystemCall {
        let (result, found) = unsafe SocketAddress.reading { unsafe accept4(listener.rawValue, $0, $1, flags) }
        address = found
        return result
    }
    guard let number else { return nil }
    peer = address
    return Connection(owning: OwnedDescriptor(owning: FileDescriptor(rawValue: number)))
}
