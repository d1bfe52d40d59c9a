import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import LinuxRings

/// Numbers that are closed behind a ring's back, its own among them: what has them next is a stranger's, and is not
/// closed.
@Suite(.enabled(if: ringsAvailable && descriptorTablesAvailable, "no rings, or no descriptor tables of a thread"))
struct RingLostTests {
    /// A daemon's child closes all it inherited, opens its own, and ends what its parent left in memory.
    @Test func aChildThatClosesEverythingKeepsWhatItOpensThen() async {
        await #expect(processExitsWith: .success) {
            var bare: Ring? = try Ring(entries: 8)
            try bare!.prepareClose(FileDescriptor.open("/dev/null", .readOnly).owned, token: 1)
            var owning: DescriptorRing? = DescriptorRing(try Ring(entries: 8))
            let pair = try Pair()
            let token = try owning!.insert(pair.server.descriptor.duplicate())
            try owning!.preparePoll(token, .readable)
            _ = try owning!.insert(FileDescriptor.open("/dev/null", .readOnly).owned)
            let child = forkProcess()
            if child == 0 {
                guard c_close_range(3, .max, 0) == 0 else { _exit(9) }
                let strangers = fillLowNumbers()
                bare = nil
                owning = nil
                _exit(strangers.allSatisfy(isOpen) ? 0 : 1)
            }
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            precondition(status == 0, "the child closed what was a stranger's")
            precondition(owning!.descriptor(of: token).map(isOpen) == true)
        }
    }

    @Test func aRingEndsInATableThatWasEmptied() throws {
        try withOwnDescriptorTable {
            var bare: Ring? = try Ring(entries: 8)
            try bare!.prepareClose(FileDescriptor.open("/dev/null", .readOnly).owned, token: 1)
            var owning: DescriptorRing? = DescriptorRing(try Ring(entries: 8))
            _ = try owning!.insert(FileDescriptor.open("/dev/null", .readOnly).owned)
            try unshareDescriptorTable(closingInherited: true)
            let strangers = fillLowNumbers()
            bare = nil
            owning = nil
            #expect(strangers.allSatisfy(isOpen))
        }
    }

    @Test func removingDoesNotGiveBackAStrangersNumber() throws {
        try withOwnDescriptorTable {
            var ring = DescriptorRing(try Ring(entries: 8))
            let pair = try Pair()
            let token = try ring.insert(pair.server.descriptor.duplicate())
            try ring.preparePoll(token, .readable)
            guard let number = ring.descriptor(of: token) else { throw Errno.badFileDescriptor }
            #expect(dup2(pair.client.descriptor.rawValue, number.rawValue) == number.rawValue)
            for expected in [Errno.badFileDescriptor, .noSuchFileOrDirectory] {
                do throws(Errno) {
                    try ring.close(token)
                    Issue.record("a stranger's number was closed")
                } catch {
                    #expect(error == expected)
                }
            }
            let count = ring.count
            #expect(isOpen(number) && count == 0)
        }
    }
}

/// Descriptors of every kind that a ring may have had under a low number.
private func fillLowNumbers() -> [BorrowedDescriptor] {
    var opened: [CInt] = []
    for _ in 0..<12 {
        opened.append(open("/dev/zero", O_RDONLY))
        opened.append(socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
        if let ring = try? Ring(entries: 1) { opened.append(dup(ring.descriptor.rawValue)) }
    }
    return opened.map(BorrowedDescriptor.init(rawValue:))
}

extension FileDescriptor {
    fileprivate var owned: OwnedDescriptor { OwnedDescriptor(owning: self) }
}
