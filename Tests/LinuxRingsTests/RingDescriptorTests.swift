import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Whether rings can be in their thread's own table here.
private let registrationAvailable: Bool =
    (try? onOwnThread { () throws -> Void in
        var ring = try Ring(entries: 2)
        try ring.registerDescriptor()
    }) != nil

/// Rings in their thread's own table of rings.
@Suite(.enabled(if: registrationAvailable, "IORING_REGISTER_RING_FDS needs Linux 5.18")) struct RingDescriptorTests {
    @Test(arguments: [[], .submissionPolling, [.cooperativeTaskRun, .taskRunFlag]] as [RingSetup])
    func aRegisteredRingWorksAsBefore(_ setup: RingSetup) throws {
        guard ringsTake(setup) else { return }
        try onOwnThread {
            var ring = try Ring(entries: 4, completions: 64, setup)
            let ready = try writableFile()
            try ring.registerDescriptor()
            for token in 0..<UInt64(30) { try ring.preparePoll(ready.descriptor, .writable, token: token) }
            #expect(try ring.completions(30).map(\.token).sorted() == Array(0..<30))
            #expect(try ring.submitAndWait(timeout: .milliseconds(1)) == false)
            #expect(throws: Errno.fileExists) { try ring.registerDescriptor() }
            try ring.unregisterDescriptor()
            #expect(throws: Errno.invalidArgument) { try ring.unregisterDescriptor() }
            try ring.preparePoll(ready.descriptor, .writable, token: 30)
            #expect(try ring.completion().token == 30)
        }
    }

    @Test func aThreadHasRoomForSixteen() throws {
        try onOwnThread {
            let boxes = try (0..<16).map { _ in LooseRing(try Ring(entries: 1)) }
            for box in boxes { try box.ring.registerDescriptor() }
            var one = try Ring(entries: 1)
            #expect(throws: Errno.resourceBusy) { try one.registerDescriptor() }
            try boxes[7].ring.unregisterDescriptor()
            try one.registerDescriptor()
            withExtendedLifetime(boxes) {}
        }
    }

    /// Places have the same numbers in every thread's table.
    @Test func anEndOnAnotherThreadLeavesThatThreadsRingsAlone() throws {
        let box = Mutexed<LooseRing?>(nil)
        try onOwnThread {
            let mine = LooseRing(try Ring(entries: 2))
            try mine.ring.registerDescriptor()
            box.value = mine
        }
        try onOwnThread {
            var own = try Ring(entries: 2)
            try own.registerDescriptor()
            #expect(throws: Errno.invalidArgument) { try box.value!.ring.unregisterDescriptor() }
            box.value = nil
            try own.preparePoll(.standardError, .writable, token: 1)
            #expect(try own.completion().token == 1)
        }
    }

    @Test func aPlaceIsFreeAfterItsRingsEnd() throws {
        try onOwnThread {
            for _ in 0..<40 {
                var ring = try Ring(entries: 1)
                try ring.registerDescriptor()
            }
        }
    }
}

/// A value that one thread after the other has.
private final class Mutexed<Value>: @unchecked Sendable {
    // Unchecked: the threads follow one another.
    var value: Value

    init(_ value: Value) { self.value = value }
}
