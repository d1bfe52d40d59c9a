import Foundation
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

private let deferred: RingSetup = [.singleIssuer, .deferTaskRun, .submitAll, .noSubmissionArray]

/// Whether queues can change their size here.
private let resizingAvailable: Bool =
    (try? onOwnThread { () throws -> Void in
        var ring = try Ring(entries: 2, deferred)
        try ring.resize(entries: 4)
    }) != nil

/// A sanitizer maps terabytes, and works no more under a limit.
private let addressSpaceCanBeLimited: Bool = {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").first
    return pages.flatMap { Int($0) }.map { $0 < 1 << 28 } ?? false
}()

/// Queues that change their size.
@Suite(.enabled(if: resizingAvailable, "IORING_REGISTER_RESIZE_RINGS needs Linux 6.13")) struct RingResizeTests {
    static let setups: [RingSetup] = [
        deferred, deferred.union(.taskRunFlag),
    ]

    @Test(arguments: setups) func theQueuesGrowAndShrink(_ setup: RingSetup) throws {
        var ring = try Ring(entries: 4, setup)
        let ready = try writableFile()
        var next: UInt64 = 0
        for entries: UInt32 in [8, 64, 2, 1, 512, 4] {
            try ring.resize(entries: entries, completions: 1024)
            #expect(ring.freeEntries == entries)
            let first = next
            for _ in 0..<(2 * entries + 1) {
                try ring.preparePoll(ready.descriptor, .writable, token: next)
                next += 1
            }
            #expect(try ring.completions(Int(next - first)).map(\.token).sorted() == Array(first..<next))
        }
        #expect(ring.submitted == next)
    }

    @Test(arguments: setups) func whatIsPendingAndReadyStays(_ setup: RingSetup) throws {
        var ring = try Ring(entries: 4, completions: 8, setup)
        let pipe = try TestSupport.Pipe()
        let ready = try writableFile()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        for token in UInt64(2)...4 { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        try ring.submitAndWait(for: 3)
        try ring.resize(entries: 32, completions: 64)
        #expect(ring.readyCompletions == 3)
        try pipe.write()
        #expect(try ring.completions(4).map(\.token).sorted() == [1, 2, 3, 4])
    }

    /// Completions that had no room come in after there is.
    @Test func anOverflowIsCuredByGrowing() throws {
        var ring = try Ring(entries: 4, completions: 4, deferred)
        let ready = try writableFile()
        for token in 0..<UInt64(40) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        try ring.submit()
        #expect(ring.completionsOverflowed == true)
        try ring.resize(entries: 4, completions: 64)
        #expect(try ring.submitAndWait(for: 40, timeout: patience))
        #expect(try ring.completions(40).map(\.token).sorted() == Array(0..<40))
        #expect(ring.completionsOverflowed == false)
    }

    @Test(arguments: setups) func whatIsQueuedMustBeHandedOverFirst(_ setup: RingSetup) throws {
        var ring = try Ring(entries: 4, setup)
        try ring.preparePoll(.standardError, .writable, token: 1)
        #expect(throws: Errno.resourceBusy) { try ring.resize(entries: 8) }
        #expect(ring.freeEntries == 3)
        try ring.submit()
        try ring.resize(entries: 8)
        #expect(try ring.completion().token == 1)
    }

    @Test func moreThanFitsIsKeptWhereItIs() throws {
        var ring = try Ring(entries: 8, completions: 16, deferred)
        let ready = try writableFile()
        for token in 0..<UInt64(8) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
        try ring.submitAndWait(for: 8)
        #expect(throws: Errno.overflow) { try ring.resize(entries: 2, completions: 4) }
        #expect(ring.freeEntries == 8)
        #expect(try ring.completions(8).map(\.token).sorted() == Array(0..<8))
        try ring.resize(entries: 2, completions: 4)
        #expect(ring.freeEntries == 2)
    }

    @Test func impossibleSizesLeaveTheRingAsItWas() throws {
        var ring = try Ring(entries: 8, deferred)
        #expect(throws: Errno.invalidArgument) { try ring.resize(entries: 0) }
        #expect(throws: Errno.invalidArgument) { try ring.resize(entries: 1 << 20) }
        #expect(throws: Errno.invalidArgument) { try ring.resize(entries: 8, completions: 4) }
        #expect(ring.freeEntries == 8)
        try ring.preparePoll(.standardError, .writable, token: 1)
        #expect(try ring.completion().token == 1)
        var other = try Ring(entries: 8, .noSubmissionArray)
        #expect(throws: Errno.invalidArgument) { try other.resize(entries: 16) }
        // Where its table would be, the kernel does not say.
        var another = try Ring(entries: 8, deferred.subtracting(.noSubmissionArray))
        #expect(throws: Errno.invalidArgument) { try another.resize(entries: 16) }
        try another.preparePoll(.standardError, .writable, token: 2)
        #expect(try another.completion().token == 2)
    }

    @Test func anotherThreadIsRefused() throws {
        let box = LooseRing(try Ring(entries: 8, deferred))
        let error = try onOwnThread { failure { () throws(Errno) in try box.ring.resize(entries: 16) } }
        #expect(error == .fileExists)
    }

    /// The kernel has swapped the queues when mapping them fails: the ring is of no use, and says so.
    @Test(.enabled(if: addressSpaceCanBeLimited, "a sanitizer has more address space than can be limited"))
    func withoutAddressSpaceTheRingIsDead() async {
        await #expect(processExitsWith: .success) {
            var ring = try Ring(entries: 4, deferred)
            let pipe = try TestSupport.Pipe()
            try ring.preparePoll(pipe.reader, .readable, token: 1)
            try ring.submit()
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            // Less than is in use already: nothing more can be mapped.
            var tight = rlimit(rlim_cur: 1 << 20, rlim_max: limit.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &tight)
            let failed = failure { () throws(Errno) in try ring.resize(entries: 4096) }
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            precondition(failed == .noMemory, "\(failed as Any)")
            precondition(ring.nextSeen() == nil)
            let errors = [
                failure { () throws(Errno) in try ring.submitAndWait() },
                failure { () throws(Errno) in try ring.submitAndWait(timeout: .milliseconds(1)) },
            ]
            precondition(errors == [.badFileDescriptor, .badFileDescriptor], "\(errors)")
        }
    }
}
