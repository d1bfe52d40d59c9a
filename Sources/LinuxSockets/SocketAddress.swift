import Glibc
import LinuxDescriptors
import SystemPackage

/// An IPv4 or IPv6 address with a port: what `bind(2)` and `connect(2)` take.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    enum Storage: Sendable, Hashable {
        case v4(address: UInt32, port: UInt16)
        case v6(address: [UInt8], port: UInt16, scope: UInt32)
    }

    let storage: Storage

    init(storage: Storage) {
        self.storage = storage
    }

    /// 127.0.0.1 with a port; 0 lets the kernel choose one.
    public static func loopback(port: UInt16 = 0) -> SocketAddress {
        SocketAddress(storage: .v4(address: loopbackAddress, port: port))
    }

    /// ::1 with a port; 0 lets the kernel choose one.
    public static func loopback6(port: UInt16 = 0) -> SocketAddress {
        SocketAddress(storage: .v6(address: [UInt8](repeating: 0, count: 15) + [1], port: port, scope: 0))
    }

    /// Reads a numeric address, `192.0.2.1` or `2001:db8::1`; nil for anything else, names included.
    public init?(numeric text: String, port: UInt16) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            storage = .v4(address: UInt32(bigEndian: v4.s_addr), port: port)
        } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
            storage = .v6(address: unsafe withUnsafeBytes(of: v6) { unsafe Array($0) }, port: port, scope: 0)
        } else {
            return nil
        }
    }

    /// The port.
    public var port: UInt16 {
        switch storage {
        case .v4(_, let port): port
        case .v6(_, let port, _): port
        }
    }

    /// `AF_INET` or `AF_INET6`.
    public var family: CInt {
        switch storage {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }

    /// `127.0.0.1:80` or `[::1]:80`.
    public var description: String {
        switch storage {
        case .v4(let address, let port):
            let bytes = [24, 16, 8, 0].map { String((address >> $0) & 0xff) }
            return bytes.joined(separator: ".") + ":\(port)"
        case .v6(let address, let port, _):
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            unsafe inet_ntop(AF_INET6, address, &text, socklen_t(INET6_ADDRSTRLEN))
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return "[" + String(decoding: bytes, as: UTF8.self) + "]:\(port)"
        }
    }

    /// Calls `body` with the address as the socket calls want it.
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch storage {
        case .v4(let address, let port):
            var native = sockaddr_in()
            native.sin_family = sa_family_t(AF_INET)
            native.sin_port = port.bigEndian
            native.sin_addr.s_addr = address.bigEndian
            return unsafe withUnsafePointer(to: native) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .v6(let address, let port, let scope):
            var native = sockaddr_in6()
            native.sin6_family = sa_family_t(AF_INET6)
            native.sin6_port = port.bigEndian
            native.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &native.sin6_addr) { unsafe $0.copyBytes(from: address) }
            return unsafe withUnsafePointer(to: native) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    /// What `getsockname(2)` says of a bound socket.
    static func local(of socket: BorrowedDescriptor) throws(Errno) -> SocketAddress {
        var native = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &native) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(socket.rawValue, $0, &length)
            }
        }
        if result != 0 { throw Errno(rawValue: errno) }
        return unsafe withUnsafeBytes(of: native) { bytes in
            if CInt(native.ss_family) == AF_INET6 {
                let v6 = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
                let address = unsafe withUnsafeBytes(of: v6.sin6_addr) { unsafe Array($0) }
                return SocketAddress(
                    storage: .v6(address: address, port: UInt16(bigEndian: v6.sin6_port), scope: v6.sin6_scope_id))
            }
            let v4 = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
            return SocketAddress(
                storage: .v4(address: UInt32(bigEndian: v4.sin_addr.s_addr), port: UInt16(bigEndian: v4.sin_port)))
        }
    }
}

private let loopbackAddress: UInt32 = 0x7f00_0001
