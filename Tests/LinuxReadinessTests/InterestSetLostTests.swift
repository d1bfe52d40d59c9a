import CSocketExtras
import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// Numbers that are closed behind the set's back, its own among them: what has them next is a stranger's, and is neither
/// closed nor watched.
@Suite(.enabled(if: descriptorTablesAvailable, whyNoTables)) struct InterestSetLostTests {
    @Test func aNumberThatIsNoDescriptorGetsNoSlot() throws {
        let set = try TestSet()
        #expect(throws: Errno.badFileDescriptor) { _ = try set.insert(owned(.max), .readable) }
        #expect(throws: Errno.badFileDescriptor) { _ = try set.insert(owned(1_000_000), .readable) }
        #expect(set.base.slotCount == 64 && set.count == 0)
        let token = try set.insert(EventFD(count: 1).release(), .readable)
        #expect(try set.events() == [token])
    }

    /// A daemon's child closes all it inherited, opens its own, and drops or uses what its parent left in memory.
    @Test(arguments: [false, true]) func aChildThatClosesEverythingKeepsWhatItOpensThen(uses: Bool) async {
        if uses {
            await #expect(processExitsWith: .success) { try closeEverythingInAChild(andUseTheSets: true) }
        } else {
            await #expect(processExitsWith: .success) { try closeEverythingInAChild(andUseTheSets: false) }
        }
    }

    /// `unshareDescriptorTable` empties the table of a thread, which has a set from before.
    @Test(arguments: [false, true]) func aSetWorksOnInATableThatWasEmptied(opens: Bool) throws {
        try withOwnDescriptorTable {
            let set = try TestSet()
            let lost = try set.insert(EventFD(count: 1).release(), .readable)
            let paused = try set.insert(EventFD(count: 1).release(), .readable)
            try set.pause(paused)
            try unshareDescriptorTable(closingInherited: true)
            // What gets the numbers of the set, or of what it watched.
            let strangers = opens ? try (0..<8).map { _ in try EventFD(count: 1).release().release() } : []
            try demand(set.wait(timeout: .zero) == 0, "what was closed is reported")
            try demand(!set.holds(lost) && !set.holds(paused) && set.count == 0)
            try demand(set.incidents.lostDescriptors == 2)
            let token = try set.insert(EventFD(count: 1).release(), .readable)
            try demand(set.events() == [token])
            try demand(strangers.allSatisfy { isOpen(BorrowedDescriptor($0)) }, "a stranger's number was closed")
        }
    }

    /// With everything closed, two sets that are made anew would get the same pair of numbers.
    @Test func aSetDoesNotTakeAnotherSetForItsOwn() throws {
        try withOwnDescriptorTable {
            var old: TestSet? = try TestSet()
            let used = try TestSet()
            try unshareDescriptorTable(closingInherited: true)
            let fresh = try TestSet()
            try demand(fresh.base.kernel.epoll.descriptor == old!.base.kernel.epoll.descriptor)
            let waker = try fresh.insert(EventFD(count: 1).release(), .readable)
            old = nil
            try demand(used.wait(timeout: .zero) == 0)
            let token = try used.insert(EventFD(count: 1).release(), .readable)
            try demand(fresh.events() == [waker] && used.events() == [token])
            try demand(fresh.incidents == InterestSet.Incidents())
        }
    }

    /// Only the number by which the set knows itself was closed, and is somebody else's.
    @Test func theNumberOfTheMarkIsNotClosedTwice() throws {
        try withOwnDescriptorTable {
            var set: TestSet? = try TestSet()
            let mark = set!.base.kernel.mark.descriptor.rawValue
            closeBehindItsBack(mark)
            let token = try set!.insert(EventFD(count: 1).release(), .readable)
            try demand(token.number == Int(mark))
            try demand(set!.events() == [token])
            let stranger = try EventFD()
            set = nil
            try demand(isOpen(stranger.descriptor))
        }
    }

    @Test(arguments: LostSetUse.allCases) func anyUseNoticesThatTheKernelsSetIsGone(use: LostSetUse) throws {
        try withOwnDescriptorTable {
            let set = try TestSet()
            let pipe = try Pipe()
            try pipe.write()
            let token = try set.insert(pipe.reader.duplicate(), .readable)
            let epoll = set.base.kernel.epoll.descriptor.rawValue
            closeBehindItsBack(epoll)
            // A pipe's end in its place.
            try demand(fcntl(pipe.reader.rawValue, F_DUPFD, epoll) == epoll)
            switch use {
            case .wait: break
            case .insert: _ = try set.insert(EventFD().release(), .readable)
            case .modify: try set.modify(token, [.readable, .edgeTriggered])
            case .pause:
                try set.pause(token)
                try set.resume(token)
            case .remove:
                let descriptor = try set.remove(token)
                try demand(isOpen(descriptor.descriptor))
                let again = try set.insert(descriptor, .readable)
                try demand(set.events() == [again])
            case .drop: break
            }
            if use != .remove && use != .drop { try demand(set.events() == [token], "after \(use)") }
            try demand(isOpen(BorrowedDescriptor(rawValue: epoll)), "the stranger's number was closed by \(use)")
            try demand(set.incidents.rebuilds == (use == .drop ? 0 : 1))
        }
    }

    enum LostSetUse: CaseIterable { case wait, insert, modify, pause, remove, drop }

    /// A duplicate keeps the registration alive, the number passes to a stranger, and the ghost makes the set anew.
    @Test(arguments: ["close", "drop", "one-shot", "paused"]) func aRebuildDoesNotAdoptAStranger(how: String) throws {
        try withOwnDescriptorTable {
            var set: TestSet? = try TestSet()
            let mine = try SocketPair()
            let token = try set!.insert(mine.takeFirst(), how == "one-shot" ? [.writable, .oneShot] : .writable)
            if how == "one-shot" {
                try demand(set!.events() == [token])
                set!.base.mustRebuild = true
                try demand(set!.events().isEmpty)
            }
            if how == "paused" { try set!.pause(token) }
            let number = CInt(token.number)
            let duplicate = fcntl(number, F_DUPFD_CLOEXEC, 100)
            let stranger = try SocketPair()
            try demand(dup2(stranger.secondNumber, number) == number)
            set!.base.mustRebuild = true
            set!.base.rebuildAllowedAt = 0
            if how == "drop" {
                set = nil
            } else {
                if how == "close" || how == "one-shot" { try demand(set!.events().isEmpty, "a stranger is watched") }
                do {
                    if how == "paused" { try set!.resume(token) } else { try set!.close(token) }
                    try demand(false, "a stranger was taken for what was inserted")
                } catch Errno.noSuchFileOrDirectory {}
                try demand(set!.incidents.lostDescriptors == 1 && set!.count == 0)
                set = nil
            }
            try demand(isOpen(BorrowedDescriptor(rawValue: number)), "the stranger was closed")
            close(duplicate)
        }
    }
}

/// Two ends of a connection by their numbers.
private final class SocketPair {
    private let first: CInt
    let secondNumber: CInt

    init() throws {
        var ends: [CInt] = [0, 0]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0 else { throw Errno(rawValue: errno) }
        (first, secondNumber) = (ends[0], ends[1])
    }

    func takeFirst() -> OwnedDescriptor { owned(first) }
}

private func closeEverythingInAChild(andUseTheSets uses: Bool) throws {
    var sets: [TestSet]? = [try TestSet(), try TestSet(), try TestSet()]
    let tokens = try sets!.map { try $0.insert(EventFD(count: 1).release(), .readable) }
    var ends: [CInt] = [0, 0]
    try demand(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
    let socket = try sets![0].insert(owned(ends[0]), .writable)
    let child = forkProcess()
    if child == 0 {
        guard c_close_range(3, .max, 0) == 0 else { _exit(9) }
        // As many as take the place of all that was open, of the same kinds.
        var own: [CInt] = []
        for _ in 0..<30 {
            own.append((try? EventFD(count: 1).release().release().rawValue) ?? -1)
            own.append((try? Epoll().release().release().rawValue) ?? -1)
            own.append(Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
        }
        if uses {
            for (set, token) in zip(sets!, tokens) {
                guard (try? set.wait(timeout: .zero)) == 0, !set.holds(token), set.count == 0 else { _exit(1) }
            }
            guard !sets![0].holds(socket) else { _exit(2) }
            for set in sets! {
                guard let new = try? set.insert(EventFD(count: 1).release(), .readable), (try? set.events()) == [new]
                else { _exit(3) }
            }
        }
        sets = nil
        let isKept = own.allSatisfy { fcntl($0, F_GETFD) != -1 }
        _exit(isKept ? 0 : 4)
    }
    let status = exitStatus(of: child)
    try demand(status == 0, "the child ended with \(status)")
    try demand(sets![1].events() == [tokens[1]] && sets![0].incidents == InterestSet.Incidents())
}
