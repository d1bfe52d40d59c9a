import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Counts, times and numbers that the kernel takes with fewer bits: cut or refused, and never wrapped.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingLimitTests {
    static let largest = 0x7fff_f000
    static let counts = [1, 5, largest, largest + 1, 1 << 31, 1 << 32, 1 << 32 + 5, Int.max]

    @Test(arguments: counts) func aReceiveAsksForWhatIsThere(_ count: Int) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        _ = try pair.client.send([1, 2, 3, 4, 5])
        try ring.prepareReceive(.descriptor(pair.server.descriptor), into: memory, count: count, token: 1)
        #expect(try ring.completion().result == min(count, 5))
    }

    @Test(arguments: counts) func aReadAsksForWhatIsThere(_ count: Int) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        try pipe.write()
        try ring.prepareRead(
            pipe.reader, into: UnsafeMutableRawBufferPointer(start: memory, count: count), token: 1)
        #expect(try ring.completion().result == 1)
    }

    @Test(arguments: counts) func aSendTakesWhatFits(_ count: Int) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        // Only what the socket takes is looked at, but all that is asked for must be the process's.
        let room = Self.largest
        let map = mmap(nil, room, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | CInt(MAP_NORESERVE), -1, 0)
        let memory = try #require(map == MAP_FAILED ? nil : map)
        defer { munmap(memory, room) }
        try ring.prepareSend(.descriptor(pair.server.descriptor), from: memory, count: count, token: 1)
        let result = Int(try ring.completion().result)
        #expect(count <= 5 ? result == count : result > 5)
    }

    @Test(arguments: [0, -1, Int.min]) func noRoomIsRefused(_ count: Int) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        let file = RequestFile.descriptor(.standardInput)
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareReceive(file, into: memory, count: count, token: 1)
        }
        if count == 0 {
            #expect(throws: Errno.invalidArgument) {
                let none = UnsafeMutableRawBufferPointer(start: memory, count: 0)
                try ring.prepareRead(.standardInput, into: none, token: 1)
            }
        } else {
            #expect(throws: Errno.invalidArgument) { try ring.prepareSend(file, from: memory, count: count, token: 1) }
        }
        #expect(try ring.submit() == 0)
    }

    @Test func anEmptyMessageCanBeSent() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        try ring.prepareSend(.descriptor(pair.server.descriptor), from: memory, count: 0, token: 1)
        #expect(try ring.completion().result == 0)
    }

    @Test func moreCompletionsThanThereIsRoomForAreRefused() throws {
        var ring = try Ring(entries: 2, completions: 4)
        for count in [5, UInt32.max] {
            #expect(throws: Errno.invalidArgument) { try ring.submitAndWait(for: count) }
            #expect(throws: Errno.invalidArgument) { try ring.submitAndWait(for: count, timeout: .zero) }
        }
        #expect(throws: Errno.invalidArgument) { try ring.submitAndWait(for: 0, timeout: .zero) }
        #expect(try ring.submitAndWait(for: 4, timeout: .zero) == false)
        #expect(try ring.submitAndWait(for: 0) == 0)
    }

    @Test(arguments: [
        Duration.zero, .nanoseconds(-1), .seconds(Int64.min), Duration(secondsComponent: 0, attosecondsComponent: 1),
    ])
    func noTimeIsNoTime(_ timeout: Duration) throws {
        var ring = try Ring.forThisThread(entries: 8)
        #expect(try ring.submitAndWait(timeout: timeout) == false)
    }

    /// Times that would wrap the kernel's clock if they were handed on as they are.
    @Test(arguments: [
        Duration.seconds(Int64.max), .seconds(Int64.max) * 10, .seconds(1 << 33), .seconds(9_223_372_036),
    ])
    func aLongTimeIsLong(_ timeout: Duration) throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let waiting = TestThread {
            var ring = try Ring.forThisThread(entries: 8)
            try ring.preparePoll(reader, .readable, token: 1)
            return try ring.submitAndWait(timeout: timeout)
        }
        try waiting.waitUntilBlocked()
        #expect(!waiting.hasEnded)
        try pipe.write()
        #expect(try waiting.join())
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings))
    func slotsBeyondTheTableAreRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        // To the kernel it would be descriptor 0.
        #expect(throws: Errno.invalidArgument) { try ring.prepareClose(slot: Slot(.max), token: 1) }
        for index: UInt32 in [2, 1 << 31, .max - 1] {
            try ring.prepareClose(slot: Slot(index), token: 1)
            let error = try ring.completion().error
            #expect(error == .invalidArgument || error == .badFileDescriptor)
            try ring.prepareReceive(.slot(Slot(index)), from: 1, token: 2)
            #expect(try ring.completion().error == .badFileDescriptor)
        }
        for index: UInt32 in [2, 1 << 31, .max - 1, .max] {
            #expect(throws: index == .max ? Errno.overflow : Errno.invalidArgument) {
                try ring.emptySlot(Slot(index))
            }
        }
    }

    @Test func buffersOfImpossibleSizesAreRefused() async {
        await #expect(processExitsWith: .failure) { _ = BufferGroup(identifier: 0, count: 1, bytes: 1 << 32 + 5) }
        await #expect(processExitsWith: .failure) { _ = BufferGroup(identifier: 0, count: 2, bytes: 1, headroom: .max) }
        await #expect(processExitsWith: .failure) { _ = BufferGroup(identifier: 0, count: 1 << 15 + 1, bytes: 1) }
        await #expect(processExitsWith: .failure) { _ = RequestBuffer(capacity: 0) }
        await #expect(processExitsWith: .failure) { _ = RequestBuffer(capacity: Self.largest + 1) }
    }
}
