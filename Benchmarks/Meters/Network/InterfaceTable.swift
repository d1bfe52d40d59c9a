import CSocketExtras
import Glibc
package import LinuxSockets

/// The interfaces of the calling thread's network namespace and their addresses (`getifaddrs(3)`).
package struct InterfaceTable: Sendable, Equatable {
    /// One interface.
    package struct Interface: Sendable, Equatable {
        package var name: String
        /// Someone brought it up (`IFF_UP`).
        package var isUp = false
        /// `IFF_LOOPBACK`.
        package var isLoopback = false
        /// Its addresses as text, without a port.
        package var hosts: [String] = []
    }

    /// In the kernel's order.
    package var interfaces: [Interface]

    /// Takes what is known.
    package init(_ interfaces: [Interface]) { self.interfaces = interfaces }

    /// Reads them now; empty where that cannot be done.
    package static func read() -> InterfaceTable {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&first) == 0 else { return InterfaceTable([]) }
        defer { unsafe freeifaddrs(first) }
        var table = InterfaceTable([])
        var next = unsafe first
        while let entry = unsafe next {
            let name = unsafe String(cString: entry.pointee.ifa_name)
            // IFF_UP and IFF_LOOPBACK of <net/if.h>, which Swift imports with a type of its own.
            let flags = unsafe entry.pointee.ifa_flags
            unsafe table.add(name, isUp: flags & 0x1 != 0, isLoopback: flags & 0x8 != 0, host(entry.pointee.ifa_addr))
            unsafe next = entry.pointee.ifa_next
        }
        return table
    }

    private mutating func add(_ name: String, isUp: Bool, isLoopback: Bool, _ host: String?) {
        let known = interfaces.firstIndex { $0.name == name }
        if known == nil { interfaces.append(Interface(name: name, isUp: isUp, isLoopback: isLoopback)) }
        if let host { interfaces[known ?? interfaces.count - 1].hosts.append(host) }
    }

    private static func host(_ address: UnsafeMutablePointer<sockaddr>?) -> String? {
        guard let address = unsafe address else { return nil }
        let bytes: Int
        switch unsafe CInt(address.pointee.sa_family) {
        case AF_INET: bytes = MemoryLayout<sockaddr_in>.size
        case AF_INET6: bytes = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        return unsafe SocketAddress(sockaddr: RawSpan(_unsafeStart: address, byteCount: bytes)).host
    }

    /// The interface over which what is sent to an address goes: loopback, where that is one of the addresses here. A
    /// datagram socket is connected to ask for the route, which sends nothing (`udp(7)`).
    package func interface(reaching address: SocketAddress) -> Interface? {
        guard let port = address.port else { return nil }
        let loopback = interfaces.first(where: \.isLoopback)
        if address.isLoopback || interfaces.contains(where: { $0.hosts.contains(address.host) }) { return loopback }
        // Port 0 cannot be connected to everywhere; 9 discards what it gets, and gets nothing.
        guard let socket = try? DatagramSocket(for: address),
            (try? socket.connect(to: port == 0 ? address.withPort(9) : address)) != nil,
            let local = try? socket.localAddress
        else { return nil }
        return local.isLoopback ? loopback : interfaces.first { $0.hosts.contains(local.host) }
    }
}
