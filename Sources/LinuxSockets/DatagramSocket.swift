import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// A datagram socket: UDP or unix (`udp(7)`, `unix(7)`).
///
/// ```swift
/// let socket = try DatagramSocket(boundTo: .loopback())
/// var bytes = [UInt8](repeating: 0, count: 65_536)
/// var span = bytes.mutableSpan
/// var room = span.mutableBytes
/// var peer: SocketAddress?
/// if let datagram = try socket.receive(into: &room, from: &peer), let peer {
///     _ = try socket.send(bytes.span.bytes.extracting(0..<datagram.count), to: peer)
/// }
/// ```
///
/// - A call receives or sends one datagram, whole or, on receiving, cut to the room that there is: see
///   ``ReceivedDatagram``. An empty datagram is one like any other.
/// - UDP loses datagrams without a word, those too that find no room at the receiver. Unix sockets wait for room there.
/// - An error may be that of an earlier datagram: of a connected UDP socket `ECONNREFUSED` says that nobody received it.
///   The next call goes on.
///
/// All operations but the end of life may be called by several threads at once.
@frozen public struct DatagramSocket: DescriptorOwner, ~Copyable, Sendable {
    @usableFromInline let owned: OwnedDescriptor

    /// Takes over a datagram socket.
    @inlinable public init(owning descriptor: consuming OwnedDescriptor) {
        owned = descriptor
    }

    /// Creates a socket for an address's family, which is neither bound nor connected (`socket(2)`).
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `EAFNOSUPPORT`, `ENOBUFS`.
    public init(for address: SocketAddress, _ blocking: StreamSocket.Blocking = .nonblocking) throws(Errno) {
        let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | blocking.flag
        let number = try systemCall { socket(address.family, kind, 0) }
        owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Creates a socket, sets the options and binds it.
    ///
    /// - Parameters:
    ///   - address: where to receive. The file of a unix socket is made, and is left behind in the end.
    ///   - blocking: whether calls wait.
    ///   - options: what to set before binding.
    /// - Throws: the error of the step that failed.
    public init(
        boundTo address: SocketAddress, _ blocking: StreamSocket.Blocking = .nonblocking,
        _ options: [SocketOption] = []
    ) throws(Errno) {
        let socket = try DatagramSocket(for: address, blocking)
        for option in options { try setSocketOption(option, on: socket.descriptor) }
        try socket.bind(to: address)
        self = socket
    }

    /// The descriptor, borrowed.
    @inlinable public var descriptor: BorrowedDescriptor { owned.descriptor }

    /// Gives the descriptor away.
    @inlinable public consuming func release() -> OwnedDescriptor {
        owned
    }

    /// Where the socket is bound (`getsockname(2)`): port 0 or ``SocketAddress/unixUnnamed`` before that. UDP is bound to a
    /// port of the kernel's choice when it first sends or is connected.
    public var localAddress: SocketAddress {
        get throws(Errno) { try SocketAddress.local(of: owned.descriptor) }
    }

    /// Where it is connected to (`getpeername(2)`).
    ///
    /// - Throws: `ENOTCONN`.
    public var peerAddress: SocketAddress {
        get throws(Errno) { try SocketAddress.peer(of: owned.descriptor) }
    }

    /// Gives the socket an address (`bind(2)`).
    ///
    /// - Throws: what ``StreamSocket/bind(to:)`` throws.
    public func bind(to address: SocketAddress) throws(Errno) {
        let number = owned.descriptor.rawValue
        _ = try systemCall { unsafe address.withSocketAddress { unsafe Glibc.bind(number, $0, $1) } }
    }

    /// Says where datagrams go that name no address, and lets none in from elsewhere (`connect(2)`). Nothing is sent, so it
    /// succeeds at once whoever is there. Datagrams that are waiting already stay.
    ///
    /// - Throws: `EACCES` for a broadcast address; `ENETUNREACH`; `EAFNOSUPPORT` or `EINVAL` for an address of another
    ///   family; of a unix path `ENOENT`, `ECONNREFUSED` when no socket is bound to it, `EPROTOTYPE` when it is no datagram
    ///   socket's, `EPERM` when that one is connected to somebody else.
    public func connect(to address: SocketAddress) throws(Errno) {
        let number = owned.descriptor.rawValue
        _ = try systemCall { unsafe address.withSocketAddress { unsafe Glibc.connect(number, $0, $1) } }
    }

    /// Undoes ``connect(to:)`` (`connect(2)`, `AF_UNSPEC`). A UDP port that the kernel chose is given up, one that was asked
    /// for stays.
    public func disconnect() throws(Errno) {
        let number = owned.descriptor.rawValue
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        _ = try systemCall { unsafe Glibc.connect(number, &nowhere, socklen_t(MemoryLayout<sockaddr>.size)) }
    }

    /// The error that is pending on the socket, which reading it clears; nil if there is none (`SO_ERROR`).
    public func takeError() throws(Errno) -> Errno? { try takeSocketError(of: owned.descriptor) }

    /// Closes the socket and reports what `close(2)` said.
    public consuming func close() throws(Errno) {
        try owned.close()
    }
}
