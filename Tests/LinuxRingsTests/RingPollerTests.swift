import Foundation
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Rings whose submissions a thread of the kernel takes.
@Suite(.enabled(if: pollersAvailable, whyNoPollers)) struct RingPollerTests {
    @Test func requestsAreCarriedOut() throws {
        var ring = try Ring.polled()
        #expect(ring.setup == [.submissionPolling, .submitAll])
        let pair = try Pair()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        for round in UInt8(0)..<20 {
            _ = try pair.client.send([round])
            try ring.prepareReceive(.descriptor(pair.server.descriptor), into: memory, count: 8, token: 1)
            let completion = try ring.completion()
            #expect(completion.result == 1 && completion.token == 1)
            #expect(memory.load(as: UInt8.self) == round)
        }
        #expect(ring.submitted == 20)
    }

    /// What was published is not counted again while the poller has not taken it.
    @Test func submissionsAreCountedOnce() throws {
        var ring = try Ring.polled(entries: 64)
        let ready = try writableFile()
        for round in 0..<UInt64(20) {
            for token in 0..<3 { try ring.preparePoll(ready.descriptor, .writable, token: round * 3 + UInt64(token)) }
            #expect(try ring.submit() == 3)
            #expect(try ring.submit() == 0)
            #expect(ring.submitted == (round + 1) * 3)
        }
        #expect(try ring.completions(60).map(\.token).sorted() == Array(0..<60))
        #expect(ring.submitted == 60)
    }

    @Test func whatAWaitHandsOverIsReported() throws {
        var ring = try Ring.polled()
        let ready = try writableFile()
        for token in UInt64(1)...3 { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        #expect(try ring.submitAndWait(for: 3) == 3)
        #expect(ring.readyCompletions == 3)
        #expect(try ring.submitAndWait(for: 3) == 0)
    }

    /// The poller may be behind, however often the queue is handed over.
    @Test(arguments: [1, 2, 4] as [UInt32]) func aFullQueueWaitsForThePoller(_ entries: UInt32) throws {
        var ring = try Ring.polled(entries: entries, completions: 512)
        let ready = try writableFile()
        for token in 0..<UInt64(400) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        #expect(try ring.completions(400).map(\.token).sorted() == Array(0..<400))
        #expect(ring.submitted == 400)
    }

    @Test func roomForManyIsWaitedFor() throws {
        var ring = try Ring.polled(entries: 8, completions: 512)
        let ready = try writableFile()
        for round in 0..<UInt64(50) {
            try ring.reserve(8)
            #expect(ring.freeEntries == 8)
            for token in 0..<UInt64(5) { try ring.preparePoll(ready.descriptor, .writable, token: round * 5 + token) }
        }
        #expect(throws: Errno.invalidArgument) { try ring.reserve(9) }
        #expect(try ring.completions(250).map(\.token).sorted() == Array(0..<250))
    }

    @Test func aChainIsPublishedAsAWhole() throws {
        var ring = try Ring.polled(entries: 4, completions: 64)
        let ready = try writableFile()
        for round in UInt64(0)..<50 {
            // Two that the poller may not have taken, so that the chain wraps and has to wait for room.
            for token in UInt64(0)..<2 { try ring.preparePoll(ready.descriptor, .writable, token: token) }
            try ring.submit()
            for token in UInt64(2)...4 { try ring.prepareCancel(target: 99, .link, token: token) }
            try ring.preparePoll(ready.descriptor, .writable, token: 5)
            let errors = Dictionary(uniqueKeysWithValues: try ring.completions(6).map { ($0.token, $0.error) })
            #expect(errors[2] == .some(.noSuchFileOrDirectory))
            #expect((3...5).allSatisfy { errors[$0] == .some(.canceled) }, "round \(round): \(errors)")
        }
    }

    @Test func aChainThatTheQueueCannotHoldIsRefused() throws {
        var ring = try Ring.polled(entries: 2)
        for token in UInt64(1)...2 { try ring.prepareCancel(target: 99, .link, token: token) }
        #expect(throws: Errno.resourceBusy) { try ring.prepareCancel(target: 99, token: 3) }
        #expect(throws: Errno.resourceBusy) { try ring.reserve(1) }
        #expect(ring.submitted == 0)
        #expect(try ring.submit() == 2)
        #expect(Set(try ring.completions(2).map(\.error)) == [.noSuchFileOrDirectory, .canceled])
    }

    @Test func completionsThatDoNotFitAreKept() throws {
        var ring = try Ring.polled(entries: 4, completions: 4)
        let ready = try writableFile()
        for token in 0..<UInt64(40) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        #expect(try ring.completions(40).map(\.token).sorted() == Array(0..<40))
        #expect(ring.droppedCompletions == 0)
        #expect(ring.completionsOverflowed == false)
    }

    @Test func limitsOfWaitsHold() throws {
        var ring = try Ring.polled()
        let pipe = try TestSupport.Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        #expect(try ring.submitAndWait(timeout: .milliseconds(1)) == false)
        #expect(ring.submitted == 1)
        #expect(try ring.submitAndWait(timeout: .zero) == false)
        try pipe.write()
        #expect(try ring.submitAndWait(timeout: patience))
        #expect(ring.nextSeen()?.token == 1)
        #expect(throws: Errno.invalidArgument) { try ring.submitAndWait(for: 17) }
        #expect(throws: Errno.invalidArgument) { try ring.submitAndWait(for: 0, timeout: .zero) }
    }

    @Test func signalsDoNotEndAWaitForMany() throws {
        let pipe = try TestSupport.Pipe()
        let reader = pipe.reader
        let waiting = TestThread {
            allowInterruption()
            var ring = try Ring.polled()
            for token in UInt64(1)...3 { try ring.preparePoll(reader, .readable, token: token) }
            try ring.submitAndWait(for: 3)
            return ring.readyCompletions
        }
        for _ in 0..<20 {
            try waiting.waitUntilBlocked()
            #expect(waiting.signal(interruption))
        }
        try pipe.write()
        #expect(try waiting.join() == 3)
    }

    @Test func descriptorsHaveAnOwnerOfTheirOwn() throws {
        var ring = try Ring.polled()
        let pipe = try TestSupport.Pipe()
        let listener = try loopbackListener()
        try ring.prepareAccept(on: listener.descriptor, token: 1)
        try ring.preparePoll(pipe.reader, .readable, token: 2)
        try ring.submit()
        let client = try connect(to: listener)
        try pipe.write()
        let completions = try ring.completions(2)
        let accepted = try #require(completions.first { $0.token == 1 })
        let server = try connection(accepted.result)
        #expect(try client.send([7]) == 1)
        #expect(try server.bytes() == [7])
    }

    @Test func flagsThatHaveNoMeaningWithAPollerAreRefused() {
        for flags: RingSetup in [.cooperativeTaskRun, .taskRunFlag, [.singleIssuer, .deferTaskRun]] {
            #expect(
                failure { () throws(Errno) in try Ring(entries: 8, flags.union(.submissionPolling)) }
                    == .invalidArgument)
        }
    }
}

/// When the poller sleeps, and what that costs.
@Suite(.enabled(if: pollersAvailable, whyNoPollers)) struct RingPollerSleepTests {
    @Test func aSleepingPollerIsWoken() throws {
        var ring = try Ring.polled()
        let ready = try writableFile()
        for token in UInt64(0)..<5 {
            try ring.waitUntilPollerSleeps()
            let enters = ring.enters
            try ring.preparePoll(ready.descriptor, .writable, token: token)
            #expect(ring.enters == enters)
            #expect(try ring.submit() == 1)
            #expect(ring.enters == enters + 1)
            try ring.spinUntilReady()
            #expect(ring.nextSeen()?.token == token)
        }
    }

    @Test func aPollerThatIsAwakeNeedsNoEnter() throws {
        var ring = try Ring.polled(idle: patience)
        let ready = try writableFile()
        // It goes to sleep at once when it finds nothing the first time that it looks.
        try ring.preparePoll(ready.descriptor, .writable, token: 0)
        #expect(try ring.completion().token == 0)
        let enters = ring.enters
        for token in UInt64(1)..<50 {
            try ring.preparePoll(ready.descriptor, .writable, token: token)
            #expect(try ring.submit() == 1)
            try ring.spinUntilReady()
            // It is there already.
            #expect(try ring.submitAndWait(timeout: patience))
            #expect(try ring.submitAndWait() == 0)
            #expect(ring.nextSeen()?.token == token)
        }
        #expect(ring.enters == enters)
        #expect(ring.pollerSleeps == false)
    }

    @Test func nothingToDoEntersNothing() throws {
        var ring = try Ring.polled()
        try ring.waitUntilPollerSleeps()
        let enters = ring.enters
        #expect(try ring.submit() == 0)
        #expect(ring.enters == enters)
    }

    @Test func timesAreRoundedUpToWhatTheKernelCounts() throws {
        // 0 would be a second to the kernel, and what it cannot count would wrap.
        for idle: Duration in [.zero, .nanoseconds(1), .seconds(-1), .milliseconds(3), .seconds(Int64.max)] {
            var ring = try Ring.polled(idle: idle)
            let ready = try writableFile()
            try ring.preparePoll(ready.descriptor, .writable, token: 1)
            #expect(try ring.completion().token == 1)
            if idle < .seconds(1) { try ring.waitUntilPollerSleeps() }
        }
    }
}

/// Which thread the poller is.
@Suite(.enabled(if: pollersAvailable, whyNoPollers)) struct RingPollerThreadTests {
    @Test func itIsAThreadOfThisProcess() throws {
        let ring = try Ring.polled()
        let other = try Ring.polled()
        // In another PID namespace the kernel's number says nothing.
        guard let thread = ring.pollerThread(), let second = other.pollerThread() else { return }
        #expect(thread != second)
        #expect(try text("comm", of: thread).hasPrefix("iou-sqp-"))
        #expect(try Ring(entries: 2).pollerThread() == nil)
    }

    @Test func itEndsWithItsRing() throws {
        let thread: CInt
        do {
            let ring = try Ring.polled()
            guard let number = ring.pollerThread() else { return }
            thread = number
        }
        #expect(eventually { (try? text("comm", of: thread))?.hasPrefix("iou-sqp-") != true })
    }

    @Test func itStaysOnItsProcessor() throws {
        let allowed = try text("status", of: getpid()).split(separator: "\n")
            .first { $0.hasPrefix("Cpus_allowed_list:") }
        let digits = try #require(allowed).drop { !$0.isNumber }.prefix { $0.isNumber }
        let processor = try #require(UInt32(digits))
        var ring = try Ring(entries: 8, poller: SubmissionPoller(idle: .milliseconds(1), processor: processor))
        let ready = try writableFile()
        try ring.preparePoll(ready.descriptor, .writable, token: 1)
        #expect(try ring.completion().token == 1)
        guard let thread = ring.pollerThread() else { return }
        let status = try text("status", of: thread)
        #expect(status.contains("Cpus_allowed_list:\t\(processor)\n"))
    }

    private func text(_ name: String, of thread: CInt) throws -> String {
        try String(contentsOfFile: "/proc/self/task/\(thread)/\(name)", encoding: .utf8)
    }
}
