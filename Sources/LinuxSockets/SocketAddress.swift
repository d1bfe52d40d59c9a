import CSocketExtras
import Glibc
public import SystemPackage

/// Where a socket is, connects or sends to: an IPv4 or IPv6 address with a port, or the name of a unix socket
/// (`ip(7)`, `ipv6(7)`, `unix(7)`).
public struct SocketAddress: Sendable, Hashable {
    enum Storage: Sendable, Hashable {
        case v4(address: UInt32, port: UInt16)
        case v6(address: IPv6Bytes, port: UInt16, scope: UInt32)
        case unixPath([UInt8])
        case unixAbstract([UInt8])
        case unixUnnamed
        /// What this library does not know, as the kernel gave it, after the family.
        case other(family: sa_family_t, [UInt8])
    }

    let storage: Storage

    init(storage: Storage) {
        self.storage = storage
    }

    // MARK: Internet

    /// 127.0.0.1 with a port; 0 lets the kernel choose one.
    public static func loopback(port: UInt16 = 0) -> SocketAddress {
        SocketAddress(storage: .v4(address: 0x7f00_0001, port: port))
    }

    /// ::1 with a port; 0 lets the kernel choose one.
    public static func loopback6(port: UInt16 = 0) -> SocketAddress {
        SocketAddress(storage: .v6(address: IPv6Bytes(high: 0, low: 1), port: port, scope: 0))
    }

    // MARK: Unix

    /// A unix socket in the file system.
    ///
    /// Binding makes the file, and closing leaves it: who binds again removes it first (`unlink(2)`), or gets
    /// `EADDRINUSE`.
    ///
    /// - Throws: `ENAMETOOLONG` for more than 107 bytes, which is what `sun_path` holds beside its final zero (a shorter
    ///   way to the file is relative to the working directory); `EINVAL` for an empty path or one with a zero in it.
    public static func unix(path: String) throws(Errno) -> SocketAddress {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, !bytes.contains(0) else { throw .invalidArgument }
        guard bytes.count <= longestUnixName else { throw .fileNameTooLong }
        return SocketAddress(storage: .unixPath(bytes))
    }

    /// A unix socket in Linux's abstract namespace, which has no file, belongs to the network namespace, and is free again
    /// when its socket is closed. The name may hold any bytes, zeros too.
    ///
    /// - Throws: `ENAMETOOLONG` for more than 107 bytes.
    public static func unix(abstractName name: [UInt8]) throws(Errno) -> SocketAddress {
        guard name.count <= longestUnixName else { throw .fileNameTooLong }
        return SocketAddress(storage: .unixAbstract(name))
    }

    /// A unix socket in the abstract namespace whose name is the bytes of a text.
    ///
    /// - Throws: `ENAMETOOLONG` for more than 107 bytes.
    public static func unix(abstractName name: String) throws(Errno) -> SocketAddress {
        try unix(abstractName: Array(name.utf8))
    }

    /// The address of a unix socket that has no name, such as most clients. Binding to it lets the kernel choose an
    /// abstract name, as port 0 lets it choose a port.
    public static var unixUnnamed: SocketAddress { SocketAddress(storage: .unixUnnamed) }

    // MARK: Parts

    /// The port; nil of what has none, such as a unix socket.
    public var port: UInt16? {
        switch storage {
        case .v4(_, let port), .v6(_, let port, _): port
        case .unixPath, .unixAbstract, .unixUnnamed, .other: nil
        }
    }

    /// The interface that a link-local IPv6 address belongs to, by its index (`if_nametoindex(3)`); 0 if none is named.
    public var scope: UInt32 {
        if case .v6(_, _, let scope) = storage { scope } else { 0 }
    }

    /// `AF_INET`, `AF_INET6` or `AF_UNIX`; any other of an address that a socket of another kind had.
    public var family: CInt {
        switch storage {
        case .v4: AF_INET
        case .v6: AF_INET6
        case .unixPath, .unixAbstract, .unixUnnamed: AF_UNIX
        case .other(let family, _): CInt(family)
        }
    }

    /// The path of a unix socket in the file system; nil of any other, and of a path that is not UTF-8.
    public var unixPath: String? {
        if case .unixPath(let bytes) = storage { String(validating: bytes, as: UTF8.self) } else { nil }
    }

    /// The name of a unix socket in the abstract namespace, without the zero before it; nil of any other.
    public var abstractName: [UInt8]? {
        if case .unixAbstract(let bytes) = storage { bytes } else { nil }
    }
}

/// The 16 bytes of an IPv6 address, as two numbers so that an address needs no memory of its own.
struct IPv6Bytes: Sendable, Hashable {
    let high: UInt64
    let low: UInt64
}

/// What `sun_path` holds beside a final zero, or beside the zero before an abstract name.
private let longestUnixName = 107
