import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingQueueTests {
    @Test func completionsCarryTheirTokens() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try writableDescriptor()
        for token in [UInt64(7), 0, Ring.firstReservedToken - 1] {
            try ring.preparePoll(ready.descriptor, .writable, token: token)
        }
        #expect(try ring.submitAndWait(for: 3) == 3)
        let completions = try ring.completions(3)
        #expect(Set(completions.map(\.token)) == [7, 0, Ring.firstReservedToken - 1])
        for completion in completions {
            #expect(completion.error == nil)
            #expect(completion.result == CInt(Ring.PollEvents.writable.rawValue))
            #expect(!completion.isArmed)
            #expect(completion.bufferIdentifier == nil)
        }
        #expect(ring.nextSeen() == nil)
    }

    @Test func fullSubmissionQueueMakesRoomByItself() throws {
        var ring = try Ring.forThisThread(entries: 4, completions: 64)
        let ready = try writableDescriptor()
        for token in 0..<UInt64(30) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        #expect(ring.submitted == 28)
        #expect(ring.enters == 7)
        let completions = try ring.completions(30)
        #expect(completions.map(\.token).sorted() == Array(0..<30))
        #expect(ring.submitted == 30)
    }

    @Test func entersAreCountedWhenTheyHappen() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try writableDescriptor()
        #expect(try ring.submit() == 0)
        #expect(ring.enters == 0)
        try ring.preparePoll(ready.descriptor, .writable, token: 1)
        #expect(ring.enters == 0)
        #expect(try ring.submit() == 1)
        #expect(ring.enters == 1)
        #expect(try ring.submitAndWait(for: 1) == 0)
        #expect(ring.enters == 2)
        #expect(ring.readyCompletions == 1)
        // It is there already and nothing is queued.
        #expect(try ring.submitAndWait(timeout: .milliseconds(1)))
        #expect(ring.enters == 2)
        #expect(ring.nextSeen()?.token == 1)
        #expect(try ring.submitAndWait(timeout: .nanoseconds(1)) == false)
        #expect(ring.enters == 3)
        #expect(ring.submitted == 1)
    }

    @Test func timedWaitHandsOverWhatIsQueued() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try writableDescriptor()
        try ring.preparePoll(ready.descriptor, .writable, token: 1)
        #expect(try ring.submitAndWait(timeout: .seconds(Int64.max)))
        #expect(ring.submitted == 1)
        #expect(ring.nextSeen()?.token == 1)
    }

    @Test func timeEndsAWaitWhoseRequestIsPending() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        #expect(try ring.submitAndWait(timeout: .milliseconds(1)) == false)
        #expect(ring.submitted == 1)
        #expect(ring.nextSeen() == nil)
        try pipe.write()
        #expect(try ring.completion().token == 1)
    }

    @Test func waitWithoutTimeCollectsWhatIsDeferred() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.submit()
        try pipe.write()
        if ring.setup.contains(.deferTaskRun) {
            try ring.submit()
            #expect(ring.readyCompletions == 0)
        }
        #expect(try ring.submitAndWait(timeout: .zero))
        #expect(ring.nextSeen()?.token == 1)
    }

    @Test func signalEndsOnlyAWaitWithATimeout() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let timed = TestThread {
            allowInterruption()
            var ring = try Ring.forThisThread(entries: 8)
            return try ring.submitAndWait(timeout: .seconds(3600))
        }
        let endless = TestThread {
            allowInterruption()
            var ring = try Ring.forThisThread(entries: 8)
            try ring.preparePoll(reader, .readable, token: 1)
            // The first enter submits something, and so reports that instead of the signal that ended it.
            try ring.submitAndWait()
            return ring.nextSeen()?.token
        }
        for _ in 0..<10 {
            try endless.waitUntilBlocked()
            #expect(endless.signal(interruption))
        }
        try timed.waitUntilBlocked()
        #expect(timed.signal(interruption))
        #expect(try timed.join() == false)
        try pipe.write()
        #expect(try endless.join() == 1)
    }

    @Test func completionsThatDoNotFitAreKept() throws {
        var ring = try Ring(entries: 4, completions: 4)
        let ready = try writableDescriptor()
        for token in 0..<UInt64(40) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        try ring.submit()
        #expect(ring.completionsOverflowed == true)
        #expect(ring.readyCompletions == 4)
        var tokens: [UInt64] = []
        while tokens.count < 40 {
            while let completion = ring.nextSeen() { tokens.append(completion.token) }
            // Nothing is queued: this enter is made for the overflow alone.
            let enters = ring.enters
            let overflowed = ring.completionsOverflowed
            try ring.submit()
            #expect(ring.enters == enters + (overflowed ? 1 : 0))
            #expect(ring.readyCompletions > 0 || tokens.count == 40)
        }
        #expect(tokens.sorted() == Array(0..<40))
        #expect(ring.completionsOverflowed == false)
        #expect(ring.droppedCompletions == 0)
    }
}

private func writableDescriptor() throws -> OwnedDescriptor {
    OwnedDescriptor(owning: try FileDescriptor.open("/dev/null", .writeOnly))
}
