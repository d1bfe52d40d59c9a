import Foundation
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage
import Testing

@Suite struct EventFDWakeTests {
    @Test func takingLeavesNothing() throws {
        let counter = try EventFD(count: 3)
        #expect(try counter.add(4))
        #expect(try counter.take() == 7)
        #expect(try counter.take() == nil)
    }

    @Test func aSemaphoreGivesOneAtATime() throws {
        let counter = try EventFD(count: 2, [.nonblocking, .semaphore])
        #expect(try counter.take() == 1)
        #expect(try counter.take() == 1)
        #expect(try counter.take() == nil)
    }

    @Test func theCountEndsAtItsMaximum() throws {
        let counter = try EventFD()
        #expect(try counter.add(EventFD.maximum))
        #expect(try !counter.add(1))
        #expect(try counter.add(0))
        #expect(try counter.take() == EventFD.maximum)
    }

    @Test func noCountHoldsTheLargestInteger() throws {
        let counter = try EventFD()
        #expect(throws: Errno.invalidArgument) { try counter.add(.max) }
        #expect(try counter.take() == nil)
    }

    @Test func unknownOptionsAreRefused() {
        #expect(throws: Errno.invalidArgument) { _ = try EventFD(EventFD.Options(rawValue: 1 << 20)) }
    }

    @Test func aBlockingTakeWaitsForAnAddition() throws {
        let counter = try EventFD([])
        let number = counter.descriptor.rawValue
        let thread = Thread {
            var amount: UInt64 = 5
            _ = unsafe write(number, &amount, 8)
        }
        thread.start()
        #expect(try counter.take() == 5)
    }

    @Test func theDescriptorComesBackAsTheSameCounter() throws {
        let counter = try EventFD(count: 9, [.nonblocking, .semaphore])
        let number = counter.descriptor.rawValue
        let descriptor = counter.release()
        #expect(descriptor.descriptor.rawValue == number)
        let again = EventFD(owning: descriptor)
        #expect(try again.take() == 1)
        try again.close()
    }

    @Test func itIsClosedOnExec() throws {
        let counter = try EventFD()
        #expect(fcntl(counter.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
    }

    @Test func everyAdditionIsAnEdge() throws {
        let counter = try EventFD()
        let epoll = try Epoll()
        let events = EpollEventBuffer(capacity: 2)
        try epoll.add(counter.descriptor, [.readable, .edgeTriggered], token: 7)
        for _ in 0..<3 {
            try counter.add()
            #expect(try epoll.wait(into: events, timeout: .zero) == 1)
            #expect(events[0].token == 7)
            #expect(try epoll.wait(into: events, timeout: .zero) == 0)
        }
        #expect(try counter.take() == 3)
    }

    @Test func levelTriggeredReportsUntilTheCountIsTaken() throws {
        let counter = try EventFD()
        let epoll = try Epoll()
        let events = EpollEventBuffer(capacity: 2)
        try epoll.add(counter.descriptor, .readable, token: 1)
        #expect(try epoll.wait(into: events, timeout: .zero) == 0)
        try counter.add()
        #expect(try epoll.wait(into: events, timeout: .zero) == 1)
        #expect(try epoll.wait(into: events, timeout: .zero) == 1)
        _ = try counter.take()
        #expect(try epoll.wait(into: events, timeout: .zero) == 0)
    }

    @Test func aFullCounterIsNotWritable() throws {
        let counter = try EventFD()
        let epoll = try Epoll()
        let events = EpollEventBuffer(capacity: 2)
        try epoll.add(counter.descriptor, .writable, token: 1)
        #expect(try epoll.wait(into: events, timeout: .zero) == 1)
        try counter.add(EventFD.maximum)
        #expect(try epoll.wait(into: events, timeout: .zero) == 0)
    }
}

/// When a waker may ignore that its addition failed: what the waiter is still told.
@Suite struct EventFDFailedAdditionTests {
    let watch: Watch

    init() throws { watch = try Watch() }

    @Test func levelTriggeredWaiterIsDue() throws {
        try watch.watch(.readable)
        #expect(try watch.counter.add(EventFD.maximum))
        #expect(try watch.events() == .readable)
        #expect(try watch.counter.add() == false)
        #expect(try watch.events() == .readable)
    }

    @Test func edgeTriggeredWaiterThatNeverTakesHearsNothing() throws {
        try watch.watch([.readable, .edgeTriggered])
        #expect(try watch.counter.add(EventFD.maximum))
        #expect(try watch.events() == .readable)
        #expect(try watch.counter.add() == false)
        #expect(try watch.events() == nil)
        // Taking makes room, and the next addition is an edge again.
        #expect(try watch.counter.take() == EventFD.maximum)
        #expect(try watch.counter.add())
        #expect(try watch.events() == .readable)
    }

    /// The addition that filled the count is an edge that the waiter has not seen yet, or has not answered by a take yet:
    /// either way it is still to look for work.
    @Test func edgeTriggeredWaiterThatTakesFirstIsDue() throws {
        try watch.watch([.readable, .edgeTriggered])
        for _ in 0..<3 {
            #expect(try watch.counter.add(EventFD.maximum))
            #expect(try watch.counter.add() == false)
            #expect(try watch.events() == .readable)
            #expect(try watch.counter.add() == false)
            #expect(try watch.counter.take() == EventFD.maximum)
            #expect(try watch.events() == nil)
        }
    }

    /// A semaphore is not emptied by a take, so more than one may not fit although the waiter took.
    @Test func edgeTriggeredWaiterOfASemaphoreHearsNothingOfTwo() throws {
        let counter = try EventFD([.nonblocking, .semaphore])
        let set = try Epoll()
        let buffer = EpollEventBuffer(capacity: 1)
        try set.add(counter.descriptor, [.readable, .edgeTriggered], token: 1)
        #expect(try counter.add(EventFD.maximum))
        #expect(try set.wait(into: buffer, timeout: .zero) == 1)
        #expect(try counter.take() == 1)
        #expect(try counter.add(2) == false)
        #expect(try set.wait(into: buffer, timeout: .zero) == 0)
        #expect(try counter.add(1))
        #expect(try set.wait(into: buffer, timeout: .zero) == 1)
    }
}
