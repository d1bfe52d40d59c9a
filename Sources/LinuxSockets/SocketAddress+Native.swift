import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

extension SocketAddress {
    /// The address that a socket has (`getsockname(2)`).
    ///
    /// - Throws: `EBADF`, `ENOTSOCK`.
    public static func local(of socket: BorrowedDescriptor) throws(Errno) -> SocketAddress {
        try unsafe ask { unsafe getsockname(socket.rawValue, $0, $1) }
    }

    /// The address of a connected socket's peer (`getpeername(2)`).
    ///
    /// - Throws: `ENOTCONN` before the connection is made and after it was reset; `EBADF`, `ENOTSOCK`.
    public static func peer(of socket: BorrowedDescriptor) throws(Errno) -> SocketAddress {
        try unsafe ask { unsafe getpeername(socket.rawValue, $0, $1) }
    }

    private static func ask(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) throws(Errno) -> SocketAddress {
        let (result, address) = unsafe reading(call)
        if result < 0 { throw Errno(rawValue: errno) }
        return address
    }

    /// Gives a call room for an address, and reads what it left there. The address means nothing if the call failed.
    static func reading(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> (result: CInt, address: SocketAddress) {
        var native = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &native) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call($0, &length) }
        }
        guard result >= 0 else { return (result, .unixUnnamed) }
        return unsafe withUnsafeBytes(of: native) {
            // The kernel says how long the address is, not how much of it had room.
            (result, unsafe SocketAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(length)))))
        }
    }

    /// Reads an address as the kernel writes it; what is too short for its family is none of that family.
    init(_ native: UnsafeRawBufferPointer) {
        let size = MemoryLayout<sa_family_t>.size
        guard native.count >= size else {
            self.init(storage: .other(family: sa_family_t(AF_UNSPEC), []))
            return
        }
        let family = unsafe native.loadUnaligned(as: sa_family_t.self)
        switch CInt(family) {
        case AF_INET where native.count >= MemoryLayout<sockaddr_in>.size:
            let v4 = unsafe native.loadUnaligned(as: sockaddr_in.self)
            let address = UInt32(bigEndian: v4.sin_addr.s_addr)
            self.init(storage: .v4(address: address, port: UInt16(bigEndian: v4.sin_port)))
        case AF_INET6 where native.count >= MemoryLayout<sockaddr_in6>.size:
            let v6 = unsafe native.loadUnaligned(as: sockaddr_in6.self)
            let port = UInt16(bigEndian: v6.sin6_port)
            self.init(storage: .v6(address: IPv6Bytes(v6.sin6_addr), port: port, scope: v6.sin6_scope_id))
        case AF_UNIX:
            self.init(storage: unixName(unsafe Array(native.dropFirst(size))))
        default:
            self.init(storage: .other(family: family, unsafe Array(native.dropFirst(size))))
        }
    }

    /// Calls `body` with the address as the socket calls want it.
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var native = sockaddr_storage()
        let length = unsafe withUnsafeMutableBytes(of: &native) { unsafe write(into: $0) }
        return unsafe withUnsafePointer(to: native) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(length)) }
        }
    }

    /// Writes the address as the kernel reads it, into zeroed memory, and returns its length.
    private func write(into memory: UnsafeMutableRawBufferPointer) -> Int {
        switch storage {
        case .v4(let address, let port):
            var native = sockaddr_in()
            native.sin_family = sa_family_t(AF_INET)
            native.sin_port = port.bigEndian
            native.sin_addr.s_addr = address.bigEndian
            unsafe memory.storeBytes(of: native, as: sockaddr_in.self)
            return MemoryLayout<sockaddr_in>.size
        case .v6(let address, let port, let scope):
            var native = sockaddr_in6()
            native.sin6_family = sa_family_t(AF_INET6)
            native.sin6_port = port.bigEndian
            native.sin6_addr = address.native
            native.sin6_scope_id = scope
            unsafe memory.storeBytes(of: native, as: sockaddr_in6.self)
            return MemoryLayout<sockaddr_in6>.size
        // A path that fills all of sun_path, as another program may have bound it, has no zero after it.
        case .unixPath(let path): return unsafe write(sa_family_t(AF_UNIX), (path + [0]).prefix(108), into: memory)
        case .unixAbstract(let name): return unsafe write(sa_family_t(AF_UNIX), ([0] + name)[...], into: memory)
        case .unixUnnamed: return unsafe write(sa_family_t(AF_UNIX), [], into: memory)
        case .other(let family, let bytes): return unsafe write(family, bytes[...], into: memory)
        }
    }

    private func write(
        _ family: sa_family_t, _ bytes: ArraySlice<UInt8>, into memory: UnsafeMutableRawBufferPointer
    ) -> Int {
        let size = MemoryLayout<sa_family_t>.size
        unsafe memory.storeBytes(of: family, as: sa_family_t.self)
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory.dropFirst(size)).copyBytes(from: bytes)
        return size + bytes.count
    }
}

extension SocketAddress: SockaddrConvertible {
    /// Calls `body` with the address as a `sockaddr`.
    public func withSockaddr<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var native = sockaddr_storage()
        let length = unsafe withUnsafeMutableBytes(of: &native) { unsafe write(into: $0) }
        return try unsafe withUnsafeBytes(of: native) { (bytes) throws(Failure) -> Result in
            try unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes.prefix(length))))
        }
    }

    /// Reads a `sockaddr`: what is too short for its family, or of another one, is kept as it is and shown as
    /// ``description`` says.
    public init(sockaddr: RawSpan) {
        self = unsafe sockaddr.withUnsafeBytes { unsafe SocketAddress($0) }
    }
}

/// What `sun_path` holds (`unix(7)`, "Address format").
private func unixName(_ bytes: [UInt8]) -> SocketAddress.Storage {
    guard let first = bytes.first else { return .unixUnnamed }
    return first == 0 ? .unixAbstract(Array(bytes.dropFirst())) : .unixPath(Array(bytes.prefix { $0 != 0 }))
}
