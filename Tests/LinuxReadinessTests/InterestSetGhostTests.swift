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
        for _ in 0..<3 where try set.wait(timeout: .milliseconds(1)) > 0 {
            if set.nextEvent() != nil { return false }
        }
        return try set.wait(timeout: .milliseconds(1)) == 0
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
        let former = InterestToken(ghost.descriptor, generation: 7, set: 0)
        try set.base.kernel.epoll.add(ghost.descriptor, .readable, token: former.life)
        #expect(try set.events(timeout: nil) == [live])
        #expect(set.incidents.ghosts == 1)
        #expect(try set.events(timeout: nil) == [live])
        #expect(set.incidents.ghosts == 1 && set.incidents.rebuilds == 1)
    }

    /// While the kernel's set may not be made anew yet, what is live is delivered past the ghosts, at once.
    @Test(arguments: [1, 200]) func aSecondGhostMakesNobodyDeaf(ghosts count: Int) throws {
        let set = try TestSet()
        let live = try set.insert(EventFD(count: 1).release(), .readable)
        let ghost = try EventFD(count: 1).release()
        try set.base.kernel.epoll.add(ghost.descriptor, .readable, token: 1 << 32 | 900)
        _ = try set.events(timeout: nil)
        #expect(try set.events(timeout: nil) == [live])
        #expect(set.incidents.rebuilds == 1 && !set.mustRebuild)
        set.base.rebuildAllowedAt = .max
        // More than one wait takes.
        let others = try (0..<count).map { _ in try EventFD(count: 1).release().release() }
        defer { for other in others { try? other.close() } }
        for (index, other) in others.enumerated() {
            let life = 1 << 32 | UInt64(1000 + index)
            try set.base.kernel.epoll.add(BorrowedDescriptor(other), .readable, token: life)
        }
        while !set.mustRebuild { _ = try set.events() }
        for _ in 0..<100 { #expect(try set.events(timeout: .zero) == [live]) }
        #expect(set.incidents.rebuilds == 1)
        set.base.rebuildAllowedAt = 0
        #expect(try set.events(timeout: .zero) == [live])
        #expect(set.incidents.rebuilds == 2 && !set.mustRebuild)
    }

    /// Once round is all, also when a ghost is reported once and never again, and when there is no end of the others.
    @Test(arguments: [1, 64]) func aWaitEndsHoweverManyGhostsThereAre(capacity: Int) throws {
        let set = try TestSet(capacity: capacity)
        let live = try set.insert(EventFD(count: 1).release(), .readable)
        set.base.mustRebuild = true
        set.base.rebuildAllowedAt = .max
        let others = try (0...capacity + 1).map { _ in try EventFD(count: 1).release().release() }
        defer { for other in others { try? other.close() } }
        let flags: [EpollEvents] = [[.readable, .edgeTriggered], [.readable, .oneShot], .readable]
        for (index, other) in others.enumerated() {
            let life = 1 << 32 | UInt64(1000 + index)
            try set.base.kernel.epoll.add(BorrowedDescriptor(other), flags[min(index, 2)], token: life)
        }
        #expect(try set.events(timeout: .zero) == [live])
        take(CInt(live.number))
        for _ in 0..<3 { #expect(try set.events(timeout: .zero).isEmpty) }
    }

    /// Without a ready ghost nothing is asked again and again while the kernel's set waits to be made anew.
    @Test func aQuietSetIsWaitedForAlthoughItMustBeMadeAnew() throws {
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let set = try TestSet()
        let token = try set.insert(owned(pair.descriptor), .readable)
        set.base.mustRebuild = true
        set.base.rebuildAllowedAt = .max
        let waits = set.base.waitNumber
        #expect(try set.wait(timeout: .milliseconds(20)) == 0)
        // Once to see that nothing is ready, once to wait.
        #expect(set.base.waitNumber &- waits <= 2)
        add(1, to: pair.duplicate)
        #expect(try set.events(timeout: .seconds(60)) == [token])
    }

    /// With nothing but ghosts to report, the kernel is asked once a millisecond at most, and the set made anew once in
    /// ten.
    @Test func ghostsCannotMakeItSpin() throws {
        let set = try TestSet()
        let ghost = try EventFD(count: 1).release()
        let start = ContinuousClock.now
        for _ in 0..<20 {
            try set.base.kernel.epoll.add(ghost.descriptor, .readable, token: 1 << 32 | 900)
            #expect(try set.events(timeout: .zero).isEmpty)
            #expect(set.mustRebuild)
            while set.mustRebuild { #expect(try set.wait(timeout: .milliseconds(15)) == 0) }
        }
        let milliseconds = UInt64((ContinuousClock.now - start) / .milliseconds(1))
        #expect(set.incidents.ghosts <= milliseconds + 60)
        #expect(set.incidents.rebuilds <= milliseconds / 10 + 1)
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
        #expect(first.life >> 32 == 1)
        #expect(try set.events(timeout: nil) == [first])
        #expect(set.incidents.rebuilds == 1)
    }
}

/// What no code should do to a number that it does not own.
func closeBehindItsBack(_ number: CInt) {
    close(number)
}
