import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: canDo(\.epollWait), whyNot)) struct RingEpollWaitTests {
    @Test func itIsToldOfAllThatIsReady() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let set = try Epoll()
        let first = try Pipe()
        let second = try Pipe()
        try set.add(first.reader, .readable, token: 7)
        try set.add(second.reader, .readable, token: 8)
        let events = EpollEventBuffer(capacity: 4)
        try ring.prepareEpollWait(set.descriptor, into: events.memory, token: 1)
        #expect(try ring.isQuiet())
        try first.write()
        let seen = try ring.completion()
        #expect(seen.token == 1 && seen.result == 1 && !seen.isArmed)
        #expect(events[0].token == 7 && events[0].events == .readable)
        try second.write()
        try ring.prepareEpollWait(set.descriptor, into: events.memory, token: 2)
        #expect(try ring.completion().result == 2)
        #expect(Set([events[0].token, events[1].token]) == [7, 8])
    }

    @Test func theMemoryLimitsWhatItTakes() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let set = try Epoll()
        let first = try Ready()
        let second = try Ready()
        let third = try Ready()
        try set.add(first.descriptor, .readable, token: 0)
        try set.add(second.descriptor, .readable, token: 1)
        try set.add(third.descriptor, .readable, token: 2)
        let events = EpollEventBuffer(capacity: 1)
        var told: Set<UInt64> = []
        for _ in 0..<3 {
            try ring.prepareEpollWait(set.descriptor, into: events.memory, token: 1)
            #expect(try ring.completion().result == 1)
            told.insert(events[0].token)
        }
        // What is level-triggered goes to the end of the line.
        #expect(told == [0, 1, 2])
        let memory = UnsafeMutableRawBufferPointer(rebasing: events.memory.dropLast())
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareEpollWait(set.descriptor, into: memory, token: 2)
        }
    }

    @Test(arguments: [EpollEvents.readable, [.readable, .edgeTriggered]])
    func ofSeveralWaitsOneIsToldOfAnEdge(_ flags: EpollEvents) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let set = try Epoll()
        let pipe = try Pipe()
        try set.add(pipe.reader, flags, token: 5)
        let first = EpollEventBuffer(capacity: 2)
        let second = EpollEventBuffer(capacity: 2)
        try ring.prepareEpollWait(set.descriptor, into: first.memory, token: 1)
        try ring.prepareEpollWait(set.descriptor, into: second.memory, token: 2)
        try ring.submit()
        try pipe.write()
        _ = try ring.completion()
        if flags.contains(.edgeTriggered) {
            #expect(try ring.isQuiet())
        } else {
            #expect(try ring.completion().result == 1)
        }
    }

    @Test func cancellingItTakesNothing() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let set = try Epoll()
        let pipe = try Pipe()
        try set.add(pipe.reader, [.readable, .edgeTriggered], token: 5)
        let events = EpollEventBuffer(capacity: 2)
        try ring.prepareEpollWait(set.descriptor, into: events.memory, token: 1)
        try ring.submit()
        try ring.prepareCancel(target: 1, token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: nil])
        try pipe.write()
        #expect(try set.wait(into: events, timeout: .zero) == 1)
        #expect(events[0].token == 5)
    }

    @Test func itKeepsTheSetOpen() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let set = try Epoll()
        let pipe = try Pipe()
        try set.add(pipe.reader, .readable, token: 5)
        let events = EpollEventBuffer(capacity: 2)
        try ring.prepareEpollWait(set.descriptor, into: events.memory, token: 1)
        try ring.submit()
        try set.close()
        try pipe.write()
        #expect(try ring.completion().result == 1)
        #expect(events[0].token == 5)
    }

    @Test func itWaitsForSetsOnly() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        let events = EpollEventBuffer(capacity: 2)
        try ring.prepareEpollWait(ready.descriptor, into: events.memory, token: 1)
        #expect(try ring.completion().error == .invalidArgument)
        try ring.prepareEpollWait(BorrowedDescriptor(rawValue: -1), into: events.memory, token: 1)
        #expect(try ring.completion().error == .badFileDescriptor)
    }
}
