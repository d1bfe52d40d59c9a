import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Who is woken when several threads wait for one connection that nobody accepts.
///
/// All threads are known to sleep before the connection comes. A thread that is not woken by it is woken by the end of
/// the test, and then finds no report of the listener if the connection never reached its set.
@Suite struct EpollSharingTests {
    private static let sleepers = 4

    @Test func levelTriggeredSetsAreAllWoken() throws {
        #expect(try wokenBySets(.readable) == Self.sleepers)
    }

    @Test func edgeTriggeredSetsAreAllWoken() throws {
        #expect(try wokenBySets([.readable, .edgeTriggered]) == Self.sleepers)
    }

    /// The man page promises at least one; Linux wakes exactly one of those that sleep.
    @Test(arguments: [EpollEvents.exclusive, [.exclusive, .edgeTriggered]])
    func exclusiveSetsAreWokenOneAtATime(_ flags: EpollEvents) throws {
        #expect(try wokenBySets(flags.union(.readable)) == 1)
    }

    @Test func exclusiveSetsThatDoNotSleepAreAllMarked() throws {
        let listener = try loopbackListener()
        let first = try Epoll()
        let second = try Epoll()
        try first.add(listener.descriptor, [.readable, .exclusive], token: 1)
        try second.add(listener.descriptor, [.readable, .exclusive], token: 1)
        let client = try connect(to: listener)
        try waitUntilReadable(listener.descriptor)
        let buffer = EpollEventBuffer(capacity: 1)
        #expect(try first.wait(into: buffer) == 1)
        #expect(try second.wait(into: buffer) == 1)
        try client.close()
    }

    @Test func exclusiveCannotBeModifiedNorCombined() throws {
        let set = try Epoll()
        let counter = try EventFD()
        #expect(throws: Errno.invalidArgument) {
            try set.add(counter.descriptor, [.readable, .exclusive, .oneShot], token: 1)
        }
        #expect(throws: Errno.invalidArgument) {
            try set.add(counter.descriptor, [.readable, .exclusive, .peerClosed], token: 1)
        }
        #expect(throws: Errno.invalidArgument) { try set.add(set.descriptor, [.readable, .exclusive], token: 1) }
        try set.add(counter.descriptor, [.readable, .exclusive], token: 1)
        #expect(throws: Errno.invalidArgument) { try set.modify(counter.descriptor, .readable, token: 1) }
        #expect(throws: Errno.invalidArgument) {
            try set.modify(counter.descriptor, [.readable, .exclusive], token: 1)
        }
    }

    /// How many of several threads, each asleep in a set of its own, saw the listener become ready.
    private func wokenBySets(_ events: EpollEvents) throws -> Int {
        let listener = try loopbackListener()
        let reports = try EventFD()
        let end = try EventFD()
        let borrowed = (listener.descriptor, reports.descriptor, end.descriptor)
        let threads = (0..<Self.sleepers).map { _ in
            TestThread {
                let set = try Epoll()
                try set.add(borrowed.0, events, token: 0)
                try set.add(borrowed.2, .readable, token: 1)
                return try sees(borrowed.0, in: set, tells: borrowed.1)
            }
        }
        for thread in threads { try thread.waitUntilBlocked() }
        let client = try connect(to: listener)
        try waitUntilReadable(reports.descriptor)
        if !events.contains(.exclusive) {
            var woken: UInt64 = 0
            while woken < UInt64(Self.sleepers) {
                try waitUntilReadable(reports.descriptor)
                woken += try reports.take() ?? 0
            }
        }
        try end.add()
        let seen = try threads.map { try $0.join() }.filter { $0 }.count
        try client.close()
        return seen
    }
}

/// Waits until the end comes and says whether the listener was reported before it or with it. The first report of the
/// listener is passed on and ends watching it, for a level-triggered one would be reported for ever.
private func sees(
    _ listener: BorrowedDescriptor, in set: borrowing Epoll, tells reports: BorrowedDescriptor
) throws -> Bool {
    let buffer = EpollEventBuffer(capacity: 4)
    var seen = false
    while true {
        let count = try set.wait(into: buffer)
        let tokens = (0..<count).map { buffer[$0].token }
        if tokens.contains(0) && !seen {
            seen = true
            try set.remove(listener)
            try borrowing(reports) { _ = try $0.add() }
        }
        if tokens.contains(1) { return seen }
    }
}
