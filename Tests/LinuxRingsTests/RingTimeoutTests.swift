import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

private let hour = Duration.seconds(3600)

@Suite(.enabled(if: canDo(\.timeout), whyNot)) struct RingTimeoutTests {
    @Test(arguments: [Duration.zero, .nanoseconds(-1), .seconds(Int64.min), .nanoseconds(1), .milliseconds(1)])
    func aTimeThatIsOverIsAnError(_ time: Duration) throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(.after(time), token: 1)
        let completion = try ring.completion()
        #expect(completion.token == 1 && completion.error == .timeout && !completion.isArmed)
        #expect(try ring.isQuiet())
    }

    @Test(.enabled(if: canDo(\.timeoutClocks), whyNot), arguments: [Ring.Clock.monotonic, .boottime, .realtime])
    func aTimeOfAClockIsReached(_ clock: Ring.Clock) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let wanted = clock.now + .milliseconds(2)
        let past = [Duration.zero, .seconds(Int64.min), clock.now - .nanoseconds(1)]
        for expiration in past.map(Ring.Expiration.at) + [.at(wanted), .after(.nanoseconds(1))] {
            try ring.prepareTimeout(expiration, clock: clock, token: 1)
            #expect(try ring.completion().error == .timeout)
        }
        #expect(clock.now >= wanted)
    }

    /// Of a time that could wrap nothing is over.
    @Test(
        arguments: [Duration.seconds(1 << 30), .seconds(1 << 40), .seconds(Int64.max), .seconds(Int64.max) * 10],
        [false, true])
    func aLongTimeIsLong(_ time: Duration, isPoint: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(isPoint ? .at(time) : .after(time), token: 1)
        try ring.submit()
        #expect(try ring.isQuiet())
        try ring.prepareTimeoutRemove(target: 1, token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: nil])
    }

    /// Each has its own time, wherever in the queue they are.
    @Test(arguments: 0..<8) func timesAreKeptApart(_ short: UInt64) throws {
        var ring = try Ring.forThisThread(entries: 8)
        for token in 0..<UInt64(8) { try ring.prepareTimeout(.after(token == short ? .zero : hour), token: token) }
        let first = try ring.completion()
        #expect(first.token == short && first.error == .timeout)
        for token in 0..<UInt64(8) where token != short { try ring.prepareTimeoutRemove(target: token, token: 9) }
        let others = try ring.completions(14)
        #expect(others.filter { $0.token == 9 && $0.result == 0 }.count == 7)
        #expect(Set(others.filter { $0.error == .canceled }.map(\.token)) == Set(0..<8).subtracting([short]))
    }

    @Test func completionsEndItBeforeItsTime() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(.after(hour), completions: 2, token: 1)
        try ring.prepareFailure(token: 2)
        try ring.prepareFailure(token: 3)
        #expect(try ring.completions(3).map(\.token) == [2, 3, 1])
        try ring.prepareTimeout(.after(hour), completions: 1, token: 1)
        try ring.prepareFailure(token: 2)
        let seen = try ring.completions(2)
        #expect(seen.map(\.token) == [2, 1] && seen.last?.result == 0)
    }

    /// The one that needs most was queued first, and one needs more than will ever come.
    @Test func countsAreReachedInTheirOrder() throws {
        var ring = try Ring.forThisThread(entries: 16)
        let counts: [UInt32] = [.max, 3, 2, 1, 1 << 31]
        for count in counts { try ring.prepareTimeout(.after(hour), completions: count, token: UInt64(count)) }
        try ring.submit()
        #expect(ring.readyCompletions == 0)
        var ended: [UInt64] = []
        var others = 0
        while ended.count < 3 {
            try ring.prepareFailure(token: 7)
            try ring.submitAndWait()
            others += 1
            while let seen = ring.nextSeen() {
                if seen.token == 7 { continue }
                #expect(seen.result == 0 && others >= seen.token)
                ended.append(seen.token)
            }
            try #require(others < 100)
        }
        #expect(ended == [1, 2, 3])
        for count in [counts[0], counts[4]] { try ring.prepareTimeoutRemove(target: UInt64(count), token: 8) }
        #expect(try ring.completions(4).filter { $0.error == .canceled }.count == 2)
    }

    @Test func removalOfNothingSaysSo() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        // It is none of the timeouts.
        try ring.prepareTimeoutRemove(target: 1, token: 2)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
        try ring.prepareTimeout(.after(.zero), token: 3)
        #expect(try ring.completion().error == .timeout)
        try ring.prepareTimeoutRemove(target: 3, token: 2)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
    }

    @Test func cancellationEndsIt() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(.after(hour), token: 1)
        try ring.prepareCancel(target: 1, token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: nil])
    }

    /// Whether what is linked behind it starts when its time is over.
    @Test(arguments: [true, false]) func itCanDelayWhatFollows(_ endsChain: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        try ring.prepareTimeout(.after(.milliseconds(1)), endsChain: endsChain, .link, token: 1)
        try ring.preparePoll(ready.descriptor, .readable, token: 2)
        let seen = try ring.completions(2)
        #expect(seen.map(\.token) == [1, 2])
        #expect(seen[0].error == .timeout && seen[1].error == (endsChain ? .canceled : nil))
    }

    @Test func manyEndWithTheRing() throws {
        var ring = try Ring.forThisThread(entries: 64, completions: 1024)
        for token in 0..<UInt64(1000) { try ring.prepareTimeout(.after(hour), token: token) }
        // Makes the end wait for all of them.
        try ring.prepareClose(BorrowedDescriptor.standardError.duplicate(), token: 9999)
        try ring.submit()
    }
}

@Suite(.enabled(if: canDo(\.timeoutUpdate), whyNot)) struct RingTimeoutUpdateTests {
    @Test(arguments: [Ring.Expiration.after(.zero), .at(.zero), .after(.milliseconds(1))])
    func itIsOverSooner(_ expiration: Ring.Expiration) throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(.after(hour), token: 1)
        try ring.prepareTimeoutUpdate(target: 1, to: expiration, token: 2)
        #expect(try ring.errors(2) == [1: .timeout, 2: nil])
    }

    @Test func itIsOverLater() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(.after(hour), token: 1)
        for expiration in [Ring.Expiration.after(hour * 2), .at(Ring.Clock.monotonic.now + hour)] {
            try ring.prepareTimeoutUpdate(target: 1, to: expiration, token: 2)
            let seen = try ring.completion()
            #expect(seen.token == 2 && seen.result == 0)
        }
        try ring.prepareTimeoutRemove(target: 1, token: 3)
        #expect(try ring.errors(2) == [1: .canceled, 3: nil])
    }

    /// What is past of the time of day is not past of the time since the start.
    @Test(.enabled(if: canDo(\.timeoutClocks), whyNot)) func itKeepsItsClock() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(.after(hour), clock: .monotonic, token: 1)
        try ring.prepareTimeoutUpdate(target: 1, to: .at(Ring.Clock.realtime.now - .seconds(1)), token: 2)
        #expect(try ring.completion().token == 2)
        #expect(try ring.isQuiet())
        try ring.prepareTimeout(.after(hour), clock: .realtime, token: 3)
        try ring.prepareTimeoutUpdate(target: 3, to: .at(Ring.Clock.realtime.now - .seconds(1)), token: 4)
        #expect(try ring.errors(2) == [3: .timeout, 4: nil])
    }

    @Test func anUpdateOfNothingSaysSo() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeoutUpdate(target: 1, to: .after(.zero), token: 2)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
    }

    @Test func itCountsNoMore() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareTimeout(.after(hour), completions: 3, token: 1)
        try ring.prepareTimeoutUpdate(target: 1, to: .after(hour), token: 2)
        #expect(try ring.completion().token == 2)
        for _ in 0..<5 { #expect(try ring.isQuiet()) }
        try ring.prepareTimeoutRemove(target: 1, token: 3)
        #expect(try ring.errors(2) == [1: .canceled, 3: nil])
    }
}

@Suite(.enabled(if: canDo(\.multishotTimeout), whyNot)) struct RingMultishotTimeoutTests {
    @Test(arguments: [UInt32(1), 2, 5]) func itCompletesSoOften(_ times: UInt32) throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareMultishotTimeout(every: .microseconds(100), times: times, token: 1)
        let seen = try ring.completions(Int(times))
        #expect(seen.allSatisfy { $0.token == 1 && $0.error == .timeout })
        #expect(seen.map(\.isArmed) == Array(repeating: true, count: Int(times) - 1) + [false])
        #expect(try ring.isQuiet())
    }

    @Test func itGoesOnUntilItIsRemoved() throws {
        var ring = try Ring.forThisThread(entries: 8, completions: 1024)
        try ring.prepareMultishotTimeout(every: .milliseconds(1), token: 1)
        #expect(try ring.completions(4).allSatisfy { $0.token == 1 && $0.isArmed })
        // At the moment in which its time is over it is not among those that are pending.
        var ends: [Seen] = []
        var removals: [Seen] = []
        while ends.isEmpty || removals.isEmpty {
            if removals.last?.result != 0 { try ring.prepareTimeoutRemove(target: 1, token: 2) }
            let seen = try ring.completion()
            if seen.token == 2 { removals.append(seen) } else if !seen.isArmed { ends.append(seen) }
        }
        #expect(ends.map(\.error) == [.canceled])
        #expect(removals.last?.result == 0)
        #expect(try ring.isQuiet())
    }

    @Test func itGoesByItsClock() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareMultishotTimeout(every: .microseconds(100), times: 2, clock: .boottime, token: 1)
        #expect(try ring.completions(2).map(\.isArmed) == [true, false])
    }

    @Test(arguments: [Duration.zero, .seconds(-1)]) func aPeriodOfNoTimeIsRefused(_ period: Duration) throws {
        var ring = try Ring.forThisThread(entries: 8)
        #expect(throws: Errno.invalidArgument) { try ring.prepareMultishotTimeout(every: period, token: 1) }
        #expect(try ring.submit() == 0)
    }
}
