import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

private let hour = Duration.seconds(3600)
private let deferred: RingSetup = [.singleIssuer, .deferTaskRun, .submitAll, .noSubmissionArray]

extension Ring {
    /// Queues timeouts of which every third is over at once, and expects that of those and of no other.
    fileprivate mutating func expectTimesApart(_ tokens: Range<UInt64>) throws {
        for token in tokens { try prepareTimeout(.after(token % 3 == 0 ? .zero : hour), token: token) }
        let short = tokens.filter { $0 % 3 == 0 }
        let ended = try completions(short.count)
        #expect(ended.map(\.token).sorted() == short && ended.allSatisfy { $0.error == .timeout })
        for token in tokens where token % 3 != 0 {
            try prepareTimeoutRemove(target: token, token: 1 << 32)
            #expect(try errors(2) == [token: .canceled, 1 << 32: nil])
        }
    }
}

/// What is kept beside the entries of a queue whose poller lags.
@Suite(.enabled(if: pollersAvailable && canDo(\.timeout) && canDo(\.connect), whyNoPollers))
struct SubmissionMemoryPollerTests {
    @Test(arguments: [1, 2] as [UInt32], [false, true]) func timesAreKeptApart(_ entries: UInt32, sleeps: Bool) throws {
        var ring = try Ring.polled(entries: entries, completions: 256)
        for round in UInt64(0)..<10 {
            if sleeps { try ring.waitUntilPollerSleeps() }
            try ring.expectTimesApart(round * 20..<round * 20 + 20)
        }
    }

    @Test(arguments: [1, 2] as [UInt32]) func addressesAreKeptApart(_ entries: UInt32) throws {
        var ring = try Ring.polled(entries: entries, completions: 256)
        let first = try loopbackListener()
        let second = try loopbackListener()
        let (one, other) = (try first.address, try second.address)
        for _ in 0..<5 {
            try ring.waitUntilPollerSleeps()
            let a = try StreamSocket(for: one, .blocking)
            let b = try StreamSocket(for: other, .blocking)
            let c = try StreamSocket(for: one, .blocking)
            try ring.prepareConnect(.descriptor(a.descriptor), to: one, token: 1)
            try ring.prepareConnect(.descriptor(b.descriptor), to: other, token: 2)
            try ring.prepareConnect(.descriptor(c.descriptor), to: one, token: 3)
            #expect(try ring.errors(3) == [1: nil, 2: nil, 3: nil])
            #expect(try SocketAddress.peer(of: a.descriptor) == one)
            #expect(try SocketAddress.peer(of: b.descriptor) == other)
            #expect(try SocketAddress.peer(of: c.descriptor) == one)
        }
    }

    /// A poller goes on when the ring has ended and somebody else has it open.
    @Test func aPollerThatOutlivesItsRingReadsWhatWasWritten() throws {
        for _ in 0..<20 {
            let listener = try loopbackListener()
            let socket = try StreamSocket(for: .loopback(), .blocking)
            let copy: OwnedDescriptor
            do {
                var ring = try Ring.polled(entries: 1)
                copy = try ring.descriptor.duplicate()
                try ring.waitUntilPollerSleeps()
                try ring.prepareConnect(.descriptor(socket.descriptor), to: listener.address, token: 1)
                try ring.submit()
            }
            _ = try acceptNext(from: listener)
            _ = copy
        }
    }
}

/// What is kept beside the entries of queues that change their size.
@Suite(.enabled(if: canDo(\.timeout), whyNot)) struct SubmissionMemoryResizeTests {
    @Test func timesAreKeptApart() throws {
        // Linux 6.13.
        guard var ring = try? Ring(entries: 2, deferred), (try? ring.resize(entries: 4)) != nil else { return }
        var next: UInt64 = 0
        for entries: UInt32 in [2, 8, 64, 1, 16, 4] {
            // Taken before the resize, and over after it.
            try ring.prepareTimeout(.after(.milliseconds(1)), token: 1 << 33)
            try ring.prepareTimeout(.after(hour), token: 1 << 34)
            try ring.submit()
            try ring.resize(entries: entries, completions: 256)
            #expect(try ring.completion().token == 1 << 33)
            try ring.expectTimesApart(next..<next + 24)
            next += 24
            try ring.prepareTimeoutRemove(target: 1 << 34, token: 1 << 32)
            #expect(try ring.errors(2) == [1 << 34: .canceled, 1 << 32: nil])
        }
    }
}
