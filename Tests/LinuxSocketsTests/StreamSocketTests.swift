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
        let address = try bound.localAddress
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
        let address = try bound.localAddress
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

    /// The kernel goes on with an interrupted connect of TCP; a blocking one is to be waited for all the same.
    ///
    /// A listener whose queue is full drops the request, and the client repeats it after a second or more.
    @Test func signalsDoNotEndABlockingConnect() throws {
        let socket = try StreamSocket(for: .loopback(), .nonblocking)
        try socket.bind(to: .loopback())
        let listener = try socket.listen(backlog: 0)
        let address = try listener.address
        let first = try connect(to: listener)
        try waitUntilReadable(listener.descriptor)
        let waiter = TestThread {
            allowInterruption()
            return try StreamSocket(for: address, .blocking).connect(to: address).peerAddress
        }
        for _ in 0..<10 {
            try waiter.waitUntilBlocked()
            _ = waiter.signal(interruption)
        }
        #expect(!waiter.hasEnded)
        try acceptNext(from: listener).close()
        // Before the connection is made there is no peer.
        #expect(try waiter.join() == address)
        try first.close()
    }
}
