import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// Every way that is known to leave a registration without a descriptor: nothing is delivered, and nothing spins.
@Suite struct InterestSetGhostTests {
    /// Waits until the kernel's set has nothing to report: a ghost would make every wait return at once.
    private func isQuiet(_ set: TestSet) throws -> Bool {
        for _ in 0..<3 where try set.wait(timeoutMilliseconds: 1) > 0 {
            if set.nextEvent() != nil { return false }
        }
        return try set.wait(timeoutMilliseconds: 1) == 0
    }

    @Test func removingBeforeClosingLeavesNoGhost() throws {
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let set = try TestSet()
        let token = try set.insert(owned(pair.descriptor), .readable)
        try set.close(token)
        add(1, to: pair.duplicate)
        #expect(try isQuiet(set))
        #expect(set.incidents == InterestSet.Incidents())
    }

    @Test func closedBehindItsBackAndRemoved() throws {
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let set = try TestSet()
        let token = try set.insert(owned(pair.descriptor), .readable)
        add(1, to: pair.duplicate)
        closeBehindItsBack(pair.descriptor)
        #expect(throws: (any Error).self) { try set.close(token) }
        #expect(!set.holds(token) && set.count == 0)
        #expect(try isQuiet(set))
        #expect(set.incidents.lostDescriptors == 1 && set.incidents.rebuilds == 1)
    }

    @Test func closedBehindItsBackAndTheNumberInsertedAgain() throws {
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let set = try TestSet()
        let old = try set.insert(owned(pair.descriptor), .readable)
        let other = try EventFD().release()
        // dup2 closes what was there, in one step.
        #expect(dup2(other.descriptor.rawValue, pair.descriptor) == pair.descriptor)
        let new = try set.insert(owned(pair.descriptor), .readable)
        add(1, to: pair.duplicate)
        #expect(try isQuiet(set))
        #expect(!set.holds(old))
        #expect(set.holds(new))
        add(1, to: other.descriptor.rawValue)
        #expect(try set.events() == [new])
    }

    @Test func theSameFileBackUnderTheSameNumber() throws {
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let set = try TestSet()
        let old = try set.insert(owned(pair.descriptor), .readable)
        #expect(dup2(pair.duplicate, pair.descriptor) == pair.descriptor)
        let new = try set.insert(owned(pair.descriptor), .readable)
        add(1, to: pair.duplicate)
        #expect(try set.events() == [new])
        #expect(!set.holds(old))
    }

    @Test func anotherFileUnderTheNumberIsNotClosed() throws {
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let set = try TestSet()
        let token = try set.insert(owned(pair.descriptor), .readable)
        let other = try EventFD(count: 9).release()
        #expect(dup2(other.descriptor.rawValue, pair.descriptor) == pair.descriptor)
        defer { close(pair.descriptor) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.close(token) }
        #expect(take(pair.descriptor) == 9)
    }

    @Test(arguments: [false, true]) func droppingTheSetClosesNobodyElsesFile(hasFired: Bool) throws {
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        var set = try InterestSet()
        _ = try set.insert(owned(pair.descriptor), hasFired ? [.readable, .oneShot] : .readable)
        if hasFired {
            add(1, to: pair.duplicate)
            #expect(try set.wait() == 1)
            #expect(set.nextEvent() != nil)
        }
        let other = try EventFD(count: 9).release()
        #expect(dup2(other.descriptor.rawValue, pair.descriptor) == pair.descriptor)
        defer { close(pair.descriptor) }
        _ = consume set
        #expect(take(pair.descriptor) == 9)
    }

    /// A rebuild leaves a one-shot registration out that has fired; that the number was closed is noticed all the same.
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func closedBehindItsBackWhenLeftOut() throws {
        // In a table of its own, where nobody else gets the closed number.
        try withOwnDescriptorTable {
            let set = try TestSet()
            let token = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
            let first = try set.events()
            set.base.mustRebuild = true
            let second = try set.events()
            try demand(first == [token] && second.isEmpty)
            closeBehindItsBack(CInt(token.number))
            do {
                try set.close(token)
                try demand(false, "a closed number was closed")
            } catch Errno.badFileDescriptor {}
            try demand(set.incidents.lostDescriptors == 1 && set.count == 0)
        }
    }

    /// The new set of the kernel may get the very number that was closed, and cannot watch itself.
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables), arguments: [false, true])
    func closedBehindItsBackAndTheNumberOfTheNewSet(hasFired: Bool) throws {
        // In a table of its own, where nobody else gets the closed number.
        try withOwnDescriptorTable {
            let set = try TestSet()
            let live = try set.insert(EventFD().release(), .readable)
            let token = try set.insert(EventFD(count: 1).release(), hasFired ? [.readable, .oneShot] : .readable)
            try demand(set.events() == [token])
            closeBehindItsBack(CInt(token.number))
            set.base.mustRebuild = true
            try demand(set.events().isEmpty)
            try demand(set.incidents.rebuilds == 1 && set.incidents.lostDescriptors == 1)
            try demand(!set.holds(token) && set.count == 1)
            add(1, to: CInt(live.number))
            try demand(set.events() == [live])
        }
    }

    /// A ghost put into the kernel's set from outside, where every wait reports it.
    @Test func aGhostIsCountedAndEndedByARebuild() throws {
        let set = try TestSet()
        let live = try set.insert(EventFD(count: 1).release(), .readable)
        let ghost = try EventFD(count: 1).release()
        let former = InterestToken(ghost.descriptor, generation: 7)
        try set.base.epoll.add(ghost.descriptor, .readable, token: former.rawValue)
        #expect(try set.events(timeoutMilliseconds: -1) == [live])
        #expect(set.incidents.ghosts == 1)
        #expect(try set.events(timeoutMilliseconds: -1) == [live])
        #expect(set.incidents.ghosts == 1 && set.incidents.rebuilds == 1)
    }

    /// However often a ghost comes back, the kernel's set is made anew at most once in 10 ms, and no wait returns for
    /// the ghost's sake in between.
    @Test func ghostsCannotMakeItSpin() throws {
        let set = try TestSet()
        let live = try set.insert(EventFD(count: 1).release(), .readable)
        let ghost = try EventFD(count: 1).release()
        var start = timespec()
        clock_gettime(CLOCK_MONOTONIC, &start)
        for _ in 0..<20 {
            try set.base.epoll.add(ghost.descriptor, .readable, token: 1 << 40 | UInt64(ghost.descriptor.rawValue))
            #expect(try set.events(timeoutMilliseconds: -1) == [live])
            #expect(set.mustRebuild)
            #expect(try set.events(timeoutMilliseconds: -1) == [live])
        }
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let milliseconds = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1_000_000
        #expect(set.incidents.ghosts == 20)
        #expect(Int(set.incidents.rebuilds) <= milliseconds / 10 + 1)
    }

    @Test func aRebuildKeepsOneShotRegistrationsSilent() throws {
        let set = try TestSet()
        let fired = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
        let armed = try set.insert(EventFD().release(), [.readable, .oneShot])
        #expect(try set.events() == [fired])
        set.base.mustRebuild = true
        #expect(try set.events().isEmpty)
        #expect(set.incidents.rebuilds == 1)
        set.base.rebuildAllowedAt = 0
        set.base.mustRebuild = true
        #expect(try set.events().isEmpty)
        add(1, to: CInt(armed.number))
        #expect(try set.events() == [armed])
        try set.modify(fired, [.readable, .oneShot])
        #expect(try set.events() == [fired])
        try set.close(armed)
        try set.close(fired)
        #expect(set.incidents.lostDescriptors == 0)
    }

    @Test func whenGenerationsAreUsedUpTheSetIsMadeAnew() throws {
        let set = try TestSet()
        // Inserted once before, so that the set has a slot for the number.
        let number = try set.remove(try set.insert(EventFD(count: 1).release(), .readable)).release()
        set.base.slots[Int(number.rawValue)].generation = .max - 1
        let last = try set.insert(OwnedDescriptor(owning: number), .readable)
        #expect(try set.events() == [last])
        let descriptor = try set.remove(last)
        #expect(set.mustRebuild)
        let first = try set.insert(descriptor, .readable)
        #expect(first.rawValue >> 32 == 1)
        #expect(try set.events(timeoutMilliseconds: -1) == [first])
        #expect(set.incidents.rebuilds == 1)
    }
}

/// What no code should do to a number that it does not own.
func closeBehindItsBack(_ number: CInt) {
    close(number)
}
