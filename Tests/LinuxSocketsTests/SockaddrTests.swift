import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Addresses in the kernel's form.
@Suite struct SockaddrTests {
    static let addresses: [SocketAddress] = [
        .loopback(port: 80), .loopback6(port: 65535), SocketAddress(numeric: "fe80::1%7", port: 1), .unixUnnamed,
        try? .unix(path: "/run/socket"), try? .unix(abstractName: [0, 1, 255]),
        try? .unix(path: String(repeating: "x", count: 107)), try? .unix(abstractName: ""),
    ].compactMap { $0 }

    @Test(arguments: addresses) func whatIsWrittenIsReadAgain(_ address: SocketAddress) {
        let copy = address.withSockaddr { bytes in
            #expect(bytes.byteCount >= 2 && bytes.byteCount <= 128)
            return SocketAddress(sockaddr: bytes)
        }
        #expect(copy == address)
        #expect(Self.addresses.count == 8)
    }

    @Test func theKernelReadsIt() throws {
        let address = SocketAddress.loopback()
        let socket = try StreamSocket(for: address, .blocking)
        let result = address.withSockaddr { bytes in
            bytes.withUnsafeBytes {
                bind(
                    socket.descriptor.rawValue, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    socklen_t($0.count))
            }
        }
        #expect(result == 0)
        #expect(try socket.localAddress.port != 0)
    }

    @Test(arguments: [[], [2], [2, 0], [2, 0, 1, 2, 3], [10, 0, 1], [99, 0, 7, 8]] as [[UInt8]])
    func whatIsNoKnownAddressSaysSo(_ bytes: [UInt8]) {
        let address = SocketAddress(sockaddr: bytes.span.bytes)
        #expect(address.port == nil && address.unixPath == nil)
        #expect(address.description.hasPrefix("family "))
    }

    @Test func errorsPassThrough() {
        #expect(throws: Errno.noMemory) {
            try SocketAddress.loopback().withSockaddr { (_) throws(Errno) in throw .noMemory }
        }
    }
}
