import LinuxRings
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingPollTests {
    @Test func pollCompletesOnce() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.submit()
        try pipe.write()
        let completion = try ring.completion()
        #expect(completion.result == CInt(Ring.PollEvents.readable.rawValue))
        #expect(!completion.isArmed)
        try pipe.write()
        #expect(try ring.submitAndWait(timeout: .zero) == false)
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings))
    func multishotPollReportsChanges() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.prepareMultishotPoll(pipe.reader, .readable, token: 1)
        try ring.submit()
        for _ in 0..<3 {
            try pipe.write()
            let completion = try ring.completion()
            #expect(completion.isArmed)
            #expect(completion.result == CInt(Ring.PollEvents.readable.rawValue))
            // Still readable, and not reported again.
            #expect(try ring.submitAndWait(timeout: .zero) == false)
        }
    }

    @Test(arguments: [Ring.PollEvents.readable, [.readable, .exclusive]])
    func exclusivePollsAreWokenOneAtATime(_ events: Ring.PollEvents) throws {
        var first = try Ring.forThisThread(entries: 8)
        var second = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try first.preparePoll(pipe.reader, events, token: 1)
        try first.submit()
        try second.preparePoll(pipe.reader, events, token: 2)
        try second.submit()
        try pipe.write()
        let woken = [try first.submitAndWait(timeout: .zero), try second.submitAndWait(timeout: .zero)]
        #expect(woken.filter { $0 }.count == (events.contains(.exclusive) ? 1 : 2))
    }
}
