import CEpoll
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct EpollTests {
    @Test func eventsCarryTheirToken() throws {
        let set = try Epoll()
        let first = try EventFD(count: 1)
        let second = try EventFD(count: 1)
        try set.add(first.descriptor, .readable, token: .max)
        try set.add(second.descriptor, .readable, token: 1 << 40)
        let buffer = EpollEventBuffer(capacity: 8)
        #expect(try set.wait(into: buffer) == 2)
        #expect(Set([buffer[0].token, buffer[1].token]) == [.max, 1 << 40])
        #expect(buffer[0].events == .readable && buffer[1].events == .readable)
    }

    @Test func smallBufferIsServedInTurn() throws {
        let set = try Epoll()
        let counters = try (0..<5).map { _ in try EventFD(count: 1).release().release() }
        defer { for counter in counters { try? counter.close() } }
        for (token, counter) in counters.enumerated() {
            try set.add(BorrowedDescriptor(counter), [.readable, .edgeTriggered], token: UInt64(token))
        }
        let buffer = EpollEventBuffer(capacity: 2)
        var tokens: [UInt64] = []
        while tokens.count < 5 {
            let count = try set.wait(into: buffer)
            #expect(count <= 2)
            for index in 0..<count { tokens.append(buffer[index].token) }
        }
        #expect(tokens.sorted() == [0, 1, 2, 3, 4])
    }

    @Test func modifyReplacesEventsAndToken() throws {
        let set = try Epoll()
        let counter = try EventFD(count: 1)
        let buffer = EpollEventBuffer(capacity: 1)
        try set.add(counter.descriptor, .readable, token: 1)
        try set.modify(counter.descriptor, .writable, token: 2)
        #expect(try set.wait(into: buffer) == 1)
        #expect(buffer[0].events == .writable)
        #expect(buffer[0].token == 2)
        try set.modify(counter.descriptor, [], token: 3)
        #expect(try set.wait(into: buffer, timeout: .zero) == 0)
    }

    @Test func removedDescriptorIsSilent() throws {
        let set = try Epoll()
        let counter = try EventFD(count: 1)
        let buffer = EpollEventBuffer(capacity: 1)
        try set.add(counter.descriptor, .readable, token: 1)
        try set.remove(counter.descriptor)
        #expect(try set.wait(into: buffer, timeout: .zero) == 0)
    }

    @Test func mistakesAreNamed() throws {
        let set = try Epoll()
        let counter = try EventFD()
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.modify(counter.descriptor, .readable, token: 1) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try set.remove(counter.descriptor) }
        try set.add(counter.descriptor, .readable, token: 1)
        #expect(throws: Errno.fileExists) { try set.add(counter.descriptor, .readable, token: 1) }
        #expect(throws: Errno.invalidArgument) { try set.add(set.descriptor, .readable, token: 1) }
        let none = BorrowedDescriptor(rawValue: -1)
        #expect(throws: Errno.badFileDescriptor) { try set.add(none, .readable, token: 1) }
        let file = try FileDescriptor.open("/proc/self/exe", .readOnly)
        defer { try? file.close() }
        #expect(throws: Errno.notPermitted) { try set.add(BorrowedDescriptor(file), .readable, token: 1) }
    }

    @Test func peerThatFinishedOrWentIsReported() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        let set = try Epoll()
        let buffer = EpollEventBuffer(capacity: 1)
        try set.add(server.descriptor, .peerClosed, token: 1)
        try client.finishSending()
        #expect(try set.wait(into: buffer) == 1)
        #expect(buffer[0].events == .peerClosed)
        try server.finishSending()
        #expect(try set.wait(into: buffer) == 1)
        #expect(buffer[0].events.contains([.peerClosed, .hangup]))
    }

    @Test func resetIsAnErrorWhetherAskedForOrNot() throws {
        let listener = try loopbackListener([.resetOnClose])
        let client = try connect(to: listener)
        let set = try Epoll()
        let buffer = EpollEventBuffer(capacity: 1)
        try set.add(client.descriptor, [], token: 1)
        try acceptNext(from: listener).close()
        #expect(try set.wait(into: buffer) == 1)
        #expect(buffer[0].events.contains([.error, .hangup]))
    }

    @Test func setCanBeWatchedByASet() throws {
        let inner = try Epoll()
        let outer = try Epoll()
        let counter = try EventFD()
        let buffer = EpollEventBuffer(capacity: 1)
        try inner.add(counter.descriptor, .readable, token: 1)
        try outer.add(inner.descriptor, .readable, token: 2)
        #expect(try outer.wait(into: buffer, timeout: .zero) == 0)
        try counter.add()
        #expect(try outer.wait(into: buffer) == 1)
        #expect(buffer[0].token == 2)
        #expect(throws: Errno.tooManySymbolicLinkLevels) { try inner.add(outer.descriptor, .readable, token: 3) }
    }

    @Test func fiveSetsCanWatchEachOtherInARow() throws {
        var sets: [OwnedSet] = [try OwnedSet()]
        let counter = try EventFD(count: 1)
        try sets[0].epoll.add(counter.descriptor, .readable, token: 0)
        for level in 1..<5 {
            sets.append(try OwnedSet())
            try sets[level].epoll.add(sets[level - 1].epoll.descriptor, .readable, token: UInt64(level))
        }
        let buffer = EpollEventBuffer(capacity: 1)
        #expect(try sets[4].epoll.wait(into: buffer, timeout: .zero) == 1)
        #expect(buffer[0].token == 4)
        let sixth = try Epoll()
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            try sixth.add(sets[4].epoll.descriptor, .readable, token: 5)
        }
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables))
    func closedNumberIsRefusedByEveryOperation() throws {
        try withOwnDescriptorTable {
            let set = try Epoll()
            let counter = try EventFD()
            let number = counter.descriptor
            try set.add(number, .readable, token: 1)
            try counter.close()
            #expect(throws: Errno.badFileDescriptor) { try set.add(number, .readable, token: 1) }
            #expect(throws: Errno.badFileDescriptor) { try set.modify(number, .readable, token: 1) }
            #expect(throws: Errno.badFileDescriptor) { try set.remove(number) }
        }
    }

    /// C libraries disagree on what kind of constant these are, so the library has the kernel's numbers.
    @Test func flagsAreThoseOfTheHeader() {
        let flags: [(EpollEvents, EPOLL_EVENTS)] = [
            (.readable, EPOLLIN), (.writable, EPOLLOUT), (.priority, EPOLLPRI), (.peerClosed, EPOLLRDHUP),
            (.hangup, EPOLLHUP), (.error, EPOLLERR), (.edgeTriggered, EPOLLET), (.oneShot, EPOLLONESHOT),
            (.exclusive, EPOLLEXCLUSIVE),
        ]
        for (ours, theirs) in flags { #expect(ours.rawValue == theirs.rawValue) }
    }

    /// Nobody is told that a kernel is too old for a flag. Bit 20 is one that none knows yet.
    @Test func unknownFlagIsIgnored() throws {
        let set = try Epoll()
        let counter = try EventFD(count: 1)
        let buffer = EpollEventBuffer(capacity: 1)
        try set.add(counter.descriptor, [.readable, EpollEvents(rawValue: 1 << 20)], token: 1)
        #expect(try set.wait(into: buffer, timeout: .zero) == 1)
        #expect(buffer[0].events == .readable)
    }

    /// The accident of `epoll(7)`'s questions and answers: the number is gone, its registration is not.
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables))
    func closingInsteadOfRemovingLeavesARegistration() throws {
        try withOwnDescriptorTable {
            let set = try Epoll()
            let buffer = EpollEventBuffer(capacity: 1)
            let original = try EventFD(count: 1).release()
            let copy = try original.duplicate()
            let number = original.descriptor
            try set.add(number, .readable, token: 1)
            try original.close()
            #expect(try set.wait(into: buffer, timeout: .zero) == 1)
            #expect(throws: Errno.badFileDescriptor) { try set.remove(number) }
            #expect(throws: Errno.noSuchFileOrDirectory) { try set.remove(copy.descriptor) }
            try copy.close()
            #expect(try set.wait(into: buffer, timeout: .zero) == 0)
        }
    }
}

/// A set that fits into an array.
private final class OwnedSet {
    let epoll: Epoll

    init() throws { epoll = try Epoll() }
}
