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

    /// Connections that were accepted, and whose events are kept by the ring or lie in its queue.
    @Test(.enabled(if: multishotAvailable, whyNoRings), arguments: [false, true])
    func connectionsThatNobodyTookAreNotClosed(isKept: Bool) throws {
        try withOwnDescriptorTable {
            var ring: DescriptorRing? = DescriptorRing(try Ring(entries: 8))
            let listener = try loopbackListener()
            let address = try listener.address
            let token = try ring!.insert(listener.release())
            try ring!.prepareAccept(token)
            for _ in 0..<2 { _ = try StreamSocket(for: address, .blocking).connect(to: address).release().release() }
            try ring!.wait()
            if isKept { try ring!.drain(token) }
            try unshareDescriptorTable(closingInherited: true)
            let strangers = fillLowNumbers()
            ring = nil
            #expect(strangers.allSatisfy(isOpen))
        }
    }

    @Test func aCloseThatFailedIsNotMadeUpFor() throws {
        try withOwnDescriptorTable {
            var ring: Ring? = try Ring(entries: 8)
            try ring!.prepareCancel(target: 99, .link, token: 1)
            try ring!.prepareClose(FileDescriptor.open("/dev/null", .readOnly).owned, token: 2)
            try ring!.submitAndWait(for: 2)
            try unshareDescriptorTable(closingInherited: true)
            let strangers = fillLowNumbers()
            ring = nil
            #expect(strangers.allSatisfy(isOpen))
        }
    }

    @Test func theRequestsOfAStrangersRingAreLeftAlone() throws {
        try withOwnDescriptorTable {
            var lost: DescriptorRing? = DescriptorRing(try Ring(entries: 8))
            let pipe = try Pipe()
            let token = try lost!.insert(pipe.reader.duplicate())
            try lost!.preparePoll(token, .readable)
            _ = try lost!.wait(timeout: .zero)
            try unshareDescriptorTable(closingInherited: true)
            // It gets the number of the other, which was the first in an empty table, too.
            var stranger = try Ring(entries: 8)
            #expect(stranger.descriptor.rawValue == 3)
            let own = try Pipe()
            try stranger.preparePoll(own.reader, .readable, token: 5)
            try stranger.submit()
            lost = nil
            #expect(try !stranger.submitAndWait(timeout: .milliseconds(20)))
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
