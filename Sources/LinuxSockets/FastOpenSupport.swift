import Glibc
import LinuxDescriptors
public import SystemPackage

/// Which side of a TCP connection may use fast open here: the parameter `net.ipv4.tcp_fastopen` of the network namespace
/// (`tcp(7)`), which as a rule allows it to clients alone.
@frozen public struct FastOpenSupport: OptionSet, Sendable, Hashable {
    /// The parameter as the kernel has it.
    public let rawValue: Int

    /// Takes the parameter as the kernel has it.
    @inlinable public init(rawValue: Int) { self.rawValue = rawValue }

    /// ``SocketOption/fastOpenConnect`` works.
    @inlinable public static var client: Self { Self(rawValue: 1) }
    /// ``SocketOption/fastOpen(queue:)`` works.
    @inlinable public static var server: Self { Self(rawValue: 2) }

    /// What is allowed in the network namespace of the calling thread.
    ///
    /// - Throws: what opening `/proc/sys/net/ipv4/tcp_fastopen` says: `ENOENT` before Linux 3.6 and without `/proc`.
    public static func current() throws(Errno) -> FastOpenSupport {
        let number = try systemCall { unsafe open("/proc/sys/net/ipv4/tcp_fastopen", O_RDONLY | O_CLOEXEC) }
        let file = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        var text = [UInt8](repeating: 0, count: 32)
        let count = try systemCall { unsafe read(number, &text, text.count) }
        try file.close()
        let digits = text.prefix(count).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return FastOpenSupport(rawValue: digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }
}
