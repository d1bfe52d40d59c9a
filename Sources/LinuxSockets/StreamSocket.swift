import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// A stream socket, TCP or unix, that is neither listening nor connected yet.
///
/// The steps `socket(2)`, `setsockopt(2)`, `bind(2)`, `listen(2)` or `connect(2)` are separate so that a caller can
/// say which of them failed; ``Listener/init(_:backlog:_:)`` takes them all at once.
public struct StreamSocket: ~Copyable, Sendable {
    let owned: OwnedDescriptor

    /// `SOCK_NONBLOCK` or not. Close-on-exec is always set.
    public enum Blocking: Sendable {
        /// Calls wait.
        case blocking
        /// Calls that would wait return nil or fail with `EAGAIN`.
        case nonblocking
    }

    /// Creates a socket for the address's family (`socket(2)`).
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `EAFNOSUPPORT`, `ENOBUFS`.
    public init(for address: SocketAddress, _ blocking: Blocking) throws(Errno) {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | blocking.flag
        let number = try systemCall { socket(address.family, kind, 0) }
        owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    /// The descriptor, borrowed.
    public var descriptor: BorrowedDescriptor { owned.descriptor }

    /// Where the socket is bound (`getsockname(2)`): port 0 or ``SocketAddress/unixUnnamed`` before that.
    public var localAddress: SocketAddress {
        get throws(Errno) { try SocketAddress.local(of: owned.descriptor) }
    }

    /// Gives the socket an address (`bind(2)`).
    ///
    /// - Throws: `EADDRINUSE`, for a unix path also when the file is one that a closed socket left; `EADDRNOTAVAIL`,
    ///   `EACCES`; `EINVAL` for a link-local address without a scope; `EAFNOSUPPORT` or `EINVAL` for an address of
    ///   another family than the socket's; `ENOENT`, `ENOTDIR`, `EROFS` for the folder of a unix path.
    public func bind(to address: SocketAddress) throws(Errno) {
        let number = owned.descriptor.rawValue
        _ = try systemCall { unsafe address.withSocketAddress { unsafe Glibc.bind(number, $0, $1) } }
    }

    /// Starts listening (`listen(2)`).
    ///
    /// - Parameter backlog: how many connections may wait to be accepted, and one more. The kernel cuts it to
    ///   `net.core.somaxconn` without a word.
    /// - Throws: `EADDRINUSE`; `EINVAL` for a unix socket that is not bound, and for a negative backlog, which the kernel
    ///   would take for the largest.
    public consuming func listen(backlog: Int) throws(Errno) -> Listener {
        guard backlog >= 0 else { throw .invalidArgument }
        let number = owned.descriptor.rawValue
        _ = try systemCall { Glibc.listen(number, CInt(clamping: backlog)) }
        return Listener(owning: owned)
    }

    /// Connects (`connect(2)`). A blocking socket is connected when this returns, signals or not; the kernel's own limit
    /// (`net.ipv4.tcp_syn_retries`) ends the wait for a peer that does not answer, and nothing ends that for room in a
    /// unix listener's queue. A nonblocking TCP socket is connected or under way.
    ///
    /// - Throws: `ECONNREFUSED`, for a unix path also when nobody listens at the file that is there; `EADDRNOTAVAIL` when
    ///   the ephemeral ports are used up; `ETIMEDOUT`, `ENETUNREACH`, `EHOSTUNREACH`; `EINVAL` for a link-local address
    ///   without a scope; `EAFNOSUPPORT` or `EINVAL` for an address of another family than the socket's; for a unix
    ///   address `ENOENT`, `EACCES`, and of a nonblocking socket `EAGAIN` when the listener's queue is full: nothing is
    ///   under way then.
    public consuming func connect(to address: SocketAddress) throws(Errno) -> Connection {
        let number = owned.descriptor.rawValue
        while unsafe address.withSocketAddress({ unsafe Glibc.connect(number, $0, $1) }) != 0 {
            let error = errno
            if error == EINPROGRESS { break }
            guard error == EINTR else { throw Errno(rawValue: error) }
            // An interrupted connect of TCP goes on, and calling it again would say EALREADY; one of a unix socket does
            // not.
            if address.family != AF_UNIX {
                try waitUntilConnected()
                break
            }
        }
        return Connection(owning: owned)
    }

    private func waitUntilConnected() throws(Errno) {
        var entry = pollfd(fd: owned.descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        _ = try systemCall { unsafe poll(&entry, 1, -1) }
        if let error = try takeSocketError(of: owned.descriptor) { throw error }
    }
}

extension StreamSocket.Blocking {
    var flag: CInt {
        switch self {
        case .blocking: 0
        case .nonblocking: CInt(SOCK_NONBLOCK.rawValue)
        }
    }
}
