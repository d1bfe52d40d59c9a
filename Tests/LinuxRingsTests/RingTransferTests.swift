import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingTransferTests {
    @Test func sendAndReceiveMoveBytes() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
        defer { memory.deallocate() }
        let base = try #require(memory.baseAddress)
        try ring.prepareReceive(.descriptor(pair.server.descriptor), into: base, count: 8, token: 1)
        try ring.submit()
        memory.storeBytes(of: 0x0102_0304, toByteOffset: 8, as: UInt32.self)
        try ring.prepareSend(.descriptor(pair.client.descriptor), from: base + 8, count: 4, token: 2)
        let results = Dictionary(uniqueKeysWithValues: try ring.completions(2).map { ($0.token, $0.result) })
        #expect(results == [1: 4, 2: 4])
        #expect(memory.load(as: UInt32.self) == 0x0102_0304)
    }

    @Test func endOfThePeerIsZeroBytes() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
        defer { memory.deallocate() }
        let base = try #require(memory.baseAddress)
        try pair.client.finishSending()
        try ring.prepareReceive(.descriptor(pair.server.descriptor), into: base, count: 8, token: 1)
        #expect(try ring.completion().result == 0)
        // With SIGPIPE at its default this would end the process if the flag were missing.
        try ring.prepareSend(.descriptor(pair.client.descriptor), from: base, count: 8, token: 2)
        #expect(try ring.completion().error == .brokenPipe)
    }

    @Test func registeredFileOutlivesItsDescriptor() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        let pipe = try Pair()
        let copy = try pipe.server.descriptor.duplicate()
        try ring.registerFile(copy.descriptor, slot: Slot(1))
        try copy.close()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
        defer { memory.deallocate() }
        let base = try #require(memory.baseAddress)
        #expect(try pipe.client.send([5]) == 1)
        try ring.prepareReceive(.slot(Slot(1)), into: base, count: 8, token: 1)
        #expect(try ring.completion().result == 1)
        #expect(throws: Errno.invalidArgument) { try ring.registerFile(pipe.client.descriptor, slot: Slot(2)) }
    }
}
