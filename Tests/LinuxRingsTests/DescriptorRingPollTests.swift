import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// Polls by token: what they find, how they change, how they end.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct DescriptorRingPollTests {
    @Test func thePeersEndIsFound() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.preparePoll(token, [.peerClosed])
        #expect(shutdown(ends.second, CInt(SHUT_WR)) == 0)
        let half = try ring.awaited().readiness
        #expect(half == .peerClosed)
        try ring.base.preparePoll(token, [.readable])
        #expect(shutdown(ends.second, CInt(SHUT_RD)) == 0)
        let whole = try ring.awaited().readiness
        #expect(whole.contains([.readable, .hangUp]))
    }

    @Test func errorsAreFoundWithoutBeingAskedFor() throws {
        let ring = try TestRing()
        let ends = try FileDescriptor.pipe()
        let writer = try ring.base.insert(OwnedDescriptor(owning: ends.writeEnd))
        // A full pipe is not writable.
        try ring.base.descriptor(of: writer)!.setNonblocking()
        let bytes = [UInt8](repeating: 0, count: 1 << 16)
        while write(ends.writeEnd.rawValue, bytes, bytes.count) > 0 {}
        try ring.base.preparePoll(writer, .writable)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        try ends.readEnd.close()
        let found = try ring.awaited().readiness
        #expect(found.contains(.error))
    }

    @Test func onlyAPollHasFoundSomething() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8))
        #expect(write(ends.second, "x", 1) == 1)
        let found = try ring.awaited().readiness
        #expect(found == [])
    }

    @Test func aMultishotPollReportsChangesUntilItIsCancelled() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let poll = try ring.base.preparePoll(token, .readable, multishot: true)
        for _ in 0..<5 {
            #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
            #expect(write(ends.second, "x", 1) == 1)
            let event = try ring.awaited()
            let (readiness, isArmed) = (event.readiness, event.isArmed)
            #expect(readiness == .readable && isArmed)
        }
        #expect(ring.isPending(poll))
        try ring.base.cancel(poll)
        let event = ring.next()
        #expect(event?.error == .canceled && event?.isArmed == false && event?.operation == .poll)
        #expect(!ring.isPending(poll))
        #expect(write(ends.second, "x", 1) == 1)
        #expect(try !ring.base.wait(timeout: .milliseconds(1)))
    }

    @Test(arguments: [false, true]) func whatItWaitsForCanBeChanged(multishot: Bool) throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let poll = try ring.base.preparePoll(token, .readable, multishot: multishot)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        try ring.base.updatePoll(poll, to: .writable)
        var seen = [SeenEvent(try ring.awaited()), SeenEvent(try ring.awaited())]
        seen.sort { $0.operation.rawValue < $1.operation.rawValue }
        #expect(seen.map(\.operation) == [.poll, .pollUpdate])
        #expect(seen[0].result == Int32(Ring.PollEvents.writable.rawValue) && seen[0].isArmed == multishot)
        #expect(seen[1].result == 0 && seen[1].token == token && !seen[1].isArmed)
        #expect(ring.isPending(poll) == multishot)
        // It does not wait for what it did before.
        #expect(write(ends.second, "x", 1) == 1)
        while let event = ring.next() { #expect(event.result & Int32(Ring.PollEvents.readable.rawValue) == 0) }
    }

    @Test func aPollThatHasEndedIsNotChanged() throws {
        let ring = try TestRing()
        let other = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let poll = try ring.base.preparePoll(token, .writable)
        try ring.base.wait()
        // It has completed, and its event was not taken.
        try ring.base.updatePoll(poll, to: .readable)
        #expect(SeenEvent(try ring.awaited()).operation == .poll)
        let update = SeenEvent(try ring.awaited())
        #expect(update.operation == .pollUpdate && update.error == .noSuchFileOrDirectory)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.updatePoll(poll, to: .readable) }
        let receive = try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8))
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.updatePoll(receive, to: .readable) }
        let live = try ring.base.preparePoll(token, .readable)
        #expect(throws: Errno.noSuchFileOrDirectory) { try other.base.updatePoll(live, to: .readable) }
    }

    @Test func anUpdateThatIsPendingEndsWithTheToken() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let poll = try ring.base.preparePoll(token, .readable)
        try ring.base.updatePoll(poll, to: .peerClosed)
        try ring.base.close(token)
        #expect(ring.next() == nil && ring.base.count == 0)
    }
}
