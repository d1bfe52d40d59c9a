import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

private let hour = Duration.seconds(3600)

/// Requests with a limited time.
@Suite(.enabled(if: canDo(\.linkTimeout), whyNot)) struct RingLinkTimeoutTests {
    @Test(arguments: [Ring.Expiration.after(.zero), .after(.milliseconds(1)), .at(.zero)])
    func aRequestIsCancelledWhenItsTimeIsOver(_ expiration: Ring.Expiration) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        try ring.prepareLinkTimeout(expiration, token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: .timeout])
    }

    @Test func aReceiveLeavesWhatComesLater() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        try ring.prepareReceive(.descriptor(pair.server.descriptor), into: memory, count: 8, .link, token: 1)
        try ring.prepareLinkTimeout(.after(.milliseconds(1)), token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: .timeout])
        _ = try pair.client.send([1, 2])
        #expect(try pair.server.bytes() == [1, 2])
    }

    @Test(arguments: [false, true]) func aRequestThatEndsInTimeEndsTheLimit(_ isReady: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        if isReady { _ = try pair.client.send([1, 2]) }
        try ring.prepareReceive(.descriptor(pair.server.descriptor), into: memory, count: 8, .link, token: 1)
        try ring.prepareLinkTimeout(.after(hour), token: 2)
        try ring.submit()
        if !isReady { _ = try pair.client.send([1, 2]) }
        let seen = Dictionary(uniqueKeysWithValues: try ring.completions(2).map { ($0.token, $0) })
        #expect(seen[1]?.result == 2 && seen[2]?.error == .canceled)
    }

    /// With a quiet limit a request has one completion, however it ends.
    @Test(.enabled(if: multishotAvailable, whyNoRings), arguments: [Duration.milliseconds(1), hour])
    func aQuietLimitHasNoCompletion(_ limit: Duration) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        if limit == hour { try pipe.write() }
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        try ring.prepareLinkTimeout(.after(limit), .skipSuccess, token: 2)
        let seen = try ring.completion()
        #expect(seen.token == 1 && seen.error == (limit == hour ? nil : .canceled))
        for _ in 0..<3 { #expect(try ring.isQuiet()) }
    }

    /// The limit is for the request before it, and the chain goes on behind it or not.
    @Test(arguments: [false, true]) func theChainGoesOnBehindTheLimit(_ isInTime: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let ready = try Ready()
        if isInTime { try pipe.write() }
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        try ring.prepareLinkTimeout(.after(isInTime ? hour : .milliseconds(1)), .link, token: 2)
        try ring.preparePoll(ready.descriptor, .readable, token: 3)
        #expect(
            try ring.errors(3)
                == (isInTime ? [1: nil, 2: .canceled, 3: nil] : [1: .canceled, 2: .timeout, 3: .canceled]))
    }

    /// A failure ends the chain with the limit in it.
    @Test func aFailureEndsTheLimit() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.prepareFailure(.link, token: 1)
        try ring.prepareLinkTimeout(.after(hour), .link, token: 2)
        try ring.preparePoll(pipe.reader, .readable, token: 3)
        #expect(try ring.errors(3) == [1: .noSuchFileOrDirectory, 2: .canceled, 3: .canceled])
    }

    @Test func aLimitOfNothingIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareLinkTimeout(.after(hour), token: 1)
        #expect(try ring.completion().error == .invalidArgument)
        // One is behind another: the whole chain is refused.
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        try ring.prepareLinkTimeout(.after(hour), .link, token: 2)
        try ring.prepareLinkTimeout(.after(hour), token: 3)
        try ring.submit()
        #expect(try ring.errors(3) == [1: .canceled, 2: .canceled, 3: .invalidArgument])
    }

    @Test func aFullQueueDoesNotPartThem() throws {
        var ring = try Ring.forThisThread(entries: 4, completions: 64)
        let pipe = try Pipe()
        for token in UInt64(10)..<13 { try ring.prepareFailure(token: token) }
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        #expect(throws: Errno.resourceBusy) { try ring.prepareLinkTimeout(.after(.zero), token: 2) }
        try ring.submit()
        try ring.prepareCancel(target: 1, token: 3)
        _ = try ring.completions(5)
        try ring.reserve(2)
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        try ring.prepareLinkTimeout(.after(.zero), token: 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: .timeout])
    }

    @Test func itIsNoneOfTheTimeouts() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        try ring.prepareLinkTimeout(.after(hour), token: 2)
        try ring.submit()
        try ring.prepareTimeoutRemove(target: 2, token: 3)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
        try ring.prepareTimeoutUpdate(target: 2, to: .after(.zero), token: 3)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
        try pipe.write()
        #expect(try ring.errors(2) == [1: nil, 2: .canceled])
    }

    @Test(.enabled(if: canDo(\.timeoutClocks), whyNot)) func itCanBeUpdated() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, .link, token: 1)
        try ring.prepareLinkTimeout(.after(hour), clock: .boottime, token: 2)
        try ring.submit()
        try ring.prepareTimeoutUpdate(target: 2, to: .after(hour * 2), isLinked: true, token: 3)
        let later = try ring.completion()
        #expect(later.token == 3 && later.result == 0)
        try ring.prepareTimeoutUpdate(target: 2, to: .after(.zero), isLinked: true, token: 3)
        #expect(try ring.errors(3) == [1: .canceled, 2: .timeout, 3: nil])
        try ring.prepareTimeoutUpdate(target: 2, to: .after(.zero), isLinked: true, token: 3)
        #expect(try ring.completion().error == .noSuchFileOrDirectory)
    }

    /// "Wait for the last byte, but not for long, and close."
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables), arguments: [EntryFlags.link, .hardLink])
    func aCloseBehindALimitedRequestIsDone(_ link: EntryFlags) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let pipe = try Pipe()
            let file = OwnedDescriptor(owning: try FileDescriptor.open("/dev/null", .readOnly))
            let number = file.descriptor
            try ring.preparePoll(pipe.reader, .readable, link, token: 1)
            try ring.prepareLinkTimeout(.after(.milliseconds(1)), [link, .skipSuccess], token: 2)
            try ring.prepareClose(file, .skipSuccess, token: 3)
            var seen: [UInt64: Errno?] = [:]
            let end = ContinuousClock.now + patience
            while isOpen(number) && ContinuousClock.now < end {
                _ = try ring.submitAndWait(timeout: .milliseconds(1))
                while let completion = ring.nextSeen() { seen[completion.token] = completion.error }
            }
            #expect(!isOpen(number))
            #expect(seen[1] == .canceled)
        }
    }
}
