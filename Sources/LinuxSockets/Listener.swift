public import CSocketExtras
public import LinuxDescriptors
public import SystemPackage

/// A listening TCP socket.
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
    /// - Throws: the error of the step that failed; ``StreamSocket`` takes the steps one by one.
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
/// - Throws: `ECONNABORTED`, `EMFILE`, `ENFILE`; `EINVAL` when the listener was shut down.
@inlinable @inline(__always)
public func acceptConnection(
    from listener: BorrowedDescriptor, _ options: AcceptOptions = [.nonblocking]
) throws(Errno) -> Connection? {
    let flags = options.rawValue | CInt(SOCK_CLOEXEC.rawValue)
    let number = try nonblockingSystemCall { accept4(listener.rawValue, nil, nil, flags) }
    guard let number else { return nil }
    return Connection(owning: OwnedDescriptor(owning: FileDescriptor(rawValue: number)))
}
