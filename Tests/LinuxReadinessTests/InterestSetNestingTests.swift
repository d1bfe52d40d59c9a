import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// A set that is watched itself.
@Suite struct InterestSetNestingTests {
    @Test(arguments: [EpollEvents.readable, [.readable, .edgeTriggered], [.readable, .oneShot]])
    func anEventWithinIsReportedOutside(_ events: EpollEvents) throws {
        let (inner, outer) = (try TestSet(), try TestSet())
        let nested = try outer.insert(inner.ownDescriptor().duplicate(), events)
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let token = try inner.insert(owned(pair.descriptor), .readable)
        for _ in 0..<3 {
            #expect(try outer.events().isEmpty)
            add(1, to: pair.duplicate)
            #expect(try outer.events() == [nested])
            #expect(try inner.events() == [token])
            take(pair.duplicate)
            if events.contains(.oneShot) { try outer.modify(nested, events) }
        }
        #expect(try inner.events().isEmpty)
    }

    @Test func whatIsReadyAlreadyIsReported() throws {
        let inner = try TestSet()
        _ = try inner.insert(EventFD(count: 1).release(), .readable)
        #expect(isReadable(try inner.ownDescriptor()))
        let first = try inner.ownDescriptor()
        #expect(try inner.ownDescriptor() == first)
    }

    /// Making the kernel's set anew must not make whoever watches it deaf.
    @Test func itStaysWatchedWhenTheKernelsSetIsMadeAnew() throws {
        let (inner, outer) = (try TestSet(), try TestSet())
        let pair = try SharedCounter.make()
        defer { close(pair.duplicate) }
        let token = try inner.insert(owned(pair.descriptor), .readable)
        let descriptor = try inner.ownDescriptor()
        let nested = try outer.insert(descriptor.duplicate(), [.readable, .edgeTriggered])
        for round in 1...5 {
            inner.base.mustRebuild = true
            inner.base.rebuildAllowedAt = 0
            #expect(try inner.events().isEmpty)
            #expect(inner.incidents.rebuilds == UInt64(round))
            #expect(try inner.ownDescriptor() == descriptor)
            add(1, to: pair.duplicate)
            #expect(try outer.events() == [nested])
            #expect(try inner.events() == [token])
            take(pair.duplicate)
            #expect(!isReadable(descriptor))
        }
    }

    /// A ghost makes it readable once, and is gone then.
    @Test func aGhostDoesNotKeepItReadable() throws {
        let inner = try TestSet()
        let descriptor = try inner.ownDescriptor()
        let ghost = try EventFD(count: 1).release()
        let former = InterestToken(ghost.descriptor, generation: 7, set: 0)
        try inner.base.kernel.epoll.add(ghost.descriptor, .readable, token: former.life)
        #expect(isReadable(descriptor))
        for _ in 0..<2 {
            inner.base.rebuildAllowedAt = 0
            #expect(try inner.events().isEmpty)
        }
        #expect(inner.incidents.rebuilds == 1 && !isReadable(descriptor))
        try ghost.close()
    }

    @Test func itCountsAsTwoOfFiveInARow() throws {
        let inner = try TestSet()
        let sets = [try EpollBox(), try EpollBox(), try EpollBox(), try EpollBox()]
        var below = try inner.ownDescriptor()
        for set in sets.prefix(3) {
            try set.epoll.add(below, .readable, token: 1)
            below = set.epoll.descriptor
        }
        #expect(throws: Errno.tooManySymbolicLinkLevels) { try sets[3].epoll.add(below, .readable, token: 1) }
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            _ = try inner.insert(sets[2].epoll.descriptor.duplicate(), .readable)
        }
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func itEndsWithTheSet() throws {
        try withOwnDescriptorTable {
            var set: TestSet? = try TestSet()
            let descriptor = try set!.ownDescriptor()
            try demand(isOpen(descriptor))
            set = nil
            try demand(!isOpen(descriptor))
            try demand(try EventFD().descriptor.rawValue == 3, "something is open still")
        }
    }

    /// Its number was closed behind its back, and is a stranger's.
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables), arguments: [true, false])
    func aStrangersNumberIsNotTakenForIts(isRebuilt: Bool) throws {
        try withOwnDescriptorTable {
            var set: TestSet? = try TestSet()
            let token = try set!.insert(EventFD(count: 1).release(), .readable)
            let old = try set!.ownDescriptor()
            close(old.rawValue)
            let stranger = try EventFD()
            try demand(stranger.descriptor == old)
            if isRebuilt {
                set!.base.mustRebuild = true
                set!.base.rebuildAllowedAt = 0
            }
            try demand(set!.events() == [token])
            let new = try set!.ownDescriptor()
            try demand(new != old && isReadable(new) && isOpen(old))
            set = nil
            try demand(isOpen(old) && !isOpen(new), "the stranger was closed")
        }
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func allNumbersAreLost() throws {
        try withOwnDescriptorTable {
            let set = try TestSet()
            _ = try set.ownDescriptor()
            try unshareDescriptorTable(closingInherited: true)
            let token = try set.insert(EventFD(count: 1).release(), .readable)
            try demand(isReadable(try set.ownDescriptor()))
            try demand(set.events() == [token])
        }
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func aLackOfDescriptorsIsToldAndHarmless() async {
        await #expect(processExitsWith: .success) {
            try withTakenDescriptors {
                let set = try TestSet()
                let token = try set.insert(EventFD(count: 1).release(), .readable)
                try allowNoMoreDescriptors()
                do {
                    _ = try set.ownDescriptor()
                    throw Errno.invalidArgument
                } catch Errno.tooManyOpenFiles {}
                try demand(set.events() == [token])
                _ = try DescriptorLimit.raise()
                try demand(isReadable(try set.ownDescriptor()))
            }
        }
    }
}

/// Forks, each in a process of its own.
@Suite struct InterestSetNestingForkTests {
    /// The number is the same, and each process has its own behind it.
    @Test func aChildHasItsOwn() async {
        await #expect(processExitsWith: .success) {
            let set = try TestSet()
            let descriptor = try set.ownDescriptor()
            let child = forkProcess()
            if child == 0 {
                guard let token = try? set.insert(EventFD(count: 1).release(), .readable) else { _exit(1) }
                guard (try? set.ownDescriptor()) == descriptor, isReadable(descriptor) else { _exit(2) }
                guard let outer = try? TestSet(), let copy = try? descriptor.duplicate() else { _exit(3) }
                guard let nested = try? outer.insert(copy, .readable) else { _exit(4) }
                guard (try? outer.events()) == [nested], (try? set.events()) == [token] else { _exit(5) }
                _exit(0)
            }
            let status = exitStatus(of: child)
            try demand(status == 0, "the child ended with \(status)")
            try demand(!isReadable(descriptor), "the child's event is the parent's")
            let token = try set.insert(EventFD(count: 1).release(), .readable)
            try demand(isReadable(descriptor) && set.events() == [token])
            try demand(set.incidents == InterestSet.Incidents())
        }
    }

    /// The parent's gate has moved to a set that the child does not have.
    @Test func aChildHasItsOwnAlsoWhenItsParentsWasMadeAnewBefore() async {
        await #expect(processExitsWith: .success) {
            let set = try TestSet()
            let descriptor = try set.ownDescriptor()
            let go = try SharedCounter.make()
            let child = forkProcess()
            if child == 0 {
                var entry = pollfd(fd: go.descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 60_000) == 1 else { _exit(1) }
                guard let token = try? set.insert(EventFD(count: 1).release(), .readable) else { _exit(2) }
                guard (try? set.ownDescriptor()) == descriptor, isReadable(descriptor) else { _exit(3) }
                _exit((try? set.events()) == [token] ? 0 : 4)
            }
            set.base.mustRebuild = true
            set.base.rebuildAllowedAt = 0
            try demand(set.events().isEmpty && set.incidents.rebuilds == 1)
            add(1, to: go.duplicate)
            let status = exitStatus(of: child)
            try demand(status == 0, "the child ended with \(status)")
            try demand(!isReadable(descriptor), "the child's event is the parent's")
            let token = try set.insert(EventFD(count: 1).release(), .readable)
            try demand(isReadable(descriptor) && set.events() == [token])
        }
    }

    /// A child keeps the parent's old set alive, with a registration of what the parent closed.
    @Test func whatAChildKeepsAliveIsNotReported() async {
        await #expect(processExitsWith: .success) {
            let pair = try SharedCounter.make()
            let set = try TestSet()
            let token = try set.insert(owned(pair.descriptor), .readable)
            let descriptor = try set.ownDescriptor()
            var ends: [CInt] = [0, 0]
            try demand(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
            let child = c_fork_holder(ends[1], [pair.descriptor, set.base.kernel.epoll.descriptor.rawValue], 2)
            try demand(child > 0)
            var byte: UInt8 = 0
            try demand(read(ends[0], &byte, 1) == 1)
            set.base.mustRebuild = true
            set.base.rebuildAllowedAt = 0
            try demand(set.events().isEmpty && set.incidents.rebuilds == 1)
            try set.close(token)
            add(1, to: pair.duplicate)
            try demand(!isReadable(descriptor), "the old set is watched still")
            let new = try set.insert(EventFD(count: 1).release(), .readable)
            try demand(isReadable(descriptor) && set.events() == [new])
            kill(child, SIGKILL)
            _ = exitStatus(of: child)
        }
    }
}

/// A set that fits into an array.
private final class EpollBox {
    let epoll: Epoll

    init() throws { epoll = try Epoll() }
}

/// What `poll(2)` says now.
private func isReadable(_ descriptor: BorrowedDescriptor) -> Bool {
    var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLIN) != 0
}
