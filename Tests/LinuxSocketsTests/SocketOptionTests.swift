import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct SocketOptionTests {
    @Test(arguments: [
        (SocketOption.reuseAddress, SOL_SOCKET, SO_REUSEADDR), (.reusePort, SOL_SOCKET, SO_REUSEPORT),
        (.noDelay, CInt(IPPROTO_TCP), TCP_NODELAY),
    ])
    func switchIsOnAfterwards(_ option: SocketOption, _ level: CInt, _ name: CInt) throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        #expect(try value(of: socket.descriptor, level, name) == 0)
        try setSocketOption(option, on: socket.descriptor)
        #expect(try value(of: socket.descriptor, level, name) != 0)
    }

    @Test func bufferSizesAreDoubled() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try setSocketOption(.receiveBuffer(bytes: 16_384), on: socket.descriptor)
        try setSocketOption(.sendBuffer(bytes: 16_384), on: socket.descriptor)
        #expect(try value(of: socket.descriptor, SOL_SOCKET, SO_RCVBUF) == 32_768)
        #expect(try value(of: socket.descriptor, SOL_SOCKET, SO_SNDBUF) == 32_768)
    }

    @Test func acceptedConnectionsInheritTheReset() throws {
        let listener = try loopbackListener([.resetOnClose])
        let client = try connect(to: listener)
        try acceptNext(from: listener).close()
        #expect(throws: Errno.connectionReset) { try client.bytes() }
    }

    @Test func optionOfAnotherFamilyIsRefused() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        #expect(throws: Errno.self) { try setSocketOption(.ipv6Only, on: socket.descriptor) }
    }

    @Test func closedDescriptorIsRefused() {
        let none = BorrowedDescriptor(rawValue: -1)
        #expect(throws: Errno.badFileDescriptor) { try setSocketOption(.noDelay, on: none) }
        #expect(throws: Errno.badFileDescriptor) { try takeSocketError(of: none) }
    }
}

private func value(of socket: BorrowedDescriptor, _ level: CInt, _ name: CInt) throws -> CInt {
    var value: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    if getsockopt(socket.rawValue, level, name, &value, &length) != 0 { throw Errno(rawValue: errno) }
    return value
}
