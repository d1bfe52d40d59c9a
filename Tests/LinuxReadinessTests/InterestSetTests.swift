import Glibc
import LinuxDescriptors
import SystemPackage
import Testing

@testable import LinuxReadiness

/// What an interest set does while nothing goes wrong.
@Suite struct InterestSetTests {
    @Test func eventsCarryTheTokenOfTheInsertion() throws {
        let set = try TestSet()
        let quiet = try set.insert(EventFD().release(), .readable)
        let ready = try set.insert(EventFD(count: 1).release(), .readable)
        #expect(set.count == 2 && set.holds(quiet) && set.holds(ready))
        _ = try set.wait()
        #expect(set.nextEvent() == InterestEvent(token: ready, events: .readable))
        #expect(set.nextEvent() == nil)
        #expect(set.descriptor(of: ready)?.rawValue == CInt(ready.number))
    }

    @Test func removingGivesTheDescriptorBackOpen() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 5).release(), .readable)
        let counter = EventFD(owning: try set.remove(token))
        #expect(try counter.take() == 5)
        #expect(set.count == 0 && !set.holds(token) && set.descriptor(of: token) == nil)
    }

    @Test func aTokenThatIsNotLiveNamesNothing() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD().release(), .readable)
        try set.close(token)
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try set.remove(token).release() }
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.modify(token, .readable) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.close(InterestToken(life: .max, set: token.set)) }
        #expect(set.incidents == InterestSet.Incidents())
    }

    /// With a set in each thread, equal numbers and generations are normal.
    @Test func aTokenOfAnotherSetNamesNothing() throws {
        let one = try TestSet()
        let two = try TestSet()
        let counter = try EventFD()
        let number = try counter.descriptor.duplicate()
        let foreign = try one.insert(number, .readable)
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        try one.close(foreign)
        // The same number in its first generation, in the other set.
        #expect(dup2(pair.descriptor, CInt(foreign.number)) == CInt(foreign.number))
        close(pair.descriptor)
        let own = try two.insert(owned(CInt(foreign.number)), .readable)
        #expect(own.number == foreign.number && own.life == foreign.life && own != foreign)
        #expect(!two.holds(foreign) && two.descriptor(of: foreign) == nil)
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.close(foreign) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.modify(foreign, .readable) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.pause(foreign) }
        add(1, to: pair.duplicate)
        #expect(try two.events() == [own])
    }

    /// After a removal the number is in the next generation, which no token names.
    @Test func theGenerationAfterARemovalNamesNothing() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), .readable)
        let descriptor = try set.remove(token)
        try expectNothing(of: token, in: set)
        try expectNothing(of: InterestToken(life: token.life + 1 << 32, set: token.set), in: set)
        try expectNothing(of: InterestToken(life: 5, set: token.set), in: set)
        let again = try set.insert(descriptor, .readable)
        #expect(try set.events() == [again])
    }

    private func expectNothing(of token: InterestToken, in set: TestSet) throws {
        #expect(!set.holds(token) && set.descriptor(of: token) == nil)
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try set.remove(token).release() }
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.close(token) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.modify(token, .readable) }
        #expect(try set.events().isEmpty)
        #expect(set.count == 0 && set.incidents == InterestSet.Incidents())
    }

    @Test func aNumberThatIsUsedAgainGetsAnotherToken() throws {
        let set = try TestSet()
        let first = try set.insert(EventFD().release(), .readable)
        let number = CInt(first.number)
        let descriptor = try set.remove(first)
        #expect(descriptor.descriptor.rawValue == number)
        let second = try set.insert(descriptor, .readable)
        #expect(second.number == first.number && second != first)
    }

    @Test func whatCannotBeWatchedIsClosed() throws {
        let set = try TestSet()
        let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
        #expect(file >= 0)
        #expect(throws: Errno.notPermitted) { _ = try set.insert(owned(file), .readable) }
        #expect(set.count == 0)
        #expect(try set.events().isEmpty)
    }

    @Test func eventsOfWhatWasRemovedSinceTheWaitAreDropped() throws {
        let set = try TestSet()
        let one = try set.insert(EventFD(count: 1).release(), .readable)
        let other = try set.insert(EventFD(count: 1).release(), .readable)
        #expect(try set.wait() == 2)
        let first = try #require(set.nextEvent()?.token)
        try set.close(first == one ? other : one)
        #expect(set.nextEvent() == nil)
        #expect(set.incidents.staleEvents == 1)
        #expect(set.incidents.ghosts == 0 && set.incidents.rebuilds == 0)
    }

    @Test func eventsDoNotPassToWhoeverGetsTheNumber() throws {
        let set = try TestSet()
        let one = try set.insert(EventFD(count: 1).release(), .readable)
        let other = try set.insert(EventFD(count: 1).release(), .readable)
        #expect(try set.wait() == 2)
        let first = try #require(set.nextEvent()?.token)
        let removed = try set.remove(first == one ? other : one)
        take(removed.descriptor.rawValue)
        let again = try set.insert(removed, .readable)
        #expect(set.nextEvent() == nil)
        #expect(set.incidents.staleEvents == 1)
        let delivered = try set.events()
        #expect(!delivered.contains(again))
    }

    @Test func waitingAgainKeepsWhatWasNotTaken() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), [.readable, .edgeTriggered])
        #expect(try set.wait() == 1)
        #expect(try set.wait(timeout: .zero) == 1)
        #expect(set.nextEvent()?.token == token)
    }

    @Test func oneShotIsSilentUntilModified() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
        #expect(try set.events() == [token])
        #expect(try set.events().isEmpty)
        try set.modify(token, [.readable, .oneShot])
        #expect(try set.events() == [token])
    }

    @Test func numbersBeyondTheFirstSlotsFit() throws {
        let set = try TestSet()
        let counter = try EventFD(count: 1).release()
        let high = fcntl(counter.descriptor.rawValue, F_DUPFD_CLOEXEC, 700)
        let token = try set.insert(owned(high), .readable)
        #expect(token.number >= 700)
        #expect(try set.events() == [token])
    }

    @Test func theSetClosesWhatItOwns() throws {
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        var set = try InterestSet()
        let token = try set.insert(owned(pair.descriptor), .readable)
        // The peer of a pipe sees its end when the set is gone.
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        _ = try set.insert(owned(ends[1]), .writable)
        _ = consume set
        _ = token
        var byte: UInt8 = 0
        #expect(read(ends[0], &byte, 1) == 0)
        close(ends[0])
    }
}
