import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Single accepts into slots.
@Suite(.enabled(if: canDo(\.slotAllocation), whyNot)) struct RingSlotAcceptTests {
    @Test func aConnectionGoesIntoTheGivenSlot() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 4)
        let listener = try loopbackListener()
        try ring.prepareAccept(on: .descriptor(listener.descriptor), into: .slot(Slot(2)), token: 1)
        try ring.submit()
        let client = try connect(to: listener)
        let completion = try ring.completion()
        #expect(completion.token == 1 && completion.result == 0 && !completion.isArmed)
        #expect(try ring.send([3], through: Slot(2)) == 1)
        #expect(try client.bytes() == [3])
    }

    @Test func whatWasInTheSlotIsClosed() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 1)
        let listener = try loopbackListener()
        let file = RequestFile.descriptor(listener.descriptor)
        let first = try connect(to: listener)
        try ring.prepareAccept(on: file, into: .slot(Slot(0)), token: 1)
        #expect(try ring.completion().result == 0)
        let second = try connect(to: listener)
        try ring.prepareAccept(on: file, into: .slot(Slot(0)), token: 1)
        #expect(try ring.completion().result == 0)
        #expect(try first.bytes() == [])
        #expect(try ring.send([4], through: Slot(0)) == 1)
        #expect(try second.bytes() == [4])
    }

    @Test func theKernelPicksFreeSlots() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        let listener = try loopbackListener()
        let file = RequestFile.descriptor(listener.descriptor)
        let clients = try Clients(2, to: listener)
        var slots: Set<Slot> = []
        for _ in 0..<2 {
            try ring.prepareAccept(on: file, into: .anySlot, token: 1)
            let slot = try ring.awaited().takeSlot()
            slots.insert(slot)
        }
        #expect(slots == [Slot(0), Slot(1)])
        // There is none for the third, whom the kernel has accepted already.
        let third = try connect(to: listener)
        try ring.prepareAccept(on: file, into: .anySlot, token: 1)
        #expect(try ring.completion().error == .tooManyOpenFilesInSystem)
        #expect(try third.bytes() == [])
        try ring.emptySlot(Slot(1))
        let fourth = try connect(to: listener)
        try ring.prepareAccept(on: file, into: .anySlot, token: 1)
        let freed = try ring.awaited().takeSlot()
        #expect(freed == Slot(1))
        _ = consume clients
        _ = consume fourth
    }

    @Test func slotsThatAreNotThereAreRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        let file = RequestFile.descriptor(listener.descriptor)
        let clients = try Clients(2, to: listener)
        try ring.prepareAccept(on: file, into: .slot(Slot(0)), token: 1)
        #expect(try ring.completion().error == Errno(rawValue: ENXIO))
        try ring.registerFileSlots(count: 2)
        try ring.prepareAccept(on: file, into: .slot(Slot(2)), token: 1)
        #expect(try ring.completion().error == .invalidArgument)
        _ = consume clients
    }

    @Test func manyConnectionsDoNotGoIntoOneSlot() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 1)
        let listener = try loopbackListener()
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareMultishotAccept(
                on: .descriptor(listener.descriptor), into: .slot(Slot(0)), token: 1)
        }
    }

    @Test func aListenerInASlotAccepts() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 1)
        let listener = try loopbackListener()
        try ring.registerFile(listener.descriptor, slot: Slot(0))
        let clients = try Clients(3, to: listener)
        try ring.prepareAccept(on: .slot(Slot(0)), nonblocking: true, token: 1)
        let first = try ring.awaited().takeDescriptor()
        #expect(fcntl(first.descriptor.rawValue, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(first.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        try ring.prepareMultishotAccept(on: .slot(Slot(0)), token: 2)
        for _ in 0..<2 {
            let completion = try ring.awaited()
            let seen = Seen(completion)
            #expect(seen.token == 2 && seen.isArmed)
            _ = try completion.takeDescriptor()
        }
        _ = consume clients
    }
}

/// Where accepted connections come from.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingPeerTests {
    @Test func thePeerIsTold() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        let peer = AddressBuffer()
        // Used again, it tells of the new one.
        for _ in 0..<2 {
            try ring.prepareAccept(on: .descriptor(listener.descriptor), peer: peer, token: 1)
            try ring.submit()
            let client = try connect(to: listener)
            let connection = Connection(owning: try ring.awaited().takeDescriptor())
            let seen = peer.address(as: SocketAddress.self)
            #expect(try seen == client.localAddress)
            #expect(try seen == connection.peerAddress)
        }
    }

    @Test func unixPeersAreTold() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let address = try abstractAddress("peer")
        let listener = try Listener(address)
        let peer = AddressBuffer()
        for name in [nil, try abstractAddress("a client")] {
            let socket = try StreamSocket(for: address, .blocking)
            if let name { try socket.bind(to: name) }
            let client = try socket.connect(to: address)
            try ring.prepareAccept(on: .descriptor(listener.descriptor), peer: peer, token: 1)
            _ = try ring.awaited().takeDescriptor()
            #expect(peer.address(as: SocketAddress.self) == name ?? .unixUnnamed)
            _ = consume client
        }
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings)) func peersOfSlotsAreTold() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 1)
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let peer = AddressBuffer()
        try ring.prepareAccept(on: .descriptor(listener.descriptor), into: .anySlot, peer: peer, token: 1)
        #expect(try ring.completion().result == 0)
        #expect(try peer.address(as: SocketAddress.self) == client.localAddress)
    }

    /// Two accepts at once have a memory each.
    @Test func peersAreKeptApart() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        let file = RequestFile.descriptor(listener.descriptor)
        let first = AddressBuffer()
        let second = AddressBuffer()
        try ring.prepareAccept(on: file, peer: first, token: 1)
        try ring.prepareAccept(on: file, peer: second, token: 2)
        try ring.submit()
        let clients = try Clients(2, to: listener)
        var seen: [UInt64: SocketAddress] = [:]
        for _ in 0..<2 {
            let completion = try ring.awaited()
            let token = completion.token
            seen[token] = try Connection(owning: completion.takeDescriptor()).peerAddress
        }
        #expect(first.address(as: SocketAddress.self) == seen[1])
        #expect(second.address(as: SocketAddress.self) == seen[2])
        _ = consume clients
    }

    @Test func withoutAConnectionNothingIsTold() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let peer = AddressBuffer()
        let isEmpty = peer.sockaddrBytes.isEmpty
        #expect(isEmpty)
        try ring.prepareAccept(on: .descriptor(pipe.reader), peer: peer, token: 1)
        #expect(try ring.completion().error == .notSocket)
    }
}

/// Accepts with a limited time, as `accept(2)` has none.
@Suite(.enabled(if: canDo(\.linkTimeout), whyNot)) struct RingLimitedAcceptTests {
    @Test func withoutAClientTheTimeEndsIt() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        try ring.prepareAccept(on: listener.descriptor, .link, token: 1)
        try ring.prepareLinkTimeout(.after(.milliseconds(1)), token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: .timeout])
        // Nobody accepts any more.
        let client = try connect(to: listener)
        #expect(try ring.isQuiet())
        _ = consume client
    }

    @Test func aClientIsInTime() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        try ring.prepareAccept(on: listener.descriptor, .link, token: 1)
        try ring.prepareLinkTimeout(.after(.seconds(600)), token: 2)
        try ring.submit()
        let client = try connect(to: listener)
        for _ in 0..<2 {
            let completion = try ring.awaited()
            let seen = Seen(completion)
            switch seen.token {
            case 1: _ = try completion.takeDescriptor()
            default: #expect(seen.error == .canceled)
            }
        }
        _ = consume client
    }
}

extension Ring {
    /// Sends through a slot, and waits for it.
    fileprivate mutating func send(_ bytes: [UInt8], through slot: Slot) throws -> Int32 {
        try bytes.withUnsafeBytes { memory in
            try prepareSend(.slot(slot), from: memory.baseAddress!, count: bytes.count, token: 77)
            return try completion().result
        }
    }
}
