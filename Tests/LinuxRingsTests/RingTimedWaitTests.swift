import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

private let extendedArgument = (try? RingCapabilities.probe())?.features.contains(.extendedArgument) ?? false

/// Waits that tell how they ended.
@Suite(.enabled(if: extendedArgument, whyNot)) struct RingTimedWaitTests {
    @Test(arguments: [Duration?.none, .seconds(600), .zero]) func enoughIsEnough(_ limit: Duration?) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        for token in UInt64(1)...3 { try ring.preparePoll(ready.descriptor, .readable, token: token) }
        let wait = try ring.submitAndWait(for: 2, upTo: limit)
        #expect(wait.end == .enough && wait.ready == 3)
        // They are there already.
        let enters = ring.enters
        #expect(try ring.submitAndWait(for: 3, upTo: limit).end == .enough)
        #expect(ring.enters == enters)
    }

    /// Whether or not something is handed over, and something is there: the kernel says something else each time.
    @Test(arguments: [0, 1], [0, 1, 2]) func aTimeThatIsOverIsToldApart(_ pending: Int, _ ready: Int) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let other = try Ready()
        for token in 0..<pending { try ring.preparePoll(pipe.reader, .readable, token: UInt64(token)) }
        for token in 0..<ready { try ring.preparePoll(other.descriptor, .readable, token: UInt64(10 + token)) }
        for limit in [Duration.milliseconds(2), .zero, .nanoseconds(-1)] {
            let wait = try ring.submitAndWait(for: 3, upTo: limit)
            #expect(wait.end == .timeout && wait.ready == UInt32(ready))
        }
        #expect(ring.submitted == UInt64(pending + ready))
    }

    @Test(arguments: [0, 1], [0, 1]) func aSignalIsToldApart(_ pending: Int, _ ready: Int) throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let waiting = TestThread {
            allowInterruption()
            var ring = try Ring.forThisThread(entries: 8)
            let other = try Ready()
            for token in 0..<pending { try ring.preparePoll(reader, .readable, token: UInt64(token)) }
            for token in 0..<ready { try ring.preparePoll(other.descriptor, .readable, token: UInt64(10 + token)) }
            return try ring.submitAndWait(for: 3, upTo: nil)
        }
        while !waiting.hasEnded {
            try waiting.waitUntilBlocked()
            _ = waiting.signal(interruption)
        }
        let wait = try waiting.join()
        #expect(wait.end == .interrupted && wait.ready == UInt32(ready))
    }

    @Test(.enabled(if: canDo(\.timeout), whyNot)) func theEndOfATimeoutEndsTheWait() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(.after(.milliseconds(1)), token: 1)
        let wait = try ring.submitAndWait(for: 2, upTo: patience)
        #expect(wait.end == .interrupted && wait.ready <= 1)
        #expect(try ring.completion().error == .timeout)
    }

    @Test func aRefusedSubmissionDoesNotEndIt() throws {
        var ring = try Ring(entries: 8)
        let ready = try Ready()
        try ring.prepareCancel(target: 9, RingCloseOwnershipTests.refused([]), token: 1)
        try ring.preparePoll(ready.descriptor, .readable, token: 2)
        let wait = try ring.submitAndWait(for: 2, upTo: patience)
        #expect(wait.end == .enough && wait.ready == 2)
    }

    @Test func impossibleCountsAreRefused() throws {
        var ring = try Ring(entries: 2, completions: 4)
        for count in [0, 5, UInt32.max] {
            #expect(throws: Errno.invalidArgument) { try ring.submitAndWait(for: count, upTo: .zero) }
        }
        #expect(try ring.submitAndWait(for: 4, upTo: .zero).end == .timeout)
    }

    @Test(arguments: [Duration.seconds(Int64.max) * 10, .seconds(1 << 33)])
    func aLongTimeIsLong(_ limit: Duration) throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let waiting = TestThread {
            var ring = try Ring.forThisThread(entries: 8)
            try ring.preparePoll(reader, .readable, token: 1)
            return try ring.submitAndWait(for: 1, upTo: limit)
        }
        try waiting.waitUntilBlocked()
        #expect(!waiting.hasEnded)
        try pipe.write()
        #expect(try waiting.join().end == .enough)
    }

    @Test func anotherThreadIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try #require(ring.setup.contains(.singleIssuer))
        try ring.preparePoll(.standardError, .writable, token: 1)
        let carried = Carried(ring)
        let error = try onOwnThread {
            failure { () throws(Errno) in try carried.ring.submitAndWait(for: 1, upTo: .zero) }
        }
        #expect(error == .fileExists)
    }
}

/// Waits of rings that enter the kernel without liburing.
@Suite(.enabled(if: extendedArgument, whyNot)) struct RingTimedWaitSetupTests {
    @Test(arguments: [RingSetup.submissionPolling, [.cooperativeTaskRun, .taskRunFlag]])
    func anEndIsToldApartAndSubmissionsAreCountedOnce(_ setup: RingSetup) throws {
        guard ringsTake(setup) else { return }
        let ends = try onOwnThread {
            allowInterruption()
            blockInterruption()
            var ring = try Ring(entries: 8, setup)
            let ready = try Ready()
            let pipe = try Pipe()
            try ring.preparePoll(ready.descriptor, .readable, token: 1)
            try ring.preparePoll(pipe.reader, .readable, token: 2)
            let first = try ring.submitAndWait(for: 1, upTo: patience)
            let second = try ring.submitAndWait(for: 2, upTo: .milliseconds(2))
            #expect(second.ready == 1 && ring.submitted == 2)
            raise(interruption)
            let third = try ring.submitAndWait(for: 2, upTo: patience, signals: .ofThread(except: [interruption]))
            #expect(!interruptionIsPending() && ring.submitted == 2)
            return [first.end, second.end, third.end]
        }
        #expect(ends == [.enough, .timeout, .interrupted])
    }
}

/// Signals that only the wait lets through.
@Suite(.enabled(if: extendedArgument, whyNot)) struct RingSignalMaskTests {
    /// It came before the wait and was blocked: without the mask of the wait it would be missed.
    @Test(arguments: [0, 1]) func aSignalThatWasPendingEndsTheWait(_ pending: Int) throws {
        let ends = try onOwnThread {
            allowInterruption()
            blockInterruption()
            let pipe = try Pipe()
            var ring = try Ring.forThisThread(entries: 8)
            for token in 0..<pending { try ring.preparePoll(pipe.reader, .readable, token: UInt64(token)) }
            raise(interruption)
            let without = try ring.submitAndWait(for: 1, upTo: .milliseconds(2))
            #expect(interruptionIsPending())
            if pending == 1 { try ring.preparePoll(pipe.reader, .readable, token: 9) }
            let with = try ring.submitAndWait(for: 1, upTo: patience, signals: .ofThread(except: [interruption]))
            #expect(!interruptionIsPending())
            // It is blocked again.
            raise(interruption)
            #expect(interruptionIsPending())
            return [without.end, with.end]
        }
        #expect(ends == [.timeout, .interrupted])
    }

    @Test func aSignalThatIsBlockedDuringTheWaitDoesNotEndIt() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let waiting = TestThread {
            allowInterruption()
            var ring = try Ring.forThisThread(entries: 8)
            try ring.preparePoll(reader, .readable, token: 1)
            return try ring.submitAndWait(
                for: 1, upTo: patience, signals: Ring.SignalMask(blocking: [interruption]))
        }
        for _ in 0..<20 {
            try waiting.waitUntilBlocked()
            #expect(waiting.signal(interruption))
        }
        #expect(!waiting.hasEnded)
        try pipe.write()
        #expect(try waiting.join().end == .enough)
    }

    @Test func masksAreWhatTheKernelHas() {
        #expect(Ring.SignalMask(blocking: [1, 10, 64]).bits == 0x8000_0000_0000_0201)
        #expect(Ring.SignalMask(blocking: [0, 65, -1]).bits == 0)
    }
}

/// Carries a ring to another thread, which is not meant to be done.
private final class Carried: @unchecked Sendable {
    // Unchecked: one thread uses it after the other.
    var ring: Ring

    init(_ ring: consuming Ring) { self.ring = ring }
}
