import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// The ring's own descriptor, waited for by others, and descriptors of others, waited for by the ring.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct DescriptorRingNestingTests {
    @Test func anEpollSetHearsOfCompletions() throws {
        let ring = try nestableRing()
        let pipe = try Pipe()
        let token = try ring.base.insert(pipe.reader.duplicate())
        let epoll = try Epoll()
        let reports = EpollEventBuffer(capacity: 4)
        try epoll.add(ring.base.descriptor, .readable, token: 7)
        for _ in 0..<10 {
            try ring.base.preparePoll(token, .readable)
            try ring.base.submit()
            #expect(try epoll.wait(into: reports, timeout: .zero) == 0)
            try pipe.write()
            try epoll.expectReport(reports)
            #expect(try ring.base.wait(timeout: .zero))
            #expect(ring.next()?.token == token)
            #expect(try epoll.wait(into: reports, timeout: .zero) == 0)
            try pipe.read()
        }
        try epoll.remove(ring.base.descriptor)
    }

    /// The trap: it is readable, and completions are there only once the ring was entered.
    @Test func aRingThatDefersPostsOnlyWhenItIsEntered() throws {
        let bare = try Ring.forThisThread(entries: 8)
        guard bare.setup.contains(.deferTaskRun) else { return }
        let ring = TestRing(bare)
        let pipe = try Pipe()
        let token = try ring.base.insert(pipe.reader.duplicate())
        try ring.base.preparePoll(token, .readable)
        try ring.base.submit()
        try pipe.write()
        try waitUntilReadable(ring.base.descriptor)
        #expect(ring.next() == nil)
        #expect(try ring.base.wait(timeout: .zero))
        #expect(ring.next()?.token == token)
    }

    @Test func aWaitElsewhereHandsNothingOver() throws {
        let ring = try nestableRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let epoll = try Epoll()
        let reports = EpollEventBuffer(capacity: 4)
        try epoll.add(ring.base.descriptor, .readable, token: 7)
        try ring.base.preparePoll(token, .writable)
        #expect(try epoll.wait(into: reports, timeout: .milliseconds(1)) == 0)
        try ring.base.submit()
        try epoll.expectReport(reports)
        #expect(try ring.base.wait(timeout: .zero))
        #expect(ring.next()?.operation == .poll)
    }

    /// From a thread that has no ring, while this one sleeps in the epoll set.
    @Test func aWakeIsReported() throws {
        let ring = try nestableRing()
        let epoll = try Epoll()
        let reports = EpollEventBuffer(capacity: 4)
        try epoll.add(ring.base.descriptor, .readable, token: 7)
        for _ in 0..<20 {
            let waker = try ring.base.makeWaker()
            try ring.base.submit()
            #expect(try !ring.base.wait(timeout: .zero))
            let thread = TestThread { try waker.wake() }
            try epoll.expectReport(reports)
            #expect(try ring.base.wait(timeout: .zero))
            #expect(ring.next()?.operation == .wake)
            try thread.join()
        }
    }

    @Test(.enabled(if: ringsCanTalk, "messages need Linux 5.18")) func aMessageIsReported() throws {
        let ring = try nestableRing()
        let epoll = try Epoll()
        let reports = EpollEventBuffer(capacity: 4)
        try epoll.add(ring.base.descriptor, .readable, token: 7)
        let sender = try TestRing()
        let peer = try sender.base.insert(peer: ring.base.address())
        for value in Int32(0)..<10 {
            try sender.base.prepareMessage(peer, value)
            #expect(SeenEvent(try sender.awaited()).result == 0)
            try epoll.expectReport(reports)
            #expect(try ring.base.wait(timeout: .zero))
            #expect(ring.next()?.result == value)
            #expect(try epoll.wait(into: reports, timeout: .zero) == 0)
        }
    }

    @Test(arguments: [false, true], [false, true])
    func anotherRingHearsOfCompletions(multishot: Bool, outerDefers: Bool) throws {
        let inner = try nestableRing()
        let outer = TestRing(outerDefers ? try Ring.forThisThread(entries: 8) : try Ring(entries: 8))
        let pipe = try Pipe()
        let token = try inner.base.insert(pipe.reader.duplicate())
        let nested = try outer.base.insert(lent: inner.base.descriptor)
        if multishot { try outer.base.preparePoll(nested, .readable, multishot: true) }
        for _ in 0..<5 {
            if !multishot { try outer.base.preparePoll(nested, .readable) }
            try inner.base.preparePoll(token, .readable)
            try inner.base.submit()
            #expect(try !outer.base.wait(timeout: .nanoseconds(1)))
            try pipe.write()
            let event = try outer.awaited()
            let (readiness, error) = (event.readiness, event.error)
            var isArmed = event.isArmed
            #expect(readiness.contains(.readable) && error == nil)
            #expect(try inner.base.wait(timeout: .zero))
            #expect(inner.next()?.token == token)
            try pipe.read()
            // A multishot poll of the outer ring may have more to say of the same, and may be ended by the kernel.
            while let more = outer.next() { isArmed = more.isArmed }
            if multishot && !isArmed { try outer.base.preparePoll(nested, .readable, multishot: true) }
        }
        try outer.base.close(nested)
        #expect(isOpen(inner.base.descriptor))
    }

    @Test func theInnerRingMayEndFirst() throws {
        var inner: TestRing? = try TestRing()
        let outer = try TestRing()
        let nested = try outer.base.insert(lent: inner!.base.descriptor)
        try outer.base.preparePoll(nested, .readable)
        #expect(try !outer.base.wait(timeout: .nanoseconds(1)))
        inner = nil
        try outer.base.close(nested)
        #expect(outer.base.count == 0 && outer.next() == nil)
    }

    @Test func aRingWaitsForAnEpollSet() throws {
        let ring = try TestRing()
        let epoll = try Epoll()
        let pipe = try Pipe()
        try epoll.add(pipe.reader, .readable, token: 1)
        let token = try ring.base.insert(lent: epoll.descriptor)
        try ring.base.preparePoll(token, .readable)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        try pipe.write()
        let event = try ring.awaited()
        let readiness = event.readiness
        #expect(readiness == .readable)
        let reports = EpollEventBuffer(capacity: 4)
        #expect(try epoll.wait(into: reports, timeout: .zero) == 1)
    }

    @Test func whatIsLentStaysOpen() throws {
        let pipe = try Pipe()
        do {
            let ring = try TestRing()
            let token = try ring.base.insert(lent: pipe.reader)
            let other = try ring.base.insert(lent: pipe.reader)
            #expect(ring.base.descriptor(of: token) == pipe.reader)
            try ring.base.preparePoll(token, .readable)
            try ring.base.preparePoll(other, .readable)
            #expect(throws: Errno.invalidArgument) { _ = try ring.base.remove(token) }
            try ring.base.close(token)
            #expect(ring.base.tokens == [other])
            #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.close(token) }
            #expect(isOpen(pipe.reader))
        }
        #expect(isOpen(pipe.reader))
        let ring = try TestRing()
        _ = try ring.base.insert(lent: pipe.reader)
        try ring.base.closeAll()
        #expect(ring.base.count == 0 && isOpen(pipe.reader))
    }

    @Test func whatCannotBeLentIsRefused() throws {
        let ring = try TestRing()
        #expect(throws: Errno.invalidArgument) { try ring.base.insert(lent: ring.base.descriptor) }
        #expect(throws: Errno.badFileDescriptor) { try ring.base.insert(lent: BorrowedDescriptor(rawValue: -1)) }
        #expect(ring.base.count == 0)
    }
}

/// True where rings can send messages.
private let ringsCanTalk = (try? RingCapabilities.probe())?.messageRing ?? false

/// A ring whose descriptor tells of completions.
private func nestableRing() throws -> TestRing { TestRing(try DescriptorRing.forNesting(entries: 8)) }

extension Epoll {
    /// Waits for one report. A kernel that runs the ring's work interrupts the wait as a signal does.
    fileprivate func expectReport(_ reports: borrowing EpollEventBuffer) throws {
        let deadline = ContinuousClock.now + patience
        while try wait(into: reports, timeout: deadline - .now) == 0 {
            if ContinuousClock.now > deadline { throw PatienceIsOver() }
        }
    }
}
