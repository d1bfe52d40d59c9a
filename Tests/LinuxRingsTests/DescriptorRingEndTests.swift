import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Connections that were accepted and not taken end with the listener's token, or with the ring.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct DescriptorRingEndTests {
    enum Kind: CaseIterable {
        case plain, forThisThread

        func make() throws(Errno) -> Ring {
            switch self {
            case .plain: try Ring(entries: 8)
            case .forThisThread: try Ring.forThisThread(entries: 8)
            }
        }
    }

    @Test(arguments: Kind.allCases, [false, true])
    func droppingTheRingClosesWhatIsInTheQueue(kind: Kind, multishot: Bool) throws {
        var ring: TestRing? = TestRing(try kind.make())
        let scene = try Scene(ring!, multishot: multishot)
        ring = nil
        try scene.expectEnd()
    }

    @Test func droppingTheRingClosesWhatWasKept() throws {
        var ring: TestRing? = try TestRing()
        let scene = try Scene(ring!)
        try keepCompletions(of: ring!)
        ring = nil
        try scene.expectEnd()
    }

    /// A queue of two, so that the kernel holds back what was accepted after them.
    @Test func droppingTheRingClosesWhatHadNoRoom() throws {
        var ring: TestRing? = TestRing(try Ring(entries: 1, completions: 2))
        let scene = try Scene(ring!, clients: 8)
        ring = nil
        try scene.expectEnd()
    }

    /// No connection can come between the last completion that was taken and the end.
    @Test(.enabled(if: multishotReceiveAvailable, whyNoRings), arguments: Kind.allCases)
    func nothingIsAcceptedAfterTheRingWasDropped(kind: Kind) throws {
        var ring: TestRing? = TestRing(try kind.make())
        let listener = try loopbackListener()
        let other = try listener.descriptor.duplicate()
        let token = try ring!.base.insert(listener.release())
        try ring!.base.prepareAccept(token)
        #expect(try !ring!.base.wait(timeout: .nanoseconds(1)))
        ring = nil
        let kept = Listener(owning: other)
        let client = try connect(to: kept)
        try expectSameConnection(client, try acceptNext(from: kept))
    }

    /// Far below a second, in which it would give up and leak; the square of so many takes half a minute.
    @Test(.enabled(if: multishotReceiveAvailable, whyNoRings))
    func manyPendingRequestsEndOneAfterTheOther() throws {
        var ring: TestRing? = TestRing(try Ring.forThisThread(entries: 256))
        let pipe = try Pipe()
        let token = try ring!.base.insert(pipe.reader.duplicate())
        for _ in 0..<10_000 { try ring!.base.preparePoll(token, .readable) }
        #expect(try !ring!.base.wait(timeout: .nanoseconds(1)))
        let start = ContinuousClock.now
        ring = nil
        #expect(ContinuousClock.now - start < .seconds(5))

        var bare: Ring? = try Ring.forThisThread(entries: 256)
        for token in UInt64(0)..<10_000 { try bare!.preparePoll(pipe.reader, .readable, token: token) }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        let ends = try Pipe()
        try bare!.prepareRead(ends.reader, into: memory, .link, token: 0)
        try bare!.prepareClose(ends.reader.duplicate(), token: 1)
        try bare!.submit()
        let second = ContinuousClock.now
        bare = nil
        #expect(ContinuousClock.now - second < .seconds(5))
    }

    @Test func closingTheListenerClosesWhatWasKept() throws {
        let ring = try TestRing()
        let scene = try Scene(ring)
        try keepCompletions(of: ring)
        try ring.base.close(scene.token)
        try scene.expectEnd()
        #expect(ring.next() == nil)
    }

    @Test func closingOneListenerKeepsTheConnectionsOfAnother() throws {
        let ring = try TestRing()
        let scene = try Scene(ring)
        let other = try Scene(ring)
        try keepCompletions(of: ring)
        try ring.base.close(scene.token)
        try scene.expectEnd()
        let event = ring.next()
        #expect(event?.token == other.token && event?.operation == .accept)
        try other.expectEnd()
    }

    @Test(arguments: [false, true]) func closingAllClosesWhatWasNotTaken(isKept: Bool) throws {
        let ring = try TestRing()
        let scene = try Scene(ring, clients: 3)
        if isKept { try keepCompletions(of: ring) }
        try ring.base.closeAll()
        try scene.expectEnd()
        #expect(ring.next() == nil)
    }

    /// What is in the queue is the parent's to take.
    @Test func aChildThatDropsTheRingTakesNothing() async {
        await #expect(processExitsWith: .success) {
            var ring: TestRing? = try TestRing()
            let scene = try Scene(ring!)
            let child = forkProcess()
            if child == 0 {
                ring = nil
                _exit(0)
            }
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            precondition(status == 0)
            let event = try ring!.awaited()
            precondition(event.token == scene.token, "the child took a completion")
            _ = try Connection(owning: event.takeDescriptor()).send([1])
            precondition(ring!.next() == nil)
        }
    }
}

/// A listener on a ring, whose accepts have completed and not been taken, and its clients.
private struct Scene: ~Copyable {
    let token: RingToken
    private let clients: [FileDescriptor]

    init(_ ring: TestRing, clients count: Int = 1, multishot: Bool = true) throws {
        let listener = try loopbackListener()
        let address = try listener.address
        let token = try ring.base.insert(listener.release())
        try ring.base.prepareAccept(token, multishot: multishot)
        var clients: [FileDescriptor] = []
        for _ in 0..<count {
            clients.append(try StreamSocket(for: address, .blocking).connect(to: address).release().release())
        }
        try ring.base.wait()
        self.token = token
        self.clients = clients
    }

    /// Each client sees the end of the stream, or a reset if it had not been accepted.
    func expectEnd() throws {
        for client in clients {
            try waitUntilReadable(BorrowedDescriptor(client))
            var byte: UInt8 = 0
            #expect(recv(client.rawValue, &byte, 1, 0) <= 0)
        }
    }

    deinit { for client in clients { try? client.close() } }
}

/// Makes the ring take its completions out of the queue and keep them: removing another descriptor waits for a
/// cancellation behind them.
private func keepCompletions(of ring: TestRing) throws {
    let ends = try SocketPair()
    let token = try ring.base.insert(ends.takeFirst())
    try ring.base.preparePoll(token, .readable)
    try ring.base.close(token)
}

/// The two ends are of one connection.
private func expectSameConnection(_ client: borrowing Connection, _ server: borrowing Connection) throws {
    #expect(try server.send([7]) == 1)
    #expect(try client.bytes() == [7])
}
