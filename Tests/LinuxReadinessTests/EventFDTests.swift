import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage
import TestSupport
import Testing

@Suite struct EventFDTests {
    @Test func takeEmptiesTheCount() throws {
        let counter = try EventFD()
        #expect(try counter.take() == nil)
        try counter.add()
        try counter.add(41)
        #expect(try counter.take() == 42)
        #expect(try counter.take() == nil)
    }

    @Test func countStartsWhereItWasTold() throws {
        #expect(try EventFD(count: .max).take() == UInt64(UInt32.max))
    }

    @Test func semaphoreGivesOneAtATime() throws {
        let counter = try EventFD(count: 2, [.nonblocking, .semaphore])
        try counter.add()
        for _ in 0..<3 { #expect(try counter.take() == 1) }
        #expect(try counter.take() == nil)
    }

    @Test func additionPastTheMaximumChangesNothing() throws {
        let counter = try EventFD()
        #expect(try counter.add(EventFD.maximum))
        #expect(try counter.add() == false)
        #expect(try counter.add(EventFD.maximum) == false)
        #expect(try counter.take() == EventFD.maximum)
        #expect(try counter.add())
    }

    @Test func largestNumberIsNoAmount() throws {
        let counter = try EventFD(count: 1)
        #expect(throws: Errno.invalidArgument) { try counter.add(.max) }
        #expect(try counter.take() == 1)
    }

    @Test func zeroCanBeAddedAndWakesNobody() throws {
        let counter = try EventFD()
        #expect(try counter.add(0))
        #expect(try counter.take() == nil)
    }

    @Test func descriptorIsNonblockingAndCloseOnExec() throws {
        let counter = try EventFD()
        #expect(fcntl(counter.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(counter.descriptor.rawValue, F_GETFL) & O_NONBLOCK == O_NONBLOCK)
        let waiting = try EventFD([])
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test func takeWaitsForAnAddition() throws {
        let counter = try EventFD([])
        let borrowed = counter.descriptor
        let waiter = TestThread { try borrowing(borrowed) { try $0.take() } }
        try waiter.waitUntilBlocked()
        try counter.add(5)
        #expect(try waiter.join() == 5)
    }

    @Test func additionWaitsForRoom() throws {
        let counter = try EventFD([])
        try counter.add(EventFD.maximum)
        let borrowed = counter.descriptor
        let waiter = TestThread { try borrowing(borrowed) { try $0.add(5) } }
        try waiter.waitUntilBlocked()
        #expect(try counter.take() == EventFD.maximum)
        #expect(try waiter.join())
        #expect(try counter.take() == 5)
    }

    @Test func signalDoesNotEndATake() throws {
        let counter = try EventFD([])
        let borrowed = counter.descriptor
        let waiter = TestThread {
            allowInterruption()
            return try borrowing(borrowed) { try $0.take() }
        }
        for _ in 0..<10 {
            try waiter.waitUntilBlocked()
            #expect(waiter.signal(interruption))
        }
        try counter.add(3)
        #expect(try waiter.join() == 3)
    }

    @Test func everyAdditionOfManyThreadsIsTakenOnce() throws {
        let counter = try EventFD()
        let borrowed = counter.descriptor
        let threads = (0..<4).map { _ in
            TestThread { try borrowing(borrowed) { counter in for _ in 0..<1000 { try counter.add() } } }
        }
        var sum: UInt64 = 0
        while sum < 4000 {
            try waitUntilReadable(counter.descriptor)
            sum += try counter.take() ?? 0
        }
        for thread in threads { try thread.join() }
        #expect(sum == 4000)
        #expect(try counter.take() == nil)
    }

    @Test func releaseAndTakingOverKeepTheCount() throws {
        let counter = try EventFD(count: 8)
        let again = EventFD(owning: counter.release())
        #expect(try again.take() == 8)
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables))
    func closeClosesTheDescriptor() throws {
        let closed = try withOwnDescriptorTable {
            let counter = try EventFD()
            let number = counter.descriptor
            try counter.close()
            return !isOpen(number)
        }
        #expect(closed)
    }
}
