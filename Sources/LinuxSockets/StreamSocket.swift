import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// A TCP socket that is neither listening nor connected yet.
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

    /// Gives the socket an address (`bind(2)`).
    ///
    /// - Throws: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`.
    public func bind(to address: SocketAddress) throws(Errno) {
        let number = owned.descriptor.rawValue
        _ = try systemCall { unsafe address.withSocketAddress { unsafe Glibc.bind(number, $0, $1) } }
    }

    /// Starts listening (`listen(2)`). The kernel cuts `backlog` to `net.core.somaxconn` without a word.
    ///
    /// - Throws: `EADDRINUSE`.
    public consuming func listen(backlog: Int) throws(Errno) -> Listener {
        let number = owned.descriptor.rawValue
        _ = try systemCall { Glibc.listen(number, CInt(clamping: backlog)) }
        return Listener(owning: owned)
    }

    /// Connects (`connect(2)`); a nonblocking socket is connected or under way when this returns.
    ///
    /// - Throws: `ECONNREFUSED`, `EADDRNOTAVAIL` when the ephemeral ports are used up, `ETIMEDOUT`.
    public consuming func connect(to address: SocketAddress) throws(Errno) -> Connection {
        let number = owned.descriptor.rawValue
        let result = unsafe address.withSocketAddress { unsafe Glibc.connect(number, $0, $1) }
        // An interrupted connect goes on in the background; calling it again would say EALREADY.
        if result != 0 && errno != EINPROGRESS && errno != EINTR { throw Errno(rawValue: errno) }
        return Connection(owning: owned)
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
