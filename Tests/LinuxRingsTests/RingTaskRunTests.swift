import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// Rings that tell of completions that an enter would bring.
@Suite(.enabled(if: ringsTake(.taskRunFlag), "IORING_SETUP_TASKRUN_FLAG needs Linux 5.19")) struct RingTaskRunTests {
    @Test func deferredWorkIsSeenWithoutAnEnter() throws {
        let setup: RingSetup = [.singleIssuer, .deferTaskRun, .taskRunFlag, .submitAll]
        guard ringsTake(setup) else { return }
        var ring = try Ring(entries: 8, setup)
        let pipe = try Pipe()
        for round in UInt64(0)..<10 {
            try ring.preparePoll(pipe.reader, .readable, token: round)
            #expect(try ring.submit() == 1)
            #expect(ring.hasDeferredWork == false)
            try pipe.write()
            #expect(ring.hasDeferredWork == true)
            #expect(ring.readyCompletions == 0)
            let enters = ring.enters
            // Nothing is queued: this enter is made for the deferred work alone.
            #expect(try ring.submit() == 0)
            #expect(ring.enters == enters + 1)
            #expect(ring.nextSeen()?.token == round)
            #expect(ring.hasDeferredWork == false)
            #expect(try ring.submit() == 0)
            #expect(ring.enters == enters + 1)
            try pipe.read()
        }
        #expect(ring.submitted == 10)
    }

    @Test func entersAreCountedWhenTheyHappen() throws {
        var ring = try Ring(entries: 4, completions: 64, [.cooperativeTaskRun, .taskRunFlag])
        let ready = try writableFile()
        for token in 0..<UInt64(30) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        #expect(ring.submitted == 28)
        #expect(ring.enters == 7)
        #expect(try ring.completions(28).map(\.token).sorted() == Array(0..<28))
        #expect(ring.enters == 7)
        #expect(try ring.completions(2).map(\.token).sorted() == [28, 29])
        #expect(ring.submitted == 30)
        #expect(ring.enters == 8)
        #expect(try ring.submitAndWait(timeout: .nanoseconds(1)) == false)
        #expect(ring.enters == 9)
    }

    @Test func aRefusedSubmissionDoesNotEndAWait() throws {
        for isTimed in [false, true] {
            var ring = try Ring(entries: 8, [.cooperativeTaskRun, .taskRunFlag])
            let pipe = try Pipe()
            try pipe.write()
            // Slot 9 of a table that there is not.
            try ring.prepareReceive(.slot(Slot(9)), from: 1, token: 1)
            try ring.preparePoll(pipe.reader, .readable, token: 2)
            if isTimed {
                #expect(try ring.submitAndWait(for: 2, timeout: patience))
            } else {
                #expect(try ring.submitAndWait(for: 2) == 2)
            }
            #expect(ring.submitted == 2)
            #expect(try ring.completions(2).map(\.token) == [1, 2])
        }
    }

    @Test func anotherThreadIsRefused() throws {
        let setup: RingSetup = [.singleIssuer, .deferTaskRun, .taskRunFlag]
        guard ringsTake(setup) else { return }
        let box = LooseRing(try Ring(entries: 8, setup))
        try box.ring.preparePoll(.standardError, .writable, token: 1)
        let error = try onOwnThread { failure { () throws(Errno) in try box.ring.submit() } }
        #expect(error == .fileExists)
        #expect(try box.ring.submit() == 1)
    }

    @Test func itNeedsAWayToDeferWork() {
        #expect(failure { () throws(Errno) in try Ring(entries: 8, .taskRunFlag) } == .invalidArgument)
    }
}

/// Rings without the table between positions and entries.
@Suite(.enabled(if: ringsTake(.noSubmissionArray), "IORING_SETUP_NO_SQARRAY needs Linux 6.6"))
struct RingNoArrayTests {
    @Test(arguments: [1, 3, 8] as [UInt32], [[], .submissionPolling, [.singleIssuer, .deferTaskRun]] as [RingSetup])
    func theQueueWraps(_ entries: UInt32, _ more: RingSetup) throws {
        guard ringsTake(more) else { return }
        var ring = try Ring(entries: entries, completions: 256, more.union(.noSubmissionArray))
        #expect(ring.setup.contains(.noSubmissionArray))
        let ready = try writableFile()
        for token in 0..<UInt64(100) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        #expect(try ring.completions(100).map(\.token).sorted() == Array(0..<100))
        #expect(ring.submitted == 100)
    }

    @Test func sizesThatNoKernelTakesAreRefused() {
        let setup = RingSetup.noSubmissionArray
        #expect(failure { () throws(Errno) in try Ring(entries: 0, setup) } == .invalidArgument)
        #expect(failure { () throws(Errno) in try Ring(entries: 8, completions: 4, setup) } == .invalidArgument)
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func itsEndClosesTheRing() throws {
        try withOwnDescriptorTable {
            let number: BorrowedDescriptor
            do {
                let ring = try Ring(entries: 8, .noSubmissionArray)
                number = ring.descriptor
                #expect(isOpen(number))
            }
            #expect(!isOpen(number))
        }
    }
}
