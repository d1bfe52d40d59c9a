import Foundation
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

private let noTable = Errno(rawValue: ENXIO)

/// The ring's own table of buffers.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct RegisteredBufferTests {
    @Test func buffersAreReadAndWritten() throws {
        var ring = try Ring.forThisThread(entries: 8)
        var buffers = try RegisteredBuffers(count: 3, bytes: 5000)
        try ring.registerBuffers(buffers)
        let file = TemporaryFile()
        let descriptor = OwnedDescriptor(
            owning: try FileDescriptor.open(
                FilePath(file.path), .readWrite, options: .create, permissions: .ownerReadWrite))
        for index in 0..<3 {
            fill(&buffers, index, with: UInt8(index + 1))
            try ring.prepareWriteFixed(
                .descriptor(descriptor.descriptor), from: buffers.buffer(index), at: Int64(index * 5000), token: 1)
            #expect(try ring.completion().result == 5000)
        }
        for index in 0..<3 {
            // Into another one than it came from, and a part of it.
            let target = buffers.buffer(2 - index).extracting(10..<30)
            try ring.prepareReadFixed(
                .descriptor(descriptor.descriptor), into: target, at: Int64(index * 5000), token: 2)
            #expect(try ring.completion().result == 20)
            let bytes = array(buffers.contents(of: 2 - index, count: 31))
            let isChanged = (0..<31).map { 10 <= $0 && $0 < 30 }
            // The middle may have been changed by an earlier round.
            let read = UInt8(index + 1)
            #expect((0..<31).allSatisfy { !isChanged[$0] || bytes[$0] == read })
            let own = UInt8(3 - index)
            #expect(bytes[0] == own && bytes[9] == own && bytes[30] == own)
        }
        try ring.prepareReadFixed(.descriptor(descriptor.descriptor), into: buffers.buffer(0), at: 15_000, token: 3)
        #expect(try ring.completion().result == 0)
    }

    @Test func aPipeHasNoPosition() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let buffers = try RegisteredBuffers(count: 1, bytes: 64)
        try ring.registerBuffers(buffers)
        let pipe = try TestSupport.Pipe()
        try pipe.write()
        try ring.prepareReadFixed(.descriptor(pipe.reader), into: buffers.buffer(0), token: 1)
        #expect(try ring.completion().result == 1)
        #expect(array(buffers.contents(of: 0, count: 1)) == [1])
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareReadFixed(.descriptor(pipe.reader), into: buffers.buffer(0), at: -1, token: 1)
        }
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareReadFixed(.descriptor(pipe.reader), into: buffers.buffer(0).extracting(3..<3), token: 1)
        }
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareWriteFixed(.descriptor(pipe.reader), from: buffers.buffer(0), at: .min, token: 1)
        }
        #expect(try ring.submit() == 0)
    }

    @Test func aTableIsNeededFirst() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let buffers = try RegisteredBuffers(count: 2, bytes: 64)
        #expect(throws: noTable) { try ring.unregisterBuffers() }
        #expect(throws: noTable) { try ring.emptyBufferSlot(0) }
        #expect(throws: noTable) { try ring.registerBuffer(0, of: buffers, slot: 0) }
        try ring.prepareReadFixed(.descriptor(.standardInput), into: buffers.buffer(0), token: 1)
        #expect(try ring.completion().error == .badAddress)
    }

    @Test func impossibleTablesAreRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        for count: UInt32 in [0, 1 << 14 + 1, .max] {
            #expect(throws: Errno.invalidArgument) { try ring.registerBufferSlots(count: count) }
        }
        let buffers = try RegisteredBuffers(count: 2, bytes: 64)
        try ring.registerBuffers(buffers)
        #expect(throws: Errno.resourceBusy) { try ring.registerBuffers(buffers) }
        #expect(throws: Errno.resourceBusy) { try ring.registerBufferSlots(count: 2) }
        #expect(throws: Errno.invalidArgument) { try ring.registerBuffer(0, of: buffers, slot: 2) }
        #expect(throws: Errno.invalidArgument) { try ring.emptyBufferSlot(.max) }
    }

    @Test func slotsAreFilledAndEmptiedOneByOne() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerBufferSlots(count: 4)
        let buffers = try RegisteredBuffers(count: 2, bytes: 64)
        let file = try FileDescriptor.open("/dev/zero", .readOnly)
        let zeros = OwnedDescriptor(owning: file)
        let zero = zeros.descriptor
        #expect(try readError(&ring, zero, buffers.buffer(1, slot: 3)) == .badAddress)
        try ring.registerBuffer(1, of: buffers, slot: 3)
        #expect(try readError(&ring, zero, buffers.buffer(1, slot: 3)) == nil)
        // Another slot, another buffer, a slot that there is not.
        #expect(try readError(&ring, zero, buffers.buffer(1, slot: 2)) == .badAddress)
        #expect(try readError(&ring, zero, buffers.buffer(0, slot: 3)) == .badAddress)
        #expect(try readError(&ring, zero, buffers.buffer(1, slot: 4)) == .badAddress)
        try ring.registerBuffer(0, of: buffers, slot: 3)
        #expect(try readError(&ring, zero, buffers.buffer(0, slot: 3)) == nil)
        #expect(try readError(&ring, zero, buffers.buffer(1, slot: 3)) == .badAddress)
        try ring.emptyBufferSlot(3)
        try ring.emptyBufferSlot(3)
        #expect(try readError(&ring, zero, buffers.buffer(0, slot: 3)) == .badAddress)
        try ring.unregisterBuffers()
        #expect(throws: noTable) { try ring.unregisterBuffers() }
        try ring.registerBuffers(buffers)
        #expect(try readError(&ring, zero, buffers.buffer(0)) == nil)
    }

    private func readError(
        _ ring: inout Ring, _ file: BorrowedDescriptor, _ buffer: RegisteredBuffer
    ) throws -> Errno? {
        try ring.prepareReadFixed(.descriptor(file), into: buffer, token: 1)
        return try ring.completion().error
    }

    /// The tag of a buffer comes when it is out of its slot and no request works on it, not before.
    @Test func aTokenTellsWhenABufferIsOutOfUse() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerBufferSlots(count: 1)
        let buffers = try RegisteredBuffers(count: 2, bytes: 64)
        let pipe = try TestSupport.Pipe()
        try ring.registerBuffer(0, of: buffers, slot: 0, token: 77)
        try ring.prepareReadFixed(.descriptor(pipe.reader), into: buffers.buffer(0, slot: 0), token: 1)
        try ring.submit()
        try ring.registerBuffer(1, of: buffers, slot: 0, token: 78)
        #expect(try ring.submitAndWait(timeout: .milliseconds(20)) == false)
        try pipe.write()
        let first = try ring.completion()
        #expect(first.token == 1 && first.result == 1)
        #expect(array(buffers.contents(of: 0, count: 1)) == [1])
        let second = try ring.completion()
        #expect(second.token == 77 && second.result == 0)
        try ring.unregisterBuffers()
        #expect(try ring.completion().token == 78)
    }

    /// Into memory that ends here.
    private func beginRead(_ ring: inout Ring, _ file: BorrowedDescriptor) throws {
        let buffers = try RegisteredBuffers(count: 1, bytes: 64)
        try ring.registerBuffers(buffers)
        try ring.prepareReadFixed(.descriptor(file), into: buffers.buffer(0), token: 1)
        try ring.submit()
    }

    /// The kernel holds the pages, and writes into what is no memory of the process any more.
    @Test func memoryMayEndWhileARequestWorksOnIt() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try TestSupport.Pipe()
        try beginRead(&ring, pipe.reader)
        // Very likely where the other was.
        let stranger = try RegisteredBuffers(count: 1, bytes: 64)
        try pipe.write()
        #expect(try ring.completion().result == 1)
        #expect(array(stranger.contents(of: 0, count: 64)).allSatisfy { $0 == 0 })
    }
}
