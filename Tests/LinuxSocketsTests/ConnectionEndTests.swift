import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Ending one direction or both.
@Suite struct ConnectionEndTests {
    @Test func whatArrivedIsReceivedAfterTheEndOfReceiving() throws {
        let pair = try ConnectedPair()
        #expect(try pair.client.send([1, 2]) == 2)
        try waitUntilReadable(pair.server.descriptor)
        try pair.server.finishReceiving()
        #expect(try pair.server.bytes() == [1, 2])
        #expect(try pair.server.bytes() == [])
        // The other direction is open.
        #expect(try pair.server.send([3]) == 1)
        #expect(try pair.client.bytes() == [3])
    }

    @Test func aWaitingReceiveEnds() throws {
        for ends in [true, false] {
            let pair = try ConnectedPair()
            let borrowed = pair.server.descriptor
            let waiter = TestThread { try Connection(owning: borrowed.duplicate()).take(8, []) }
            try waiter.waitUntilBlocked()
            if ends { try pair.server.finish() } else { try pair.server.finishReceiving() }
            #expect(try waiter.join() == [])
        }
    }

    @Test func finishingEndsBothDirections() throws {
        let pair = try ConnectedPair()
        try pair.server.finish()
        #expect(try pair.client.bytes() == [])
        #expect(try pair.server.bytes() == [])
        #expect(throws: Errno.brokenPipe) { try pair.server.send([1]) }
    }

    @Test func aUnixPeerIsTold() throws {
        let listener = try Listener(.unixUnnamed)
        let client = try StreamSocket(for: .unixUnnamed, .blocking).connect(to: listener.address)
        let server = try acceptNext(from: listener)
        try server.finishReceiving()
        #expect(throws: Errno.brokenPipe) { try client.send([1]) }
    }

    @Test func whatIsNotConnectedCannotEnd() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        let none = Connection(owning: try socket.descriptor.duplicate())
        #expect(throws: Errno.socketNotConnected) { try none.finishReceiving() }
        #expect(throws: Errno.socketNotConnected) { try none.finish() }
        #expect(throws: Errno.socketNotConnected) { try none.finishSending() }
    }
}
