import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// The interface by which this machine reaches another.
package struct NetworkLink {
    /// Name, driver, MTU in bytes and speed in Mbit/s, as `eth0,virtio_net,1500,10000`; what the kernel does not tell is
    /// empty.
    package let text: String

    /// Asks the kernel which way it would send to a numeric address.
    package init(to host: String) {
        text = Self.describe(host) ?? ""
    }

    private static func describe(_ host: String) -> String? {
        // Connecting a datagram socket sends nothing, and looks up the way.
        guard let target = SocketAddress(numeric: host, port: 9),
            let socket = try? DatagramSocket(for: target, .nonblocking), (try? socket.connect(to: target)) != nil,
            let own = try? socket.localAddress, let name = interface(of: own.host)
        else { return nil }
        var driver = [CChar](repeating: 0, count: 32)
        var (mtu, speed): (CInt, CInt) = (0, 0)
        unsafe c_describe_interface(socket.descriptor.rawValue, name, &driver, &mtu, &speed)
        let text = String(decoding: driver.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return [name, text, mtu > 0 ? "\(mtu)" : "", speed > 0 ? "\(speed)" : ""].joined(separator: ",")
    }

    /// The name of the interface that has an address.
    private static func interface(of host: String) -> String? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return nil }
        defer { unsafe freeifaddrs(list) }
        var entry = unsafe list
        while let current = unsafe entry {
            if let address = unsafe current.pointee.ifa_addr, unsafe numeric(address) == host {
                return unsafe String(cString: current.pointee.ifa_name)
            }
            unsafe entry = current.pointee.ifa_next
        }
        return nil
    }

    private static func numeric(_ address: UnsafeMutablePointer<sockaddr>) -> String? {
        let family = unsafe CInt(address.pointee.sa_family)
        let length = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        guard family == AF_INET || family == AF_INET6 else { return nil }
        var text = [CChar](repeating: 0, count: 128)
        let result = unsafe getnameinfo(
            address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard result == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
