import CTestSupport
import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// Rings whose queues lie in memory that the caller brings.
@Suite(.enabled(if: ringsTake(.callerMemory), "IORING_SETUP_NO_MMAP needs Linux 6.5"))
struct RingMemoryTests {
    static let setups: [RingSetup] = [
        [], .submitAll, [.singleIssuer, .deferTaskRun], .noSubmissionArray,
        [.noSubmissionArray, .taskRunFlag, .cooperativeTaskRun],
        .mixedCompletions,
    ]

    private func memory(_ entries: UInt32, _ completions: UInt32? = nil) throws(Errno) -> RingMemory {
        try RingMemory(bytes: RingMemory.bytesNeeded(entries: entries, completions: completions))
    }

    @Test(arguments: setups, [1, 3, 8] as [UInt32]) func theQueuesWrap(_ setup: RingSetup, _ entries: UInt32) throws {
        guard ringsTake(setup) else { return }
        var ring = try Ring(entries: entries, completions: 256, setup, memory: memory(entries, 256))
        #expect(ring.setup == setup.union(.callerMemory))
        for token in 0..<UInt64(100) { try ring.prepareNop(token: token) }
        #expect(try ring.completions(100).map(\.token) == Array(0..<100))
        #expect(ring.submitted == 100)
    }

    @Test func largeQueuesFit() throws {
        // Before Linux 6.10 more than a page has to be one huge page.
        let ring: Ring
        do {
            ring = try Ring(entries: 4096, memory: memory(4096))
        } catch {
            return print("skipped: queues of several pages: \(error)")
        }
        var used = ring
        for token in 0..<UInt64(4096) { try used.prepareNop(token: token) }
        #expect(try used.submitAndWait(for: 4096) == 4096)
        #expect(used.readyCompletions == 4096)
    }

    @Test func memoryThatIsTooSmallOrCrookedIsRefused() throws {
        let small = failure { () throws(Errno) in
            try Ring(entries: 4096, memory: RingMemory(bytes: 4096))
        }
        #expect(small == .noBufferSpace)
        #expect(failure { () throws(Errno) in try RingMemory(bytes: 0) } == .invalidArgument)
        #expect(failure { () throws(Errno) in try Ring(entries: 0, memory: memory(1)) } == .invalidArgument)
        #expect(failure { () throws(Errno) in try Ring(entries: 8, .callerMemory) } == .invalidArgument)
        var byte: UInt64 = 0
        let crooked = withUnsafeMutableBytes(of: &byte) { bytes in
            failure { () throws(Errno) in try RingMemory(lent: UnsafeMutableRawBufferPointer(rebasing: bytes[1...])) }
        }
        #expect(crooked == .invalidArgument)
    }

    @Test func lentMemoryIsLeftAlone() throws {
        let bytes = RingMemory.bytesNeeded(entries: 8)
        let start = try #require(
            mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
        defer { munmap(start, bytes) }
        let lent = UnsafeMutableRawBufferPointer(start: start, count: bytes)
        do {
            var ring = try Ring(entries: 8, memory: RingMemory(lent: lent))
            try ring.prepareNop(token: 0x1234)
            #expect(try ring.completion().token == 0x1234)
        }
        // The submission still stands there; memory that is unmapped would end the process.
        #expect(lent.load(fromByteOffset: 32, as: UInt64.self) == 0x1234)
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables), arguments: [false, true])
    func itsEndClosesTheRing(_ isRegistered: Bool) throws {
        try withOwnDescriptorTable {
            let number: BorrowedDescriptor
            do {
                var ring = try Ring(entries: 8, memory: RingMemory(bytes: RingMemory.bytesNeeded(entries: 8)))
                number = ring.descriptor
                if isRegistered { try ring.registerDescriptor() }
                try ring.prepareNop(token: 1)
                #expect(try ring.completion().token == 1)
                #expect(isOpen(number))
            }
            #expect(!isOpen(number))
        }
    }

    @Test func placesOfTheThreadAreGivenBack() throws {
        // A thread has 16: without giving them back the seventeenth would be refused.
        for _ in 0..<40 {
            var ring = try Ring(entries: 8, memory: memory(8))
            try ring.registerDescriptor()
            try ring.prepareNop(token: 1)
            #expect(try ring.completion().token == 1)
        }
    }

    @Test func itsSizeStays() throws {
        let setup: RingSetup = [.singleIssuer, .deferTaskRun, .noSubmissionArray]
        guard ringsTake(setup) else { return }
        var ring = try Ring(entries: 8, setup, memory: memory(8))
        #expect(failure { () throws(Errno) in try ring.resize(entries: 16) } == .invalidArgument)
    }
}
