import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

private let leastTimesAvailable = ringCapabilities?.features.contains(.minimumWait) == true
private let limitsAvailable = ringCapabilities?.features.contains(.extendedArgument) == true

/// Waits for several completions, with a least time and a limit.
@Suite(.enabled(if: limitsAvailable, "waits with a time need Linux 5.11"))
struct RingBatchTests {
    /// Rings that enter by liburing elsewhere, and those that never do.
    static let setups: [RingSetup] = [
        [], [.singleIssuer, .deferTaskRun], [.cooperativeTaskRun, .taskRunFlag], .submissionPolling, .mixedCompletions,
    ]

    @Test(arguments: setups) func asManyAsWantedEndTheWait(_ setup: RingSetup) throws {
        guard ringsTake(setup) else { return }
        var ring = try Ring(entries: 8, setup)
        for token in 0..<UInt64(4) { try ring.prepareNop(token: token) }
        #expect(try ring.submitAndWait(batch: WaitBatch(count: 4, limit: patience)))
        #expect(ring.readyCompletions == 4)
        #expect(try ring.completions(4).map(\.token) == [0, 1, 2, 3])
        #expect(ring.submitted == 4)
    }

    @Test(arguments: setups) func fewerEndItWithTheLimit(_ setup: RingSetup) throws {
        guard ringsTake(setup) else { return }
        var ring = try Ring(entries: 8, setup)
        try ring.prepareNop(token: 7)
        // A poller takes its time.
        try ring.submitAndWait()
        let limit = Duration.milliseconds(3)
        let start = ContinuousClock.now
        #expect(try ring.submitAndWait(batch: WaitBatch(count: 2, limit: limit)) == false)
        #expect(ContinuousClock.now - start >= limit)
        #expect(ring.nextSeen()?.token == 7)
        #expect(try ring.submitAndWait(batch: WaitBatch(count: 1, limit: .zero)) == false)
    }

    @Test func whatIsReadyNeedsNoEnter() throws {
        var ring = try Ring(entries: 8)
        try ring.prepareNop(token: 1)
        try ring.submitAndWait()
        let enters = ring.enters
        #expect(try ring.submitAndWait(batch: WaitBatch(count: 1, limit: patience)))
        #expect(ring.enters == enters)
    }

    @Test(arguments: setups) func collectingDoesNotWait(_ setup: RingSetup) throws {
        guard ringsTake(setup) else { return }
        var ring = try Ring(entries: 8, setup)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        let enters = ring.enters
        #expect(try ring.submitAndCollect() == false)
        #expect(ring.enters == enters + 1)
        try pipe.write()
        let end = ContinuousClock.now + patience
        while try !ring.submitAndCollect() { #expect(ContinuousClock.now < end) }
        #expect(ring.nextSeen()?.token == 1)
        #expect(ring.submitted == 1)
    }

    @Test func aBatchWithoutTimesIsAnOrdinaryWait() throws {
        var ring = try Ring(entries: 8)
        for token in 0..<UInt64(3) { try ring.prepareNop(token: token) }
        #expect(try ring.submitAndWait(batch: WaitBatch(count: 3)))
        #expect(ring.enters == 1)
    }

    @Test(.enabled(if: leastTimesAvailable, "a least time needs Linux 6.12"), arguments: setups)
    func aLeastTimeIsUsedUpAlthoughOneIsReady(_ setup: RingSetup) throws {
        guard ringsTake(setup) else { return }
        var ring = try Ring(entries: 8, setup)
        try ring.prepareNop(token: 1)
        try ring.submitAndWait()
        let least = Duration.milliseconds(3)
        let start = ContinuousClock.now
        // Would last for minutes if one completion were not enough in the end.
        let batch = WaitBatch(count: 4, minimum: least, limit: patience)
        #expect(try ring.submitAndWait(batch: batch) == false)
        #expect(ContinuousClock.now - start >= least)
        #expect(ContinuousClock.now - start < patience)
        #expect(ring.nextSeen()?.token == 1)
    }

    @Test(.enabled(if: leastTimesAvailable, "a least time needs Linux 6.12"))
    func afterTheLeastTimeTheFirstCompletionEndsTheWait() throws {
        try expectTheFirst(WaitBatch(count: 4, minimum: .microseconds(1), limit: patience))
    }

    /// The kernel by itself would end such a wait with the least time.
    @Test(.enabled(if: leastTimesAvailable, "a least time needs Linux 6.12"))
    func aLeastTimeWithoutALimitEndsNoWaitThatHasNothing() throws {
        try expectTheFirst(WaitBatch(count: 4, minimum: .milliseconds(1)))
    }

    private func expectTheFirst(_ batch: WaitBatch) throws {
        let pipe = try Pipe()
        let waiting = TestThread {
            var ring = try Ring(entries: 8)
            try ring.preparePoll(pipe.reader, .readable, token: 5)
            let isEnough = try ring.submitAndWait(batch: batch)
            return (isEnough, ring.nextSeen()?.token)
        }
        try waiting.waitUntilBlocked()
        // The least time passes.
        usleep(5000)
        try pipe.write()
        let (isEnough, token) = try waiting.join()
        #expect(!isEnough && token == 5)
    }

    @Test func mistakesAreRefused() throws {
        var ring = try Ring(entries: 2, completions: 4)
        #expect(failure { () throws(Errno) in try ring.submitAndWait(batch: WaitBatch(count: 5)) } == .invalidArgument)
        #expect(WaitBatch(count: 0).count == 1)
        #expect(WaitBatch(count: 1, minimum: .seconds(-1)) == WaitBatch(count: 1))
        #expect(WaitBatch(count: 1, minimum: .seconds(1 << 40)).minimum == .seconds(3600))
        #expect(WaitBatch(count: 1, minimum: .nanoseconds(1_999)).minimum == .microseconds(1))
    }
}

/// Waits that the kernel reads from memory of its own knowledge.
@Suite(.enabled(if: ringCapabilities?.registeredWaits == true, "registered waits need Linux 6.13"))
struct RegisteredWaitTests {
    private func ring(_ batches: [WaitBatch], _ setup: RingSetup = []) throws -> (RingBox, [RegisteredWait]) {
        var ring = try Ring(entries: 8, setup.union(.startsDisabled))
        let waits = try ring.registerWaits(batches)
        try ring.enable()
        return (RingBox(ring), waits)
    }

    @Test(arguments: [[], [.singleIssuer, .deferTaskRun], [.cooperativeTaskRun, .taskRunFlag]] as [RingSetup])
    func eachWaitHasItsOwnTimes(_ setup: RingSetup) throws {
        // More than a page of them.
        var batches = [WaitBatch](repeating: WaitBatch(count: 1, limit: patience), count: 100)
        batches[99] = WaitBatch(count: 3, limit: .milliseconds(3))
        let (box, waits) = try ring(batches, setup)
        #expect(waits.count == 100)
        try box.ring.prepareNop(token: 1)
        #expect(try box.ring.submitAndWait(registered: waits[0]))
        let start = ContinuousClock.now
        #expect(try box.ring.submitAndWait(registered: waits[99]) == false)
        #expect(ContinuousClock.now - start >= .milliseconds(3))
        #expect(box.ring.nextSeen()?.token == 1)
    }

    @Test func aLeastTimeIsReadToo() throws {
        let (box, waits) = try ring([WaitBatch(count: 4, minimum: .milliseconds(3), limit: patience)])
        try box.ring.prepareNop(token: 1)
        let start = ContinuousClock.now
        #expect(try box.ring.submitAndWait(registered: waits[0]) == false)
        #expect(ContinuousClock.now - start >= .milliseconds(3))
        #expect(box.ring.readyCompletions == 1)
    }

    @Test func aRegisteredDescriptorGoesWithIt() throws {
        let (box, waits) = try ring([WaitBatch(count: 1, limit: .milliseconds(1))])
        try box.ring.registerDescriptor()
        #expect(try box.ring.submitAndWait(registered: waits[0]) == false)
        try box.ring.prepareNop(token: 1)
        #expect(try box.ring.submitAndWait(registered: waits[0]))
    }

    @Test func mistakesAreRefused() throws {
        var enabled = try Ring(entries: 8)
        #expect(
            failure { () throws(Errno) in try enabled.registerWaits([WaitBatch(count: 1)]) } == .invalidArgument)
        let (box, waits) = try ring([WaitBatch(count: 1)])
        #expect(failure { () throws(Errno) in try enabled.submitAndWait(registered: waits[0]) } == .invalidArgument)
        #expect(failure { () throws(Errno) in try box.ring.registerWaits([]) } == .invalidArgument)
        var disabled = try Ring(entries: 8, .startsDisabled)
        #expect(failure { () throws(Errno) in try disabled.registerWaits([]) } == .invalidArgument)
        _ = try disabled.registerWaits([WaitBatch(count: 1)])
        #expect(failure { () throws(Errno) in try disabled.registerWaits([WaitBatch(count: 1)]) } == .resourceBusy)
    }
}

/// A ring that can be returned in a tuple.
private final class RingBox {
    var ring: Ring

    init(_ ring: consuming Ring) { self.ring = ring }
}
