import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct PeerAddressTests {
    @Test func bothEndsAgree() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        var peer: SocketAddress?
        let server = try acceptNext(from: listener, peer: &peer)
        #expect(try peer == client.localAddress)
        #expect(try server.peerAddress == client.localAddress)
        #expect(try client.peerAddress == listener.address)
        #expect(try server.localAddress == listener.address)
        #expect(peer?.description.hasPrefix("127.0.0.1:") == true)
    }

    @Test func eachConnectionHasItsOwn() throws {
        let listener = try loopbackListener()
        let clients = try (0..<8).map { _ in try connect(to: listener).release().release() }
        defer { for client in clients { try? client.close() } }
        var peers: Set<SocketAddress?> = []
        while peers.count < 8 {
            var peer: SocketAddress?
            try waitUntilReadable(listener.descriptor)
            if try listener.accept(peer: &peer) != nil { peers.insert(peer) }
        }
        let expected = try clients.map { try SocketAddress.local(of: BorrowedDescriptor($0)) }
        #expect(peers == Set(expected))
    }

    @Test func nobodyLeavesTheAddressAlone() throws {
        let listener = try loopbackListener()
        var peer: SocketAddress? = .loopback(port: 1)
        #expect(try listener.accept(peer: &peer) == nil)
        #expect(peer == .loopback(port: 1))
    }

    @Test func peerThatIsGoneIsKnownFromTheAccept() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let address = try client.localAddress
        try waitUntilReadable(listener.descriptor)
        try setSocketOption(.resetOnClose, on: client.descriptor)
        try client.close()
        var peer: SocketAddress?
        let server = try acceptNext(from: listener, peer: &peer)
        #expect(peer == address)
        #expect(throws: Errno.socketNotConnected) { try server.peerAddress }
    }

    @Test func socketThatIsNotConnectedHasNoPeer() throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        #expect(throws: Errno.socketNotConnected) { try SocketAddress.peer(of: socket.descriptor) }
        #expect(try socket.localAddress.description == "0.0.0.0:0")
        try socket.bind(to: .loopback())
        #expect(try socket.localAddress.port != 0)
    }

    @Test func optionsCountWithAnAddressToo() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        var peer: SocketAddress?
        let server = try acceptNext(from: listener, [.nonblocking], peer: &peer)
        var byte: [UInt8] = [0]
        var span = byte.mutableSpan
        var raw = span.mutableBytes
        #expect(try server.receive(into: &raw) == nil)
        try client.close()
    }
}
