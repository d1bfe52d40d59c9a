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
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.close(InterestToken(rawValue: .max)) }
        #expect(set.incidents == InterestSet.Incidents())
    }

    /// A number that was never in the set is in generation 0, and so is a small raw value.
    @Test(arguments: [0, 5] as [UInt64]) func aRawValueThatNoSetGaveNamesNothing(rawValue: UInt64) throws {
        let set = try TestSet()
        try expectNothing(of: InterestToken(rawValue: rawValue), in: set)
    }

    @Test func theNumberOfAStrangerIsNotTaken() throws {
        let stranger = try EventFD(count: 1)
        var set: TestSet? = try TestSet()
        let forged = InterestToken(rawValue: UInt64(stranger.descriptor.rawValue))
        try expectNothing(of: forged, in: set!)
        set = nil
        #expect(try stranger.take() == 1)
    }

    /// After a removal the number is in the next generation, which a raw value can name too.
    @Test func theGenerationAfterARemovalNamesNothing() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), .readable)
        let descriptor = try set.remove(token)
        try expectNothing(of: token, in: set)
        try expectNothing(of: InterestToken(rawValue: token.rawValue + 1 << 32), in: set)
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
        #expect(try set.wait(timeoutMilliseconds: 0) == 1)
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
