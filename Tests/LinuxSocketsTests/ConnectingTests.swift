import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// What becomes of a nonblocking connect.
@Suite struct ConnectingTests {
    @Test func itIsConnectedWhenItIsWritable() throws {
        let listener = try loopbackListener()
        let connection = try StreamSocket(for: .loopback(), .nonblocking).connect(to: listener.address)
        try waitUntil(POLLOUT, on: connection.descriptor)
        #expect(try connection.finishConnecting())
        #expect(try connection.finishConnecting())
        try acceptNext(from: listener).close()
        #expect(try connection.finishConnecting())
    }

    /// A queue that is full drops the request, which is repeated after a second or more.
    @Test func itIsUnderWayUntilThen() throws {
        let socket = try StreamSocket(for: .loopback(), .nonblocking)
        try socket.bind(to: .loopback())
        let listener = try socket.listen(backlog: 0)
        let first = try connect(to: listener)
        try waitUntilReadable(listener.descriptor)
        let connection = try StreamSocket(for: .loopback(), .nonblocking).connect(to: listener.address)
        for _ in 0..<3 { #expect(try connection.finishConnecting() == false) }
        try acceptNext(from: listener).close()
        try waitUntil(POLLOUT, on: connection.descriptor)
        #expect(try connection.finishConnecting())
        try first.close()
    }

    @Test func aRefusalIsToldOnce() throws {
        let bound = try StreamSocket(for: .loopback(), .blocking)
        try bound.bind(to: .loopback())
        let address = try bound.localAddress
        // Loopback may answer before connect(2) returns.
        guard let connection = try underWay(to: address) else { return }
        try waitUntil(POLLOUT, on: connection.descriptor)
        #expect(throws: Errno.connectionRefused) { try connection.finishConnecting() }
        #expect(throws: Errno.socketNotConnected) { try connection.finishConnecting() }
        #expect(try connection.takeError() == nil)
    }

    @Test func aUnixSocketIsConnectedAtOnce() throws {
        let listener = try Listener(.unixUnnamed)
        let connection = try StreamSocket(for: .unixUnnamed, .nonblocking).connect(to: listener.address)
        #expect(try connection.finishConnecting())
    }

    @Test func aResetAfterwardsIsAnError() throws {
        let listener = try loopbackListener([.resetOnClose])
        let connection = try StreamSocket(for: .loopback(), .nonblocking).connect(to: listener.address)
        try acceptNext(from: listener).close()
        try waitUntilReadable(connection.descriptor)
        #expect(throws: Errno.connectionReset) { try connection.finishConnecting() }
    }

    @Test func whatWasNeverConnectedIsNotUnderWay() throws {
        let socket = try StreamSocket(for: .loopback(), .nonblocking)
        let none = Connection(owning: try socket.descriptor.duplicate())
        #expect(throws: Errno.socketNotConnected) { try none.finishConnecting() }
    }
}

/// A connect that goes on; nil if it was refused at once.
private func underWay(to address: SocketAddress) throws -> Connection? {
    do {
        return try StreamSocket(for: address, .nonblocking).connect(to: address)
    } catch Errno.connectionRefused {
        return nil
    }
}
