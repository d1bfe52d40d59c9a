import CTestSupport
import LinuxReadiness
import SystemPackage
import TestSupport
import Testing

/// Waits that are made with `epoll_pwait2(2)` whatever their time.
private let preciseAvailable =
    failure { () throws(Errno) in
        try Epoll().waitPrecisely(into: EpollEventBuffer(capacity: 1), timeout: .zero)
    } != .noFunction

@Suite(.enabled(if: preciseAvailable, "epoll_pwait2 needs Linux 5.11")) struct EpollPreciseTests {
    @Test(arguments: [.zero, .nanoseconds(1), .milliseconds(2), .seconds(-1)] as [Duration])
    func aTimeIsNotCut(_ time: Duration) throws {
        let set = try Epoll()
        let start = ContinuousClock.now
        #expect(try set.waitPrecisely(into: EpollEventBuffer(capacity: 1), timeout: time) == 0)
        #expect(ContinuousClock.now - start >= time)
    }

    @Test func eventsEndIt() throws {
        let set = try Epoll()
        let counter = try EventFD()
        try set.add(counter.descriptor, .readable, token: 3)
        try counter.add()
        let buffer = EpollEventBuffer(capacity: 2)
        #expect(try set.waitPrecisely(into: buffer) == 1)
        #expect(buffer[0].token == 3)
        #expect(try set.waitPrecisely(into: buffer, timeout: .seconds(60)) == 1)
    }

    /// No other call is made: what forbids this one is told.
    @Test(arguments: [Errno.notPermitted, .noFunction]) func whatForbidsItIsTold(_ error: Errno) throws {
        let seen = try onOwnThread { () -> [Errno?] in
            guard c_forbid_system_call(C_SYS_EPOLL_PWAIT2, error.rawValue) == 0 else { return [error, error] }
            let set = try Epoll()
            return [nil, .milliseconds(1)].map { (time: Duration?) in
                failure { () throws(Errno) in
                    try set.waitPrecisely(into: EpollEventBuffer(capacity: 1), timeout: time)
                }
            }
        }
        #expect(seen == [error, error])
    }
}

/// What a set says that it was told of busy polling; nil where the kernel knows nothing of it.
private let busyPollingAvailable = (try? Epoll().busyPolling()) != nil

@Suite(.enabled(if: busyPollingAvailable, "EPIOCSPARAMS needs Linux 6.9")) struct EpollBusyPollingTests {
    @Test func whatWasSetComesBack() throws {
        let set = try Epoll()
        #expect(try set.busyPolling() == Epoll.BusyPolling(duration: .zero))
        let polling = Epoll.BusyPolling(duration: .microseconds(70), budget: 16, prefersPolling: true)
        try set.setBusyPolling(polling)
        #expect(try set.busyPolling() == polling)
        try set.setBusyPolling(Epoll.BusyPolling(duration: .zero))
        #expect(try set.busyPolling() == Epoll.BusyPolling(duration: .zero))
    }

    @Test func aTimeThatIsTooLongIsRefused() throws {
        let set = try Epoll()
        let error = failure { () throws(Errno) in try set.setBusyPolling(Epoll.BusyPolling(duration: .seconds(3600))) }
        #expect(error == .invalidArgument)
        #expect(try set.busyPolling().duration == .zero)
    }
}
