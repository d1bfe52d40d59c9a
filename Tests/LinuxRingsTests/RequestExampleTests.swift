import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// What the page of requests shows, as it stands there.
@Suite(.enabled(if: canDo(\.bindAndListen) && canDo(\.multishotTimeout), whyNot)) struct RequestExampleTests {
    @Test func connecting() throws {
        let server = try loopbackListener()
        let address = try server.address
        var ring = try Ring.forThisThread(entries: 64)
        let socket = try StreamSocket(for: address, .blocking)
        try ring.reserve(2)
        try ring.prepareConnect(.descriptor(socket.descriptor), to: address, .link, token: 1)
        try ring.prepareLinkTimeout(.after(.seconds(3)), .skipSuccess, token: 2)
        try ring.submitAndWait()
        #expect(ring.nextSeen()?.error == nil)
        try ring.prepareShutdown(.descriptor(socket.descriptor), .sending, token: 2)
        try ring.submitAndWait()
        #expect(try acceptNext(from: server).bytes() == [])
    }

    @Test func listeningAndAccepting() throws {
        var ring = try Ring.forThisThread(entries: 64)
        let address = try abstractAddress("example")
        try ring.registerFileSlots(count: 1024)
        let listener = Slot(0)
        try ring.prepareSocket(family: address.family, .stream, into: .slot(listener), .link, token: 1)
        try ring.prepareBind(.slot(listener), to: address, .link, token: 2)
        try ring.prepareListen(.slot(listener), backlog: 128, token: 3)
        try ring.submitAndWait(for: 3)
        while let seen = ring.nextSeen() { #expect(seen.error == nil) }
        let peer = AddressBuffer()
        let name = try abstractAddress("client")
        let socket = try StreamSocket(for: name, .blocking)
        try socket.bind(to: name)
        let client = try socket.connect(to: address)
        try ring.prepareAccept(on: .slot(listener), peer: peer, token: 1)
        let connection = try ring.awaited().takeDescriptor()
        #expect(peer.address(as: SocketAddress.self) == name)
        try ring.prepareTimeout(.after(.milliseconds(1)), .hardLink, token: 1)
        try ring.prepareShutdown(.descriptor(connection.descriptor), .both, .hardLink, token: 2)
        try ring.prepareClose(connection, token: 3)
        #expect(try ring.completions(3).map(\.token) == [1, 2, 3])
        #expect(try client.bytes() == [])
    }

    @Test func timers() throws {
        var ring = try Ring.forThisThread(entries: 64)
        try ring.prepareTimeout(.after(.seconds(250)), token: 1)
        try ring.prepareTimeout(.at(Ring.Clock.realtime.now + .seconds(600)), clock: .realtime, token: 2)
        try ring.prepareMultishotTimeout(every: .seconds(600), token: 3)
        try ring.prepareTimeoutUpdate(target: 1, to: .after(.seconds(600)), token: 4)
        try ring.prepareTimeoutRemove(target: 3, token: 5)
        #expect(try ring.errors(3) == [3: .canceled, 4: nil, 5: nil])
        let count = try ring.cancel(.everything, timeout: .seconds(1))
        #expect(count == 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: .canceled])
    }
}
