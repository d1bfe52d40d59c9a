import CTestSupport
import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// A wait that says what ended it: an event, the time, a signal.
@Suite struct EpollInterruptibleTests {
    /// None, whole milliseconds, and what takes `epoll_pwait2`.
    static let limits: [Duration?] = [nil, .seconds(60), .seconds(60) + .nanoseconds(1)]
    static let short: [Duration] = [
        .zero, .nanoseconds(-1), .nanoseconds(1), .milliseconds(1), .nanoseconds(1_000_001),
    ]

    @Test(arguments: short, [false, true]) func theEndOfTheTimeIsTold(_ limit: Duration, _ hasMask: Bool)
        throws
    {
        let set = try Epoll()
        let buffer = EpollEventBuffer(capacity: 1)
        #expect(try set.waitInterruptibly(into: buffer, timeout: limit, blocked: hasMask ? .blocked : nil) == .timedOut)
    }

    @Test(arguments: limits + [.zero], [false, true])
    func eventsAreCounted(_ limit: Duration?, _ hasMask: Bool) throws {
        let set = try Epoll()
        let one = try EventFD(count: 1)
        let other = try EventFD(count: 1)
        try set.add(one.descriptor, .readable, token: 1)
        try set.add(other.descriptor, .readable, token: 2)
        let buffer = EpollEventBuffer(capacity: 4)
        #expect(
            try set.waitInterruptibly(into: buffer, timeout: limit, blocked: hasMask ? .blocked : nil) == .events(2))
        #expect(Set([buffer[0].token, buffer[1].token]) == [1, 2])
    }

    @Test(arguments: limits) func aSignalEndsAWaitThatHasBegun(_ limit: Duration?) throws {
        let waiter = TestThread {
            allowInterruption()
            let set = try Epoll()
            let backstop = try Backstop()
            try set.add(backstop.timer.descriptor, .readable, token: 0)
            return try set.waitInterruptibly(into: EpollEventBuffer(capacity: 1), timeout: limit)
        }
        try waiter.waitUntilBlocked()
        #expect(waiter.signal(interruption))
        #expect(try waiter.join() == .interrupted)
    }

    /// The mask is in force during the wait and no longer, so a signal that came before is not lost.
    @Test(arguments: limits) func aSignalThatWaitsEndsAWaitThatLetsItThrough(_ limit: Duration?) throws {
        let seen = try withWaitingSignal { usual in
            let set = try Epoll()
            let backstop = try Backstop()
            try set.add(backstop.timer.descriptor, .readable, token: 0)
            let buffer = EpollEventBuffer(capacity: 1)
            let blocked = try set.waitInterruptibly(into: buffer, timeout: .milliseconds(1))
            let waits = SignalSet.pending.contains(interruption)
            let outcome = try set.waitInterruptibly(into: buffer, timeout: limit, blocked: usual)
            let isBlockedAgain = SignalSet.blocked.contains(interruption)
            return (blocked, waits, outcome, SignalSet.pending.contains(interruption), isBlockedAgain)
        }
        #expect(seen == (.timedOut, true, .interrupted, false, true))
    }

    /// The other way round: what is let through otherwise is kept out of the wait, and delivered after it.
    @Test func aMaskKeepsSignalsOutOfTheWait() throws {
        let waiter = TestThread {
            allowInterruption()
            let set = try Epoll()
            let buffer = EpollEventBuffer(capacity: 1)
            let blocked = SignalSet.blocked.union([interruption])
            return try set.waitInterruptibly(into: buffer, timeout: .milliseconds(300), blocked: blocked)
        }
        try waiter.waitUntilBlocked()
        _ = waiter.signal(interruption)
        #expect(try waiter.join() == .timedOut)
    }

    @Test func eventsComeBeforeASignal() throws {
        let seen = try withWaitingSignal { usual in
            let set = try Epoll()
            let counter = try EventFD(count: 1)
            try set.add(counter.descriptor, [.readable, .edgeTriggered], token: 1)
            let backstop = try Backstop()
            try set.add(backstop.timer.descriptor, .readable, token: 0)
            let buffer = EpollEventBuffer(capacity: 1)
            let first = try set.waitInterruptibly(into: buffer, blocked: usual)
            let waits = SignalSet.pending.contains(interruption)
            return (first, waits, try set.waitInterruptibly(into: buffer, blocked: usual))
        }
        #expect(seen == (.events(1), true, .interrupted))
    }

    @Test func noSignalEndsWhatDoesNotWait() throws {
        let seen = try withWaitingSignal { usual in
            let set = try Epoll()
            let buffer = EpollEventBuffer(capacity: 1)
            let outcome = try set.waitInterruptibly(into: buffer, timeout: .zero, blocked: usual)
            return (outcome, SignalSet.pending.contains(interruption))
        }
        #expect(seen == (.timedOut, true))
    }

    /// Where `epoll_pwait2` is missing or forbidden, the mask goes to `epoll_pwait`.
    @Test(arguments: [Errno.notPermitted, .noFunction]) func theFallbackKnowsTheMask(_ error: Errno) throws {
        let seen = try withWaitingSignal { usual in
            guard c_forbid_system_call(C_SYS_EPOLL_PWAIT2, error.rawValue) == 0 else { throw Errno.notSupported }
            let set = try Epoll()
            let buffer = EpollEventBuffer(capacity: 1)
            let limit = Duration.seconds(60) + .nanoseconds(1)
            let outcome = try set.waitInterruptibly(into: buffer, timeout: limit, blocked: usual)
            return (outcome, try set.waitInterruptibly(into: buffer, timeout: .nanoseconds(1), blocked: usual))
        }
        #expect(seen == (.interrupted, .timedOut))
    }

    @Test func whatIsNoSetIsAnError() throws {
        let none = Epoll(owning: try EventFD().release())
        for limit in [nil, Duration.zero, .nanoseconds(1), .milliseconds(1)] {
            for blocked in [nil, SignalSet()] {
                #expect(throws: Errno.invalidArgument) {
                    try none.waitInterruptibly(into: EpollEventBuffer(capacity: 1), timeout: limit, blocked: blocked)
                }
            }
        }
    }
}

/// The same of a set that owns, and how exactly it keeps its limits.
@Suite struct InterestSetInterruptibleTests {
    @Test func eventsSignalsAndTheEndOfTheTimeAreTold() throws {
        let seen = try withWaitingSignal { usual in
            let set = try TestSet()
            var seen = [try set.waitInterruptibly(timeout: .nanoseconds(1), blocked: .blocked)]
            let token = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
            seen.append(try set.waitInterruptibly(timeout: .seconds(60), blocked: usual))
            // Not taken yet, so nothing is waited for.
            seen.append(try set.waitInterruptibly(timeout: .seconds(60), blocked: usual))
            guard set.nextEvent()?.token == token, set.nextEvent() == nil else { throw Errno.noSuchFileOrDirectory }
            seen.append(try set.waitInterruptibly(timeout: .seconds(60), blocked: usual))
            // One-shot: it has fired.
            seen.append(try set.waitInterruptibly(timeout: .zero))
            return seen
        }
        #expect(seen == [.timedOut, .events(1), .events(1), .interrupted, .timedOut])
    }

    /// After a fork, a ghost or a loss the wait is another one.
    @Test(arguments: [true, false]) func aSetThatIsMadeAnewTellsToo(isAllowed: Bool) throws {
        let seen = try withWaitingSignal { usual in
            let set = try TestSet()
            let ghost = try EventFD(count: 1).release()
            let former = InterestToken(ghost.descriptor, generation: 7, set: 0)
            try set.base.kernel.epoll.add(ghost.descriptor, .readable, token: former.life)
            set.base.mustRebuild = true
            // With a ghost in the set that must stay, it sleeps in place of waiting.
            set.base.rebuildAllowedAt = isAllowed ? 0 : .max
            var seen = [try set.waitInterruptibly(timeout: .nanoseconds(1), blocked: .blocked)]
            seen.append(try set.waitInterruptibly(timeout: .seconds(60), blocked: usual))
            let counter = try EventFD(count: 1).release()
            let token = try set.insert(counter, .readable)
            seen.append(try set.waitInterruptibly(timeout: .seconds(60)))
            guard set.nextEvent()?.token == token else { throw Errno.noSuchFileOrDirectory }
            guard set.incidents.rebuilds == (isAllowed ? 1 : 0) else { throw Errno.invalidArgument }
            try ghost.close()
            return seen
        }
        #expect(seen == [.timedOut, .interrupted, .events(1)])
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func aLostSetIsMadeAnewAndTells() throws {
        let seen = try withWaitingSignal { usual in
            try unshareDescriptorTable()
            let set = try TestSet()
            let pipe = try Pipe()
            try pipe.write()
            let token = try set.insert(pipe.reader.duplicate(), .readable)
            close(set.base.kernel.epoll.descriptor.rawValue)
            var seen = [try set.waitInterruptibly(timeout: .seconds(60), blocked: usual)]
            guard set.nextEvent()?.token == token else { throw Errno.noSuchFileOrDirectory }
            try pipe.read()
            close(set.base.kernel.epoll.descriptor.rawValue)
            seen.append(try set.waitInterruptibly(timeout: .seconds(60), blocked: usual))
            guard set.incidents.rebuilds == 2, set.holds(token) else { throw Errno.invalidArgument }
            return seen
        }
        #expect(seen == [.events(1), .interrupted])
    }

    /// Nanoseconds reach the kernel: `epoll_pwait2` is asked, whose error shows that, and whole milliseconds do without.
    @Test func aLimitIsExactToTheNanosecond() throws {
        let (errors, whole) = try onOwnThread { () -> ([Errno?], Int) in
            guard c_forbid_system_call(C_SYS_EPOLL_PWAIT2, EINVAL) == 0 else {
                return (Array(repeating: .invalidArgument, count: 3), 0)
            }
            let set = try TestSet()
            let errors = [Duration.nanoseconds(1), .nanoseconds(1_000_001), .seconds(5) + .nanoseconds(3)].map {
                limit in
                failure { () throws(Errno) in try set.wait(timeout: limit) }
            }
            return (errors, try set.wait(timeout: .milliseconds(1)))
        }
        #expect(errors == Array(repeating: .invalidArgument, count: 3) && whole == 0)
    }

    @Test(arguments: EpollTimeoutTests.short, [false, true])
    func aWaitIsNeverShorterThanItsTime(_ limit: Duration, mustRebuild: Bool) throws {
        let set = try TestSet()
        set.base.mustRebuild = mustRebuild
        set.base.rebuildAllowedAt = .max
        let start = SuspendingClock.now
        #expect(try set.wait(timeout: limit) == 0)
        #expect(SuspendingClock.now - start >= limit)
        let again = SuspendingClock.now
        #expect(try set.waitInterruptibly(timeout: limit) == .timedOut)
        #expect(SuspendingClock.now - again >= limit)
    }
}

/// Ends a wait that should have ended long ago, by an event that nobody expects.
private struct Backstop: ~Copyable {
    let timer: TimerDescriptor

    init() throws {
        let timer = try TimerDescriptor()
        try timer.set(after: .seconds(60))
        self.timer = timer
    }
}

/// Runs a closure on a thread that blocks ``interruption`` and has one waiting; what it blocks otherwise is given.
private func withWaitingSignal<Value: Sendable>(
    _ body: @escaping @Sendable (SignalSet) throws -> Value
) throws -> Value {
    try onOwnThread {
        allowInterruption()
        let usual = SignalSet([interruption]).block()
        raise(interruption)
        return try body(usual)
    }
}
