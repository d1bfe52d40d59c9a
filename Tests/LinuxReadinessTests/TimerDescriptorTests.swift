import CTestSupport
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage
import TestSupport
import Testing

@Suite struct TimerDescriptorTests {
    @Test(arguments: TimerDescriptor.Clock.allCases) func aNewTimerIsDisarmed(_ clock: TimerDescriptor.Clock) throws {
        let timer = try TimerDescriptor(clock)
        #expect(try timer.take() == nil)
        #expect(try timer.remaining == nil)
        #expect(try timer.interval == nil)
    }

    @Test func descriptorIsNonblockingAndCloseOnExec() throws {
        let timer = try TimerDescriptor()
        #expect(fcntl(timer.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(timer.descriptor.rawValue, F_GETFL) & O_NONBLOCK == O_NONBLOCK)
        let waiting = try TimerDescriptor(.monotonic, [])
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test(arguments: TimerDescriptor.Clock.allCases) func itExpiresOnceAndNeverEarly(_ clock: TimerDescriptor.Clock)
        throws
    {
        let timer = try TimerDescriptor(clock)
        let start = TimerDescriptor.Clock.monotonic.now
        try timer.set(after: .nanoseconds(1_000_001))
        try waitUntilReadable(timer.descriptor)
        #expect(TimerDescriptor.Clock.monotonic.now - start >= .nanoseconds(1_000_001) || clock == .realtime)
        #expect(try timer.take() == 1)
        #expect(try timer.take() == nil)
        #expect(try timer.remaining == nil)
    }

    @Test(arguments: TimerDescriptor.Clock.allCases) func itExpiresAtATimeOfItsClock(_ clock: TimerDescriptor.Clock)
        throws
    {
        let timer = try TimerDescriptor(clock)
        let time = clock.now + .milliseconds(2)
        try timer.set(at: time)
        try waitUntilReadable(timer.descriptor)
        #expect(clock.now >= time)
        #expect(try timer.take() == 1)
    }

    /// Zero means "disarm" to the kernel, and a negative time is an error to it.
    @Test(arguments: [Duration.zero, .nanoseconds(-1), .seconds(-5), .seconds(Int64.min)])
    func noTimeExpiresAtOnce(_ delay: Duration) throws {
        let timer = try TimerDescriptor()
        try timer.set(after: delay)
        try waitUntilReadable(timer.descriptor)
        #expect(try timer.take() == 1)
        try timer.set(at: delay)
        try waitUntilReadable(timer.descriptor)
        #expect(try timer.take() == 1)
    }

    @Test func repeatedExpirationsAreSummedUp() throws {
        let timer = try TimerDescriptor()
        try timer.set(after: .milliseconds(1), repeating: .microseconds(500))
        var sum: UInt64 = 0
        while sum < 5 {
            try waitUntilReadable(timer.descriptor)
            let count = try timer.take() ?? 0
            #expect(count > 0)
            sum += count
        }
        try timer.disarm()
        #expect(try timer.take() == nil)
    }

    /// At 10.5, 9.5, … 0.5 hours ago.
    @Test func aTimeThatIsPastCountsEachInterval() throws {
        let timer = try TimerDescriptor(.realtime)
        try timer.set(at: TimerDescriptor.Clock.realtime.now - .seconds(37_800), repeating: .seconds(3600))
        try waitUntilReadable(timer.descriptor)
        #expect(try timer.take() == 11)
        #expect(try timer.take() == nil)
        let remaining = try #require(try timer.remaining)
        #expect(remaining > .zero && remaining <= .seconds(1800))
    }

    @Test func whatIsLeftIsTold() throws {
        let timer = try TimerDescriptor()
        try timer.set(after: .seconds(3600), repeating: .seconds(7) + .nanoseconds(1))
        let first = try #require(try timer.remaining)
        #expect(first > .zero && first <= .seconds(3600))
        #expect(try timer.interval == .seconds(7) + .nanoseconds(1))
        let second = try #require(try timer.remaining)
        #expect(second <= first)
        try timer.set(after: .seconds(3600))
        #expect(try timer.interval == nil)
    }

    @Test func partsOfANanosecondAreRoundedUp() throws {
        let timer = try TimerDescriptor()
        try timer.set(after: .seconds(3600), repeating: Duration(secondsComponent: 1, attosecondsComponent: 1))
        #expect(try timer.interval == .seconds(1) + .nanoseconds(1))
    }

    @Test(arguments: [Duration.seconds(Int64.max), .nanoseconds(Int64.max), Duration(attoseconds: .max)])
    func theLongestTimesAreNotCutToShortOnes(_ time: Duration) throws {
        let timer = try TimerDescriptor()
        try timer.set(after: time, repeating: time)
        #expect(try timer.take() == nil)
        let remaining = try #require(try timer.remaining)
        #expect(remaining > .seconds(9_000_000_000))
        let interval = try #require(try timer.interval)
        #expect(interval > .seconds(9_000_000_000))
        try timer.set(at: time)
        #expect(try timer.take() == nil)
        #expect(try timer.remaining != nil)
    }

    @Test(arguments: [Duration.zero, .nanoseconds(-1), .seconds(Int64.min)])
    func anIntervalThatIsNoneIsRefusedAndChangesNothing(_ interval: Duration) throws {
        let timer = try TimerDescriptor()
        try timer.set(after: .seconds(3600), repeating: .seconds(2))
        #expect(throws: Errno.invalidArgument) { try timer.set(after: .seconds(1), repeating: interval) }
        #expect(throws: Errno.invalidArgument) { try timer.set(at: .seconds(1), repeating: interval) }
        #expect(try timer.take() == nil)
        #expect(try timer.interval == .seconds(2))
    }

    @Test func disarmingAndSettingForgetExpirations() throws {
        let timer = try TimerDescriptor()
        try timer.set(after: .zero)
        try waitUntilReadable(timer.descriptor)
        try timer.disarm()
        #expect(try timer.take() == nil && timer.remaining == nil)
        try timer.set(after: .zero)
        try waitUntilReadable(timer.descriptor)
        try timer.set(after: .seconds(3600))
        #expect(try timer.take() == nil)
        try timer.set(after: .zero)
        try waitUntilReadable(timer.descriptor)
        #expect(try timer.take() == 1)
    }

    @Test func aTakeWaitsForTheExpirationSignalsOrNot() throws {
        let timer = try TimerDescriptor(.monotonic, [])
        let borrowed = timer.descriptor
        let waiter = TestThread {
            allowInterruption()
            let timer = TimerDescriptor(owning: try borrowed.duplicate())
            return try timer.take()
        }
        for _ in 0..<10 {
            try waiter.waitUntilBlocked()
            #expect(waiter.signal(interruption))
        }
        #expect(!waiter.hasEnded)
        try timer.set(after: .milliseconds(1))
        #expect(try waiter.join() == 1)
    }

    @Test func eachExpirationIsAnEdge() throws {
        var set = try InterestSet()
        let timer = try TimerDescriptor()
        let borrowed = timer.descriptor
        let token = try set.insert(timer.release(), [.readable, .edgeTriggered])
        for _ in 0..<3 {
            try borrowed.with(TimerDescriptor.self) { (timer) throws(Errno) in try timer.set(after: .microseconds(100))
            }
            #expect(try set.wait(timeout: .seconds(60)) == 1)
            #expect(set.nextEvent()?.token == token)
        }
        #expect(try set.with(token, as: TimerDescriptor.self) { (timer) throws(Errno) in try timer.take() } == 1)
    }

    @Test func whatIsNoTimerIsRefused() throws {
        let counter = TimerDescriptor(owning: try EventFD().release())
        #expect(throws: Errno.invalidArgument) { try counter.set(after: .seconds(1)) }
        #expect(throws: Errno.invalidArgument) { try counter.disarm() }
        #expect(throws: Errno.invalidArgument) { try counter.remaining }
        #expect(throws: Errno.invalidArgument) {
            try TimerDescriptor(.monotonic, TimerDescriptor.Options(rawValue: 1)).close()
        }
    }

    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling)) func aLackOfDescriptorsIsNamed() throws {
        try withOwnDescriptorTable {
            _ = try DescriptorLimit.raise()
            let filled = try fillDescriptorTable()
            #expect(throws: Errno.tooManyOpenFiles) { try TimerDescriptor().close() }
            #expect(throws: Errno.tooManyOpenFiles) { try SignalDescriptor([SIGUSR1]).close() }
            try filled[0].close()
            try TimerDescriptor().close()
        }
    }

    @Test func aChildSharesItsParentsTimer() async {
        await #expect(processExitsWith: .success) {
            let timer = try TimerDescriptor()
            let child = forkProcess()
            if child == 0 {
                guard (try? timer.set(after: .zero, repeating: .seconds(3600))) != nil else { _exit(1) }
                _exit(0)
            }
            try demand(exitStatus(of: child) == 0)
            try waitUntilReadable(timer.descriptor)
            try demand(timer.take() == 1, "the child's setting is not the parent's")
            try demand(timer.interval == .seconds(3600))
        }
    }
}

/// Somebody sets the time of day.
@Suite(.serialized) struct TimerDescriptorClockTests {
    /// By one nanosecond and back, where that is allowed.
    @Test func aClockThatIsSetCancelsWhoAskedForIt() throws {
        let timer = try TimerDescriptor(.realtime)
        let other = try TimerDescriptor(.realtime)
        let hour = TimerDescriptor.Clock.realtime.now + .seconds(3600)
        try timer.set(at: hour, repeating: .seconds(1), cancelOnSet: true)
        try other.set(at: hour)
        guard c_shift_clock(1) == 0 else { return }
        defer { _ = c_shift_clock(-1) }
        try waitUntilReadable(timer.descriptor)
        #expect(throws: Errno.canceled) { try timer.take() }
        #expect(try timer.take() == nil)
        #expect(try other.take() == nil)
        #expect(try other.remaining != nil)
    }

    /// Whoever sets it again without having looked is told, and it is armed.
    @Test func settingItAnewTellsOfAClockThatWasSet() throws {
        let timer = try TimerDescriptor(.realtime)
        let hour = TimerDescriptor.Clock.realtime.now + .seconds(3600)
        try timer.set(at: hour, cancelOnSet: true)
        guard c_shift_clock(1) == 0 else { return }
        #expect(throws: Errno.canceled) { try timer.set(at: hour, repeating: .seconds(5), cancelOnSet: true) }
        #expect(try timer.interval == .seconds(5))
        #expect(try timer.take() == nil)
        #expect(c_shift_clock(-1) == 0)
    }

    /// What the kernel says then, where the clock cannot be set.
    @Test func aCancelledReadIsAnErrorAndNoExpiration() throws {
        let error = try onOwnThread { () -> Errno? in
            let timer = try TimerDescriptor()
            guard c_forbid_system_call(C_SYS_READ, ECANCELED) == 0 else { return .canceled }
            return failure { () throws(Errno) in try timer.take() }
        }
        #expect(error == .canceled)
    }
}
