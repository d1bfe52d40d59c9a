import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// What makes a registration silent and what makes it speak again.
@Suite struct InterestSetPauseTests {
    /// With no events asked for, the kernel goes on reporting a hang-up, which would make a program spin.
    @Test func aPausedConnectionDoesNotReportThatItsPeerIsGone() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let set = try TestSet()
        let token = try set.insert(acceptNext(from: listener).release(), .readable)
        try set.pause(token)
        #expect(set.isPaused(token) && set.holds(token) && set.count == 1)
        try setSocketOption(.resetOnClose, on: client.descriptor)
        try client.close()
        try waitUntil(POLLHUP, on: #require(set.descriptor(of: token)))
        for _ in 0..<100 { #expect(try set.events(timeout: .zero).isEmpty) }
        try set.resume(token)
        #expect(!set.isPaused(token))
        #expect(try set.events(timeout: nil) == [token])
    }

    @Test func anEventThatWasWaitedForIsNotDeliveredAfterAPause() throws {
        let set = try TestSet()
        let one = try set.insert(EventFD(count: 1).release(), .readable)
        let other = try set.insert(EventFD(count: 1).release(), .readable)
        #expect(try set.wait() == 2)
        let first = try #require(set.nextEvent()?.token)
        let second = first == one ? other : one
        try set.pause(second)
        #expect(set.nextEvent() == nil)
        #expect(set.incidents.staleEvents == 1 && set.incidents.ghosts == 0)
        try set.resume(second)
        #expect(try Set(set.events()) == [one, other])
    }

    @Test func resumingReportsWhatIsReadyByThen() throws {
        let set = try TestSet()
        for flags in [.readable, [.readable, .edgeTriggered], [.readable, .oneShot], [.readable, .exclusive]]
            as [EpollEvents]
        {
            let token = try set.insert(EventFD(count: 1).release(), flags)
            #expect(try set.events() == [token])
            try set.pause(token)
            try set.pause(token)
            #expect(try set.events().isEmpty)
            try set.resume(token)
            #expect(try set.events() == [token])
            try set.close(token)
        }
    }

    /// A paused descriptor has no registration that a rebuild could make by mistake, and none that it could lose.
    @Test func aRebuildKeepsPausedDescriptorsPaused() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), .readable)
        try set.pause(token)
        set.base.mustRebuild = true
        #expect(try set.events().isEmpty)
        #expect(set.incidents.rebuilds == 1 && set.isPaused(token))
        try set.modify(token, [.readable, .oneShot])
        #expect(try set.events().isEmpty)
        try set.resume(token)
        #expect(try set.events() == [token])
        #expect(try set.events().isEmpty)
        try set.close(token)
        #expect(set.incidents.lostDescriptors == 0)
    }

    @Test func resumingWhatIsNotPausedChangesNothing() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
        #expect(try set.events() == [token])
        try set.resume(token)
        #expect(try set.events().isEmpty)
        try set.close(token)
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.pause(token) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.resume(token) }
    }
}

/// What the set believes of the kernel's registrations.
@Suite struct InterestSetRegistrationTests {
    /// libevent's test "re-add the other event": the handler of one event arms the other before that is taken.
    @Test(arguments: [1, 2]) func aOneShotArmedBeforeItsEventIsTakenIsArmed(taken: Int) throws {
        let set = try TestSet()
        let one = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
        let other = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
        #expect(try set.wait() == 2)
        let first = try #require(set.nextEvent()?.token)
        let second = first == one ? other : one
        try set.modify(second, [.readable, .oneShot])
        if taken == 2 { #expect(set.nextEvent()?.token == second) }
        // What makes the kernel's set anew goes by what the set believes.
        set.base.mustRebuild = true
        if taken == 1 { #expect(set.nextEvent()?.token == second) }
        #expect(try set.events() == [second])
        #expect(try set.events().isEmpty)
    }

    @Test func aOneShotWhoseEventIsNotTakenHasFired() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
        #expect(try set.wait() == 1)
        set.base.mustRebuild = true
        #expect(set.nextEvent()?.token == token)
        #expect(try set.events().isEmpty && set.incidents.rebuilds == 1)
        try set.modify(token, .readable)
        #expect(try set.events() == [token])
    }

    @Test func nothingBecomesExclusiveByModifying() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
        let exclusive = try set.insert(EventFD().release(), [.readable, .exclusive])
        #expect(throws: Errno.invalidArgument) { try set.modify(token, [.readable, .exclusive]) }
        #expect(throws: Errno.invalidArgument) { try set.modify(exclusive, .readable) }
        #expect(try set.events() == [token])
        set.base.mustRebuild = true
        #expect(try set.events().isEmpty)
        #expect(throws: Errno.invalidArgument) { try set.modify(token, [.readable, .exclusive]) }
        #expect(throws: Errno.invalidArgument) { try set.modify(exclusive, .readable) }
        try set.pause(token)
        #expect(throws: Errno.invalidArgument) { try set.modify(token, [.readable, .exclusive]) }
    }

    /// The kernel takes bits that it does not know; they mean nothing to the set either.
    @Test(arguments: 14...27) func unknownBitsMeanNothing(bit: Int) throws {
        let set = try TestSet()
        let events = EpollEvents(rawValue: 1 << UInt32(bit) | 1)
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let token = try set.insert(owned(pair.descriptor), events)
        add(1, to: pair.duplicate)
        #expect(try set.events() == [token])
        try set.modify(token, events)
        set.base.mustRebuild = true
        #expect(try set.events() == [token])
        let removed = try set.remove(token)
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.base.kernel.epoll.remove(removed.descriptor) }
        #expect(try set.events().isEmpty)
    }
}

/// Receiving, sending and accepting by token.
@Suite struct InterestSetTransferTests {
    @Test func bytesGoToAndFroByToken() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let set = try TestSet()
        // A blocking socket: by token nothing waits all the same.
        let token = try set.insert(acceptNext(from: listener).release(), .readable)
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(try set.receive(from: token, into: &bytes) == nil)
        #expect(try client.send([1, 2, 3]) == 3)
        #expect(try set.events(timeout: nil) == [token])
        #expect(try set.receive(from: token, into: &bytes) == 3)
        #expect(bytes.prefix(3) == [1, 2, 3])
        #expect(try set.send(bytes, to: token) == 8)
        #expect(try client.bytes(atMost: 8) == [1, 2, 3, 0, 0, 0, 0, 0])
        try client.finishSending()
        #expect(try set.events(timeout: nil) == [token])
        #expect(try set.receive(from: token, into: &bytes) == 0)
        var none: [UInt8] = []
        #expect(throws: Errno.invalidArgument) { try set.receive(from: token, into: &none) }
        try set.close(token)
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.receive(from: token, into: &bytes) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.send(bytes, to: token) }
    }

    /// What a full socket does not take is visible, and a peer that is gone is an error and no signal.
    @Test func aFullSocketAndAPeerThatIsGone() throws {
        let listener = try loopbackListener([.resetOnClose])
        let client = try connect(to: listener)
        let set = try TestSet()
        let token = try set.insert(acceptNext(from: listener).release(), .readable)
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        var sent = 0
        var isFull = false
        for _ in 0..<1000 {
            guard let count = try set.send(bytes, to: token) else {
                isFull = true
                break
            }
            sent += count
        }
        #expect(isFull && sent > 0)
        try setSocketOption(.resetOnClose, on: client.descriptor)
        try client.close()
        try waitUntil(POLLHUP, on: #require(set.descriptor(of: token)))
        var errors: Set<Errno> = []
        for _ in 0..<2 {
            do throws(Errno) { _ = try set.send(bytes, to: token) } catch { errors.insert(error) }
        }
        #expect(errors == [.connectionReset, .brokenPipe])
    }

    @Test func aDescriptorIsLentAsWhatItIs() throws {
        let set = try TestSet()
        let listener = try loopbackListener()
        let address = try listener.address
        let token = try set.insert(listener.release(), .readable)
        _ = try StreamSocket(for: address, .blocking).connect(to: address).release().release()
        #expect(try set.events(timeout: nil) == [token])
        let accepted = try set.base.with(token, as: Listener.self) { (listener) throws(Errno) in try listener.accept() }
        guard case .some(.some(let connection)) = consume accepted else { throw Errno.wouldBlock }
        #expect(isOpen(connection.descriptor))
        let counter = try set.insert(EventFD(count: 3).release(), .readable)
        let taken = try set.base.with(counter, as: EventFD.self) { (counter) throws(Errno) in try counter.take() }
        #expect(taken == 3)
        #expect(throws: Errno.notSocket) {
            try set.base.with(counter, as: Listener.self) { (listener) throws(Errno) in _ = try listener.accept() }
        }
        #expect(isOpen(try #require(set.descriptor(of: counter))))
        try set.close(counter)
        let nothing = set.base.with(counter, as: EventFD.self) { _ in 1 }
        #expect(nothing == nil)
    }
}
