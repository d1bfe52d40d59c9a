import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// As many requests as the completion queue has places, cancelled at once: with the cancellation's own there is one
/// completion more than fits.
@Suite(.enabled(if: multishotReceiveAvailable, whyNoRings)) struct RingCancelBurstTests {
    static let setups: [RingSetup] = [
        [], [.singleIssuer, .deferTaskRun, .submitAll], [.cooperativeTaskRun, .submitAll],
    ]
    private static let places: UInt32 = 64

    /// A ring with few places for submissions, so that the requests are handed over in several parts.
    private func ring(_ setup: RingSetup) throws(Errno) -> Ring {
        try Ring(entries: 16, completions: Self.places, setup)
    }

    /// Shows that the ring is of use yet.
    private func expectUsable(_ ring: inout Ring, _ pipe: borrowing TestSupport.Pipe) throws {
        #expect(ring.nextSeen() == nil && ring.droppedCompletions == 0)
        try ring.prepareMultishotPoll(pipe.reader, .readable, token: 500)
        for token in UInt64(501)...600 { try ring.prepareNop(token: token) }
        #expect(try ring.completions(100).map(\.token) == Array(501...600))
        try pipe.write()
        let readable = try ring.completion()
        #expect(readable.token == 500 && readable.isArmed)
        try pipe.read()
    }

    @Test(arguments: setups, [false, true]) func pollsEndOnce(_ setup: RingSetup, isMultishot: Bool) throws {
        guard ringsTake(setup) else { return }
        var ring = try ring(setup)
        let pipe = try TestSupport.Pipe()
        for token in 0..<UInt64(Self.places) {
            if isMultishot {
                try ring.prepareMultishotPoll(pipe.reader, .readable, token: token)
            } else {
                try ring.preparePoll(pipe.reader, .readable, token: token)
            }
        }
        try ring.submit()
        try ring.prepareCancel(.file(.descriptor(pipe.reader)), all: true, token: 99)
        let ended = try ring.completions(Int(Self.places) + 1)
        let cancellation = ended.filter { $0.token == 99 }
        #expect(cancellation.map(\.result) == [Int32(Self.places)])
        let polls = ended.filter { $0.token != 99 }
        #expect(polls.map(\.token).sorted() == Array(0..<UInt64(Self.places)))
        #expect(polls.allSatisfy { $0.error == .canceled && !$0.isArmed })
        try expectUsable(&ring, pipe)
    }

    /// Without a submission, while completions of others fill the queue already.
    @Test(arguments: setups) func receivesEndOnceInAFullQueue(_ setup: RingSetup) throws {
        guard ringsTake(setup) else { return }
        var ring = try ring(setup)
        let group = BufferGroup(identifier: 1, count: 8, bytes: 16)
        try ring.register(group)
        let pair = try Pair()
        let file = RequestFile.descriptor(pair.server.descriptor)
        for token in 0..<UInt64(Self.places) { try ring.prepareMultishotReceive(file, from: 1, token: token) }
        for token in UInt64(100)..<UInt64(100 + Self.places) { try ring.prepareNop(token: token) }
        try ring.submit()
        #expect(try ring.cancel(.everything) == Int(Self.places))
        let ended = try ring.completions(2 * Int(Self.places))
        #expect(ended.filter { $0.token >= 100 }.map(\.token) == Array(100..<UInt64(100 + Self.places)))
        let receives = ended.filter { $0.token < 100 }
        #expect(receives.map(\.token).sorted() == Array(0..<UInt64(Self.places)))
        #expect(receives.allSatisfy { $0.error == .canceled && !$0.isArmed })
        // What comes now is for a receive that is queued now.
        try ring.prepareMultishotReceive(file, from: 1, token: 7)
        let count = try pair.client.send([1, 2, 3])
        let received = try ring.completion()
        #expect(count == 3 && received.token == 7 && received.result == 3)
        let pipe = try TestSupport.Pipe()
        try ring.prepareCancel(.token(7), token: 8)
        #expect(Set(try ring.completions(2).map(\.token)) == [7, 8])
        try expectUsable(&ring, pipe)
    }

    /// A ring that owns cancels by what each request carries, so that there are twice as many completions.
    @Test func aRingThatOwnsKeepsTheEventsOfOthers() throws {
        let ring = TestRing(try ring([]))
        let pipe = try TestSupport.Pipe()
        let (one, other) = (try SocketPair(), try SocketPair())
        let busy = try ring.base.insert(one.takeFirst())
        let quiet = try ring.base.insert(other.takeFirst())
        for _ in 0..<Self.places { try ring.base.preparePoll(busy, .readable, multishot: true) }
        for _ in 0..<Self.places { try ring.base.preparePoll(quiet, .readable) }
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        try ring.base.drain(busy)
        var ended = 0
        while let event = ring.next() {
            #expect(event.token == busy && event.error == .canceled && !event.isArmed)
            ended += 1
        }
        #expect(ended == Self.places && ring.base.pendingOperations(on: busy).isEmpty)
        #expect(ring.base.pendingOperations(on: quiet).count == Self.places)
        try ring.base.close(quiet)
        #expect(ring.next() == nil && ring.base.droppedCompletions == UInt64(Self.places))
        // It goes on.
        let reader = try ring.base.insert(lent: pipe.reader)
        try ring.base.preparePoll(reader, .readable)
        try pipe.write()
        let event = SeenEvent(try ring.awaited())
        #expect(event.token == reader && event.result > 0)
    }
}
