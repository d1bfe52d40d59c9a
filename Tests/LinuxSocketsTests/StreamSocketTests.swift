import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct StreamSocketTests {
    @Test func flagsAreSetFromTheStart() throws {
        let waiting = try StreamSocket(for: .loopback(), .blocking)
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFL) & O_NONBLOCK == 0)
        let other = try StreamSocket(for: .loopback(), .nonblocking)
        #expect(fcntl(other.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(other.descriptor.rawValue, F_GETFL) & O_NONBLOCK == O_NONBLOCK)
    }

    @Test func bindReportsAnAddressOfAnotherMachine() throws {
        let address = try #require(SocketAddress(numeric: "192.0.2.1", port: 0))
        let socket = try StreamSocket(for: address, .blocking)
        #expect(throws: Errno.addressNotAvailable) { try socket.bind(to: address) }
    }

    @Test func bindReportsAPortInUse() throws {
        let listener = try loopbackListener()
        let address = try listener.address
        let socket = try StreamSocket(for: address, .blocking)
        #expect(throws: Errno.addressInUse) { try socket.bind(to: address) }
    }

    @Test func connectReportsThatNobodyListens() throws {
        // Bound but not listening: the port belongs to this test and refuses connections.
        let bound = try StreamSocket(for: .loopback(), .blocking)
        try bound.bind(to: .loopback())
        let address = try localAddress(of: bound.descriptor)
        #expect(throws: Errno.connectionRefused) {
            try StreamSocket(for: address, .blocking).connect(to: address).close()
        }
    }

    @Test func nonblockingConnectIsFinishedByWaiting() throws {
        let listener = try loopbackListener()
        let connection = try StreamSocket(for: .loopback(), .nonblocking).connect(to: listener.address)
        try waitUntil(POLLOUT, on: connection.descriptor)
        #expect(try takeSocketError(of: connection.descriptor) == nil)
        try acceptNext(from: listener).close()
    }

    @Test func nonblockingConnectLeavesItsErrorOnTheSocket() throws {
        let bound = try StreamSocket(for: .loopback(), .blocking)
        try bound.bind(to: .loopback())
        let address = try localAddress(of: bound.descriptor)
        let socket = try StreamSocket(for: address, .nonblocking)
        let connection: Connection
        do {
            connection = try socket.connect(to: address)
        } catch {
            // Loopback may answer before connect(2) returns.
            #expect(error == .connectionRefused)
            return
        }
        try waitUntil(POLLOUT, on: connection.descriptor)
        #expect(try takeSocketError(of: connection.descriptor) == .connectionRefused)
        #expect(try takeSocketError(of: connection.descriptor) == nil)
    }
}

private func localAddress(of socket: BorrowedDescriptor) throws -> SocketAddress {
    var native = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &native) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.rawValue, $0, &length) }
    }
    if result != 0 { throw Errno(rawValue: errno) }
    return .loopback(port: UInt16(bigEndian: native.sin_port))
}
