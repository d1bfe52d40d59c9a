import CTestSupport
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage
import TestSupport
import Testing

/// How long a wait may be, from nothing to more than the kernel can count.
@Suite struct EpollTimeoutTests {
    private static let attosecond = Duration(secondsComponent: 0, attosecondsComponent: 1)

    static let short: [Duration] = [
        attosecond, .nanoseconds(1), .nanoseconds(999_999), .milliseconds(1), .nanoseconds(1_000_001), .milliseconds(3),
    ]

    /// Around each place where something is cut: 31 and 32 bits of milliseconds, 63 bits of nanoseconds, of seconds.
    static let long: [Duration] = [
        .milliseconds(Int64(Int32.max) - 1), .milliseconds(Int64(Int32.max)), .milliseconds(1 << 31),
        .milliseconds((1 << 31) + 1), .milliseconds(1 << 32), .milliseconds((1 << 32) + 5), .seconds(1 << 31),
        .seconds(1 << 32), .nanoseconds((1 << 52) + 5), .nanoseconds(Int64.max), .nanoseconds(Int64.max) + attosecond,
        .nanoseconds(UInt64.max), .milliseconds(Int64.max), .seconds(Int64.max),
        Duration(attoseconds: .max),
    ]

    static let none: [Duration] = [
        .zero, .zero - attosecond, .nanoseconds(-1), .seconds(-1), .seconds(Int64.min), Duration(attoseconds: .min),
    ]

    @Test(arguments: none) func noTimeMeansNoWait(_ timeout: Duration) throws {
        let set = try Epoll()
        let counter = try EventFD()
        let buffer = EpollEventBuffer(capacity: 1)
        try set.add(counter.descriptor, .readable, token: 1)
        #expect(try set.wait(into: buffer, timeout: timeout) == 0)
        try counter.add()
        #expect(try set.wait(into: buffer, timeout: timeout) == 1)
    }

    @Test(arguments: short) func aWaitIsNeverShorterThanItsTime(_ timeout: Duration) throws {
        let set = try Epoll()
        #expect(try timeOf { try set.wait(into: EpollEventBuffer(capacity: 1), timeout: timeout) } >= timeout)
    }

    @Test(arguments: long) func longTimesAreNotCut(_ timeout: Duration) throws {
        try expectAWait(timeout, forbidding: nil)
    }

    /// A filter of system calls that is older than `epoll_pwait2` says `EPERM`, a kernel before 5.11 `ENOSYS`.
    @Test(arguments: [Errno.notPermitted, .noFunction], short)
    func fallbackIsNeverShorterThanItsTime(_ error: Errno, _ timeout: Duration) throws {
        let time = try onOwnThread {
            guard c_forbid_system_call(C_SYS_EPOLL_PWAIT2, error.rawValue) == 0 else { return timeout }
            let set = try Epoll()
            return try timeOf { try set.wait(into: EpollEventBuffer(capacity: 1), timeout: timeout) }
        }
        #expect(time >= timeout)
    }

    @Test(arguments: [Errno.notPermitted, .noFunction], long.map { $0 - .nanoseconds(1) })
    func fallbackDoesNotCutLongTimes(_ error: Errno, _ timeout: Duration) throws {
        try expectAWait(timeout, forbidding: error)
    }

    /// Other errors are errors. That one shows up proves that the filter is there; whole milliseconds do without the
    /// call.
    @Test func onlyAMissingCallIsReplaced() throws {
        let (inNanoseconds, inMilliseconds) = try onOwnThread {
            guard c_forbid_system_call(C_SYS_EPOLL_PWAIT2, EINVAL) == 0 else {
                return (Errno?.some(.invalidArgument), 0)
            }
            let set = try Epoll()
            let buffer = EpollEventBuffer(capacity: 1)
            let error = failure { () throws(Errno) in try set.wait(into: buffer, timeout: .nanoseconds(1)) }
            return (error, try set.wait(into: buffer, timeout: .milliseconds(1)))
        }
        #expect(inNanoseconds == .invalidArgument)
        #expect(inMilliseconds == 0)
    }

    /// A thread waits so long, and is found waiting until there is an event.
    private func expectAWait(_ timeout: Duration, forbidding error: Errno?) throws {
        let counter = try EventFD()
        let borrowed = counter.descriptor
        let waiter = TestThread {
            if let error, c_forbid_system_call(C_SYS_EPOLL_PWAIT2, error.rawValue) != 0 { throw Errno.notSupported }
            let set = try Epoll()
            try set.add(borrowed, .readable, token: 7)
            return try set.wait(into: EpollEventBuffer(capacity: 1), timeout: timeout)
        }
        try waiter.waitUntilBlocked()
        // Time for one that was cut to end: a healthy one passes without.
        usleep(10_000)
        #expect(!waiter.hasEnded)
        try counter.add()
        #expect(try waiter.join() == 1)
    }
}

/// How long an empty wait took by the clock that it goes by, `CLOCK_MONOTONIC`.
private func timeOf(_ wait: () throws -> Int) throws -> Duration {
    let clock = SuspendingClock()
    let start = clock.now
    let events = try wait()
    let time = clock.now - start
    #expect(events == 0)
    return time
}

@Suite struct EpollEventBufferTests {
    @Test func largestBufferServesAWait() async {
        await #expect(processExitsWith: .success) {
            let set = try Epoll()
            let counter = try EventFD(count: 1)
            try set.add(counter.descriptor, .readable, token: 7)
            // Two thousand million bytes of address space, of which one page is touched.
            let buffer = EpollEventBuffer(capacity: EpollEventBuffer.maximumCapacity)
            guard try set.wait(into: buffer, timeout: .zero) == 1, buffer[0].token == 7 else { exit(1) }
            guard buffer[EpollEventBuffer.maximumCapacity - 1].token == 0 else { exit(1) }
        }
    }

    @Test func smallestBufferServesAWait() throws {
        let set = try Epoll()
        let counter = try EventFD(count: 1)
        try set.add(counter.descriptor, .readable, token: 7)
        let buffer = EpollEventBuffer(capacity: 1)
        #expect(try set.wait(into: buffer) == 1)
        #expect(buffer[0].token == 7)
    }

    @Test func whatNoWaitCouldFillIsRefused() async {
        await #expect(processExitsWith: .failure) {
            _ = EpollEventBuffer(capacity: EpollEventBuffer.maximumCapacity + 1)
        }
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: Int(CInt.max)) }
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: 1 << 31) }
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: (1 << 32) + 5) }
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: .max) }
    }

    @Test func noRoomIsRefused() async {
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: 0) }
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: -1) }
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: .min) }
    }

    @Test func eventsOutsideAreRefused() async {
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: 1)[1] }
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: 1)[-1] }
        await #expect(processExitsWith: .failure) { _ = EpollEventBuffer(capacity: 1)[1 << 32] }
    }
}
