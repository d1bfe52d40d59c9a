import Glibc
import LinuxReadiness
import SystemPackage
import TestSupport
import Testing

/// `epoll_wait(2)` is never restarted by the kernel, with `SA_RESTART` or without.
@Suite struct EpollInterruptionTests {
    @Test func endlessWaitOutlivesSignals() throws {
        let counter = try EventFD()
        let borrowed = counter.descriptor
        let waiter = TestThread {
            allowInterruption()
            let set = try Epoll()
            try set.add(borrowed, .readable, token: 1)
            return try set.wait(into: EpollEventBuffer(capacity: 1))
        }
        for _ in 0..<10 {
            try waiter.waitUntilBlocked()
            #expect(waiter.signal(interruption))
        }
        try counter.add()
        #expect(try waiter.join() == 1)
    }

    /// Were the wait begun anew with the whole time after each signal, this test would take an hour.
    @Test(arguments: [false, true])
    func signalEndsAWaitWithATimeout(_ inNanoseconds: Bool) throws {
        let waiter = TestThread {
            allowInterruption()
            let set = try Epoll()
            let buffer = EpollEventBuffer(capacity: 1)
            return try set.wait(into: buffer, timeout: .seconds(3600) + (inNanoseconds ? .nanoseconds(1) : .zero))
        }
        try waiter.waitUntilBlocked()
        for _ in 0..<10_000 where !waiter.hasEnded {
            _ = waiter.signal(interruption)
            usleep(1000)
        }
        #expect(waiter.hasEnded)
        if waiter.hasEnded { #expect(try waiter.join() == 0) }
    }
}
