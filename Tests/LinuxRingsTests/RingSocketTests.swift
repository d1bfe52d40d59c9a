import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: canDo(\.shutdown), whyNot)) struct RingShutdownTests {
    @Test func thePeerFindsTheEndAfterTheLastByte() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        _ = try pair.server.send([7])
        try ring.prepareShutdown(.descriptor(pair.server.descriptor), .sending, token: 1)
        let completion = try ring.completion()
        #expect(completion.token == 1 && completion.result == 0)
        #expect(try pair.client.bytes() == [7])
        #expect(try pair.client.bytes() == [])
        // The other direction is open.
        _ = try pair.client.send([8])
        #expect(try pair.server.bytes() == [8])
        #expect(throws: Errno.brokenPipe) { try pair.server.send([9]) }
    }

    @Test func aPendingReceiveFindsTheEnd() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        let file = RequestFile.descriptor(pair.server.descriptor)
        try ring.prepareReceive(file, into: memory, count: 8, token: 1)
        try ring.submit()
        try ring.prepareShutdown(file, .receiving, token: 2)
        #expect(
            Set(try ring.completions(2).map { [$0.token, UInt64(bitPattern: Int64($0.result))] }) == [[1, 0], [2, 0]])
    }

    @Test func aPendingAcceptEnds() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        try ring.prepareAccept(on: listener.descriptor, token: 1)
        try ring.submit()
        try ring.prepareShutdown(.descriptor(listener.descriptor), .both, token: 2)
        #expect(try ring.errors(2) == [1: .invalidArgument, 2: nil])
    }

    @Test func whatIsNotConnectedIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try ring.prepareShutdown(.descriptor(socket.descriptor), .sending, token: 1)
        try ring.prepareShutdown(.descriptor(pipe.reader), .sending, token: 2)
        try ring.prepareShutdown(.descriptor(BorrowedDescriptor(rawValue: -1)), .sending, token: 3)
        #expect(try ring.errors(3) == [1: .socketNotConnected, 2: .notSocket, 3: .badFileDescriptor])
    }

    /// "Send the last reply, then say that it was the last."
    @Test func itFollowsTheLastSend() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let bytes: [UInt8] = [1, 2, 3]
        let file = RequestFile.descriptor(pair.server.descriptor)
        try bytes.withUnsafeBytes { memory in
            try ring.prepareSend(file, from: memory.baseAddress!, count: 3, .link, token: 1)
            try ring.prepareShutdown(file, .sending, token: 2)
            #expect(try ring.completions(2).map(\.token) == [1, 2])
        }
        #expect(try pair.client.bytes() == [1, 2, 3])
        #expect(try pair.client.bytes() == [])
    }
}

@Suite(.enabled(if: canDo(\.socket), whyNot)) struct RingSocketTests {
    @Test(arguments: [false, true]) func itIsADescriptorWithTheFlags(_ nonblocking: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareSocket(family: AF_INET, .stream, nonblocking: nonblocking, token: 1)
        let socket = try ring.awaited().takeDescriptor()
        let number = socket.descriptor.rawValue
        #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
        #expect((fcntl(number, F_GETFL) & O_NONBLOCK != 0) == nonblocking)
        var type: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        #expect(getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) == 0)
        #expect(type == Ring.SocketType.stream.rawValue)
    }

    static let kinds: [(CInt, Ring.SocketType, CInt)] = [
        (AF_UNIX, .sequencedPacket, 0), (AF_UNIX, .datagram, 0), (AF_INET, .datagram, 17),
    ]

    @Test(arguments: kinds)
    func itsKindIsWhatWasWished(_ family: CInt, _ type: Ring.SocketType, _ protocolNumber: CInt) throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareSocket(family: family, type, protocolNumber: protocolNumber, token: 1)
        let socket = try ring.awaited().takeDescriptor()
        for (option, wanted) in [(SO_DOMAIN, family), (SO_TYPE, type.rawValue), (SO_PROTOCOL, protocolNumber)] {
            var value: CInt = -1
            var size = socklen_t(MemoryLayout<CInt>.size)
            #expect(getsockopt(socket.descriptor.rawValue, SOL_SOCKET, option, &value, &size) == 0)
            #expect(value == wanted)
        }
    }

    @Test func whatIsNoKindOfSocketIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareSocket(family: 9999, .stream, token: 1)
        try ring.prepareSocket(family: AF_INET, .stream, protocolNumber: 17, token: 2)
        #expect(try ring.errors(2) == [1: .addressFamilyNotSupported, 2: .protocolNotSupported])
    }

    @Test func itGoesIntoSlots() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareSocket(family: AF_INET, .stream, into: .slot(Slot(0)), token: 1)
        #expect(try ring.completion().error == Errno(rawValue: ENXIO))
        try ring.registerFileSlots(count: 3)
        try ring.prepareSocket(family: AF_INET, .stream, into: .slot(Slot(1)), token: 1)
        #expect(try ring.completion().result == 0)
        var slots: [UInt32] = []
        for _ in 0..<2 {
            try ring.prepareSocket(family: AF_INET, .stream, into: .anySlot, token: 1)
            slots.append(try ring.awaited().takeSlot().index)
        }
        #expect(slots.sorted() == [0, 2])
        try ring.prepareSocket(family: AF_INET, .stream, into: .anySlot, token: 1)
        #expect(try ring.completion().error == .tooManyOpenFilesInSystem)
        try ring.prepareSocket(family: AF_INET, .stream, into: .slot(Slot(3)), token: 1)
        #expect(try ring.completion().error == .invalidArgument)
    }

    /// To the kernel they would mean "a descriptor" and "any slot".
    @Test(arguments: [UInt32.max, UInt32.max - 1]) func theLargestSlotsAreNone(_ index: UInt32) throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 1)
        let listener = try loopbackListener()
        let file = RequestFile.descriptor(listener.descriptor)
        let slot = FileDestination.slot(Slot(index))
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareSocket(family: AF_INET, .stream, into: slot, token: 1)
        }
        #expect(throws: Errno.invalidArgument) { try ring.prepareAccept(on: file, into: slot, token: 1) }
        #expect(try ring.submit() == 0)
    }
}

@Suite(.enabled(if: canDo(\.bindAndListen), whyNot)) struct RingListenTests {
    @Test func aSocketListens() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let socket = try StreamSocket(for: .loopback(), .blocking)
        let file = RequestFile.descriptor(socket.descriptor)
        try ring.prepareBind(file, to: SocketAddress.loopback(), .link, token: 1)
        try ring.prepareListen(file, backlog: 16, token: 2)
        #expect(try ring.errors(2) == [1: nil, 2: nil])
        let listener = Listener(owning: try socket.descriptor.duplicate())
        let client = try connect(to: listener)
        let accepted = try acceptNext(from: listener)
        _ = try client.send([5])
        #expect(try accepted.bytes() == [5])
    }

    /// A server that has no descriptor but the ring's.
    @Test func aServerLivesInSlots() throws {
        var ring = try Ring.forThisThread(entries: 16)
        try ring.registerFileSlots(count: 4)
        let address = try abstractAddress("slots")
        let server = Slot(2)
        try ring.reserve(3)
        try ring.prepareSocket(family: address.family, .stream, into: .slot(server), .link, token: 1)
        try ring.prepareBind(.slot(server), to: address, .link, token: 2)
        try ring.prepareListen(.slot(server), backlog: 4, token: 3)
        #expect(try ring.errors(3) == [1: nil, 2: nil, 3: nil])

        try ring.prepareMultishotAccept(on: .slot(server), into: .anySlot, token: 4)
        try ring.submit()
        for _ in 0..<2 {
            let client = try StreamSocket(for: address, .blocking).connect(to: address)
            let completion = try ring.awaited()
            let isArmed = completion.isArmed
            #expect(isArmed)
            let slot = try completion.takeSlot()
            #expect(slot != server)
            let bytes: [UInt8] = [1, 2]
            try bytes.withUnsafeBytes {
                try ring.prepareSend(.slot(slot), from: $0.baseAddress!, count: 2, token: 5)
                #expect(try ring.completion().result == 2)
            }
            #expect(try client.bytes() == [1, 2])
        }
    }

    @Test func anAddressThatIsTakenEndsTheChain() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        let socket = try StreamSocket(for: .loopback(), .blocking)
        let file = RequestFile.descriptor(socket.descriptor)
        try ring.prepareBind(file, to: listener.address, .link, token: 1)
        try ring.prepareListen(file, backlog: 16, token: 2)
        #expect(try ring.errors(2) == [1: .addressInUse, 2: .canceled])
        try ring.prepareBind(file, to: abstractAddress("family"), token: 3)
        #expect(try ring.completion().error != nil)
    }

    @Test func aNegativeBacklogIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let socket = try StreamSocket(for: .loopback(), .blocking)
        let file = RequestFile.descriptor(socket.descriptor)
        #expect(throws: Errno.invalidArgument) { try ring.prepareListen(file, backlog: -1, token: 1) }
        try ring.prepareListen(file, backlog: .max, token: 1)
        #expect(try ring.completion().result == 0)
        let pipe = try Pipe()
        try ring.prepareListen(.descriptor(pipe.reader), backlog: 1, token: 1)
        #expect(try ring.completion().error == .notSocket)
    }
}
