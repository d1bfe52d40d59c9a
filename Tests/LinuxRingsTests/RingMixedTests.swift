import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// Completions of two sizes in one queue.
@Suite(.enabled(if: ringsTake(.mixedCompletions), "IORING_SETUP_CQE_MIXED needs Linux 6.18"))
struct RingMixedTests {
    private func isLarge(_ token: UInt64) -> Bool { token % 3 == 1 }

    private func queue(_ token: UInt64, on ring: inout Ring) throws {
        try ring.prepareNop(large: isLarge(token) ? (token + 1000, token + 2000) : nil, token: token)
    }

    private func check(_ token: UInt64, _ ring: inout Ring) {
        guard let completion = ring.nextCompletion() else {
            Issue.record("no completion \(token)")
            return
        }
        let flags = completion.flags
        #expect(completion.token == token && completion.result == 0)
        #expect(flags.contains(.large) == isLarge(token))
        if isLarge(token) { #expect(ring.largeResult == (token + 1000, token + 2000)) }
    }

    @Test(arguments: [4, 8, 64] as [UInt32]) func ordersSizesAndContentsHoldWhereTheQueueWraps(_ places: UInt32) throws
    {
        var ring = try Ring(entries: 2, completions: places, [.mixedCompletions, .submitAll])
        var token: UInt64 = 0
        // At every place of the queue both sizes begin and end, so that large ones do not fit at its end and are put at its
        // beginning, behind a place that holds nothing.
        for _ in 0..<200 {
            try queue(token, on: &ring)
            try queue(token + 1, on: &ring)
            try ring.submitAndWait(for: 2)
            check(token, &ring)
            check(token + 1, &ring)
            #expect(ring.nextSeen() == nil)
            #expect(ring.readyCompletions == 0)
            token += 2
        }
    }

    @Test func aFullQueueLosesNothing() throws {
        var ring = try Ring(entries: 16, completions: 16, [.mixedCompletions, .submitAll])
        for token in 0..<UInt64(16) { try queue(token, on: &ring) }
        try ring.submit()
        for token in 0..<UInt64(16) {
            if ring.readyCompletions == 0 { try ring.submitAndWait() }
            check(token, &ring)
        }
        #expect(ring.droppedCompletions == 0)
    }

    @Test func aCloseIsFoundBetweenLargeOnes() throws {
        var ring = try Ring(entries: 8, completions: 8, [.mixedCompletions, .submitAll])
        for round in 0..<UInt64(20) {
            let file = try writableFile()
            try queue(1 + 3 * round, on: &ring)
            try ring.prepareClose(file, token: 5)
            try ring.submitAndWait(for: 3)
            check(1 + 3 * round, &ring)
            #expect(ring.nextSeen()?.token == 5)
        }
    }

    @Test func theEndTakesThemToo() throws {
        for places in [4, 8, 16] as [UInt32] {
            let pipe = try Pipe()
            let file = try writableFile()
            var ring = try Ring(entries: 4, completions: places, [.mixedCompletions, .submitAll])
            try ring.preparePoll(pipe.reader, .readable, token: 9)
            for token in 0..<UInt64(3) { try queue(token, on: &ring) }
            try ring.prepareClose(file, token: 5)
            try ring.submit()
        }
    }

    @Test func aDescriptorRingPassesOverThem() throws {
        var bare = try Ring(entries: 8, completions: 8, [.mixedCompletions, .submitAll])
        #expect(failure { () throws(Errno) in try bare.registerDescriptor() } == nil)
        var ring = DescriptorRing(bare)
        for _ in 0..<20 {
            let pipe = try Pipe()
            let token = try ring.insert(lent: pipe.reader)
            try ring.preparePoll(token, .readable)
            try pipe.write()
            #expect(try ring.wait(timeout: patience))
            #expect(ring.nextEvent()?.token == token)
            try ring.close(token)
        }
    }

    @Test func aLargeOneNeedsTheRing() throws {
        var ring = try Ring(entries: 8)
        try ring.prepareNop(large: (1, 2), token: 3)
        #expect(try ring.completion().error == .invalidArgument)
    }
}
