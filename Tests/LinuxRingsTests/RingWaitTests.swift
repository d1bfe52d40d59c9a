import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// A wait for completions ends when they are ready, and not before.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingWaitTests {
    /// Without ``RingSetup/submitAll`` the kernel stops at a submission that it refuses, and does not wait.
    @Test(arguments: [RingSetup(), .submitAll])
    func aRefusedSubmissionDoesNotEndTheWait(_ setup: RingSetup) throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let waiting = TestThread {
            var ring = try Ring(entries: 8, setup)
            try ring.prepareCancel(target: 9, RingCloseOwnershipTests.refused([]), token: 1)
            try ring.preparePoll(reader, .readable, token: 2)
            let taken = try ring.submitAndWait(for: 2)
            return (taken, ring.nextSeen(), ring.nextSeen())
        }
        try waiting.waitUntilBlocked()
        #expect(!waiting.hasEnded)
        try pipe.write()
        let (taken, refused, polled) = try waiting.join()
        #expect(taken == 2)
        #expect(refused?.token == 1 && refused?.error == .invalidArgument)
        #expect(polled?.token == 2 && polled?.error == nil)
    }

    @Test func aRefusedSubmissionDoesNotEndATimedWait() throws {
        var ring = try Ring(entries: 8)
        try #require(ring.features.contains(.extendedArgument))
        let pipe = try Pipe()
        try pipe.write()
        try ring.prepareCancel(target: 9, RingCloseOwnershipTests.refused([]), token: 1)
        try ring.preparePoll(pipe.reader, .readable, token: 2)
        #expect(try ring.submitAndWait(for: 2, timeout: patience))
        #expect(try ring.completions(2).map(\.token) == [1, 2])
    }

    @Test func signalsDoNotEndAWaitForMany() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let waiting = TestThread {
            allowInterruption()
            var ring = try Ring.forThisThread(entries: 8)
            for token in UInt64(1)...3 { try ring.preparePoll(reader, .readable, token: token) }
            try ring.submitAndWait(for: 3)
            return ring.readyCompletions
        }
        for _ in 0..<20 {
            try waiting.waitUntilBlocked()
            #expect(waiting.signal(interruption))
        }
        try pipe.write()
        #expect(try waiting.join() == 3)
    }
}

/// Rings and the threads that they belong to.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingThreadTests {
    @Test func anotherThreadIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try #require(ring.setup.contains(.singleIssuer))
        try ring.preparePoll(.standardError, .writable, token: 1)
        let box = Box(ring)
        let error = try onOwnThread { failure { () throws(Errno) in try box.ring.submit() } }
        #expect(error == .fileExists)
        #expect(try box.ring.submit() == 1)
    }

    /// What was pending of a thread stays so, and is cancelled by what would have completed it. The ring lives on.
    @Test func theRequestsOfAThreadThatEndedComeToNothing() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let box = try onOwnThread {
            let box = Box(try Ring(entries: 8))
            try box.ring.preparePoll(reader, .readable, token: 1)
            try box.ring.submit()
            return box
        }
        try pipe.write()
        let completion = try box.ring.completion()
        // The thread may not have ended yet when its result was there.
        #expect(completion.token == 1 && (completion.error == .canceled || completion.result > 0))
        try box.ring.preparePoll(reader, .readable, token: 2)
        #expect(try box.ring.completion().token == 2)
    }
}

/// Carries a ring from thread to thread, which is not meant to be done.
private final class Box: @unchecked Sendable {
    // Unchecked: one thread uses it after the other.
    var ring: Ring

    init(_ ring: consuming Ring) { self.ring = ring }
}
