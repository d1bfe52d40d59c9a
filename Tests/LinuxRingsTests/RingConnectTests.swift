import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: canDo(\.connect), whyNot)) struct RingConnectTests {
    enum Kind: CaseIterable { case v4, v6, unix }

    @Test(arguments: Kind.allCases, [StreamSocket.Blocking.blocking, .nonblocking])
    func aConnectionIsMade(_ kind: Kind, _ blocking: StreamSocket.Blocking) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let wanted: SocketAddress =
            switch kind {
            case .v4: .loopback()
            case .v6: .loopback6()
            case .unix: try abstractAddress("connect")
            }
        let listener: Listener
        do {
            listener = try Listener(wanted)
        } catch {
            // A machine without IPv6 has no such address.
            try #require(kind == .v6)
            return
        }
        let address = try listener.address
        let socket = try StreamSocket(for: address, blocking)
        try ring.prepareConnect(.descriptor(socket.descriptor), to: address, token: 1)
        let completion = try ring.completion()
        #expect(completion.token == 1 && completion.result == 0)
        let server = try acceptNext(from: listener)
        _ = try server.send([1, 2, 3])
        let client = Connection(owning: try socket.descriptor.duplicate())
        #expect(try client.bytes() == [1, 2, 3])
    }

    /// The socket stays bound, so that nobody else listens there meanwhile.
    @Test func whereNobodyListensItIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let silent = try StreamSocket(for: .loopback(), .blocking)
        try silent.bind(to: .loopback())
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try ring.prepareConnect(.descriptor(socket.descriptor), to: silent.localAddress, token: 1)
        #expect(try ring.completion().error == .connectionRefused)
    }

    /// Each address is still there when the kernel takes the entry, and none has another's place.
    @Test(arguments: [0, 3]) func queuedAddressesAreKeptApart(before: Int) throws {
        var ring = try Ring.forThisThread(entries: 8)
        // The first entry that is used is another one each time.
        for token in 0..<before { try ring.prepareFailure(token: UInt64(token)) }
        _ = try ring.completions(before)
        for _ in 0..<3 {
            var listeners: [SharedOwner] = []
            var addresses: [SocketAddress] = []
            for number in 0..<8 {
                let listener = number % 2 == 0 ? try loopbackListener() : try Listener(abstractAddress("apart"))
                addresses.append(try listener.address)
                listeners.append(SharedOwner(listener.release()))
            }
            var sockets: [SharedOwner] = []
            for (token, address) in addresses.enumerated() {
                let socket = try StreamSocket(for: address, .blocking)
                let owner = SharedOwner(try socket.descriptor.duplicate())
                try ring.prepareConnect(.descriptor(owner.descriptor), to: address, token: UInt64(token))
                sockets.append(owner)
            }
            let results = try ring.completions(8)
            #expect(results.map(\.token).sorted() == Array(0..<8))
            #expect(results.allSatisfy { $0.result == 0 })
            for (socket, address) in zip(sockets, addresses) {
                #expect(try SocketAddress.peer(of: socket.descriptor) == address)
            }
        }
    }

    @Test func aSecondConnectIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        let socket = try StreamSocket(for: .loopback(), .blocking)
        for error in [nil, Errno.socketIsConnected] {
            try ring.prepareConnect(.descriptor(socket.descriptor), to: listener.address, token: 1)
            #expect(try ring.completion().error == error)
        }
    }

    @Test func whatIsNoAddressIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let socket = try StreamSocket(for: .loopback(), .blocking)
        let file = RequestFile.descriptor(socket.descriptor)
        let long = [UInt8](repeating: 1, count: 129)
        #expect(throws: Errno.invalidArgument) { try ring.prepareConnect(file, toSockaddr: long.span.bytes, token: 1) }
        #expect(try ring.submit() == 0)
        let none: [UInt8] = []
        try ring.prepareConnect(file, toSockaddr: none.span.bytes, token: 1)
        #expect(try ring.completion().error == .invalidArgument)
        try ring.prepareConnect(file, toSockaddr: long.span.bytes.extracting(first: 128), token: 1)
        #expect(try ring.completion().error == .addressFamilyNotSupported)
        try ring.prepareConnect(file, to: abstractAddress("family"), token: 1)
        #expect(try ring.completion().error == .addressFamilyNotSupported)
    }

    @Test func whatIsNoSocketIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.prepareConnect(.descriptor(BorrowedDescriptor(rawValue: -1)), to: SocketAddress.loopback(), token: 1)
        try ring.prepareConnect(.descriptor(pipe.reader), to: SocketAddress.loopback(), token: 2)
        #expect(try ring.errors(2) == [1: .badFileDescriptor, 2: .notSocket])
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings)) func aSlotConnects() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        let listener = try loopbackListener()
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try ring.registerFile(socket.descriptor, slot: Slot(1))
        try ring.prepareConnect(.slot(Slot(1)), to: listener.address, token: 1)
        #expect(try ring.completion().result == 0)
        _ = try acceptNext(from: listener)
        try ring.prepareConnect(.slot(Slot(0)), to: listener.address, token: 1)
        #expect(try ring.completion().error == .badFileDescriptor)
    }

    @Test(.enabled(if: canDo(\.linkTimeout), whyNot)) func itsTimeCanBeLimited() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let full = try FullListener()
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try ring.prepareConnect(.descriptor(socket.descriptor), to: full.address, .link, token: 1)
        try ring.prepareLinkTimeout(.after(.milliseconds(1)), token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: .timeout])
    }

    @Test func itCanBeCancelled() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let full = try FullListener()
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try ring.prepareConnect(.descriptor(socket.descriptor), to: full.address, token: 1)
        try ring.submit()
        try ring.prepareCancel(target: 1, token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: nil])
    }

    /// The end of the ring ends it, and does not wait for the peer.
    @Test func itEndsWithTheRing() throws {
        let full = try FullListener()
        let socket = try StreamSocket(for: .loopback(), .blocking)
        do {
            var ring = try Ring.forThisThread(entries: 8)
            try ring.prepareConnect(.descriptor(socket.descriptor), to: full.address, token: 1)
            try ring.submit()
        }
        #expect(fcntl(socket.descriptor.rawValue, F_GETFD) >= 0)
    }
}

/// A listener whose queue is full, so that a further connect waits.
private struct FullListener: ~Copyable {
    private let listener: Listener
    private let first: Connection

    init() throws {
        let listener = try Listener(.loopback(), backlog: 0)
        let first = try connect(to: listener)
        try waitUntilReadable(listener.descriptor)
        self.listener = listener
        self.first = first
    }

    var address: SocketAddress { get throws { try listener.address } }
}

/// A descriptor that an array can hold.
private final class SharedOwner {
    private let owned: OwnedDescriptor

    init(_ owned: consuming OwnedDescriptor) { self.owned = owned }

    var descriptor: BorrowedDescriptor { owned.descriptor }
}
