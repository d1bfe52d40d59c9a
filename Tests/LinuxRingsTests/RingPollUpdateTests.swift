import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: canDo(\.pollUpdate), whyNot)) struct RingPollUpdateTests {
    @Test func itWaitsForSomethingElse() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        try ring.preparePoll(pair.server.descriptor, .readable, token: 1)
        try ring.submit()
        try ring.preparePollUpdate(target: 1, events: .writable, token: 2)
        let seen = Dictionary(uniqueKeysWithValues: try ring.completions(2).map { ($0.token, $0) })
        #expect(seen[1]?.result == Int32(Ring.PollEvents.writable.rawValue))
        #expect(seen[2]?.result == 0)
    }

    @Test func itCarriesAnotherToken() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.submit()
        try ring.preparePollUpdate(target: 1, newToken: 5, token: 2)
        #expect(try ring.completion().token == 2)
        try ring.preparePollUpdate(target: 1, newToken: 6, token: 2)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
        try pipe.write()
        let seen = try ring.completion()
        #expect(seen.token == 5 && seen.result == Int32(Ring.PollEvents.readable.rawValue))
    }

    @Test func aMultishotStaysOne() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        try ring.prepareMultishotPoll(pair.server.descriptor, [], token: 1)
        try ring.submit()
        try ring.preparePollUpdate(target: 1, events: .readable, newToken: 4, token: 2)
        #expect(try ring.completion().token == 2)
        for _ in 0..<2 {
            _ = try pair.client.send([1])
            let seen = try ring.completion()
            #expect(seen.token == 4 && seen.isArmed)
            _ = try pair.server.bytes()
        }
        try ring.preparePollRemove(target: 4, token: 2)
        #expect(try ring.errors(2) == [2: nil, 4: .canceled])
    }

    @Test func itIsRemoved() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.preparePollRemove(target: 1, token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: nil])
        try ring.preparePollRemove(target: 1, token: 2)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
    }

    @Test func nothingToChangeIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        #expect(throws: Errno.invalidArgument) { try ring.preparePollUpdate(target: 1, token: 2) }
        #expect(try ring.submit() == 0)
        try ring.preparePollUpdate(target: 1, events: .readable, token: 2)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
    }
}
