import Foundation
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

private let countsAvailable: Bool = (try? freeBuffersOfANewGroup()) != nil
private let whyNoCounts: Comment = "IORING_REGISTER_PBUF_STATUS needs Linux 6.8"

private func freeBuffersOfANewGroup() throws(Errno) -> Int {
    let group = BufferGroup(identifier: 1, count: 1, bytes: 1)
    var ring = try Ring(entries: 2)
    try ring.register(group)
    return try ring.freeBuffers(in: group)
}

/// Reads into buffers that the kernel picks, and several groups on one ring.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct BufferGroupReadTests {
    @Test func aPipeIsReadIntoAGroup() throws {
        var group = BufferGroup(identifier: 7, count: 2, bytes: 4)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let pipe = try TestSupport.Pipe()
        try ring.prepareRead(.descriptor(pipe.reader), from: 7, token: 1)
        try ring.submit()
        for _ in 0..<10 {
            try pipe.write()
            let completion = try ring.completion()
            #expect(completion.result == 1 && completion.token == 1)
            let buffer = try #require(completion.bufferIdentifier)
            #expect(array(group.contents(of: buffer, count: 1)) == [1])
            group.recycle(buffer)
            try ring.prepareRead(.descriptor(pipe.reader), from: 7, token: 1)
            try ring.submit()
        }
    }

    @Test func aFileIsReadWhereItIsWanted() throws {
        let file = TemporaryFile()
        let bytes = (0..<100).map { UInt8($0) }
        try Data(bytes).write(to: URL(filePath: file.path))
        let descriptor = OwnedDescriptor(owning: try FileDescriptor.open(FilePath(file.path), .readOnly))
        let group = BufferGroup(identifier: 7, count: 8, bytes: 16)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        for offset: Int64 in [0, 90, 33] {
            try ring.prepareRead(.descriptor(descriptor.descriptor), from: 7, at: offset, token: 1)
            let completion = try ring.completion()
            let expected = Array(bytes[Int(offset)...].prefix(16))
            #expect(completion.result == expected.count)
            let buffer = try #require(completion.bufferIdentifier)
            #expect(array(group.contents(of: buffer, count: expected.count)) == expected)
        }
        // Without an offset, one after the other.
        for start in [0, 16] {
            try ring.prepareRead(.descriptor(descriptor.descriptor), from: 7, token: 1)
            let buffer = try #require(try ring.completion().bufferIdentifier)
            #expect(array(group.contents(of: buffer, count: 16)) == Array(bytes[start..<start + 16]))
        }
        try ring.prepareRead(.descriptor(descriptor.descriptor), from: 7, at: 100, token: 1)
        #expect(try ring.completion().result == 0)
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareRead(.descriptor(descriptor.descriptor), from: 7, at: -1, token: 1)
        }
    }

    @Test func withoutABufferAReadFails() throws {
        let group = BufferGroup(identifier: 7, count: 1, bytes: 4)
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try TestSupport.Pipe()
        try pipe.write()
        try ring.prepareRead(.descriptor(pipe.reader), from: 7, token: 1)
        #expect(try ring.completion().error == .noBufferSpace)
        try ring.register(group)
        try ring.prepareRead(.descriptor(pipe.reader), from: 7, token: 2)
        #expect(try ring.completion().result == 1)
        try pipe.write()
        try ring.prepareRead(.descriptor(pipe.reader), from: 7, token: 3)
        #expect(try ring.completion().error == .noBufferSpace)
    }

    @Test func groupsOfOneRingAreApart() throws {
        var ring = try Ring.forThisThread(entries: 16)
        let small = BufferGroup(identifier: 1, count: 2, bytes: 2)
        let large = BufferGroup(identifier: 65_535, count: 4, bytes: 64)
        try ring.register(small)
        try ring.register(large)
        let first = try Pair()
        let second = try Pair()
        _ = try first.client.send([1, 2, 3])
        _ = try second.client.send([4, 5, 6])
        try ring.prepareReceive(.descriptor(first.server.descriptor), from: 1, token: 1)
        try ring.prepareReceive(.descriptor(second.server.descriptor), from: 65_535, token: 2)
        for completion in try ring.completions(2) {
            let buffer = try #require(completion.bufferIdentifier)
            if completion.token == 1 {
                #expect(completion.result == 2 && array(small.contents(of: buffer, count: 2)) == [1, 2])
            } else {
                #expect(completion.result == 3 && array(large.contents(of: buffer, count: 3)) == [4, 5, 6])
            }
        }
        // One goes, the other stays.
        try ring.unregisterGroup(1)
        try ring.prepareReceive(.descriptor(first.server.descriptor), from: 1, token: 3)
        #expect(try ring.completion().error == .noBufferSpace)
        _ = try second.client.send([7])
        try ring.prepareReceive(.descriptor(second.server.descriptor), from: 65_535, token: 4)
        #expect(try ring.completion().result == 1)
    }

    @Test(.enabled(if: countsAvailable, whyNoCounts)) func freeBuffersAreCounted() throws {
        var group = BufferGroup(identifier: 7, count: 4, bytes: 4)
        let other = BufferGroup(identifier: 7, count: 2, bytes: 4)
        var ring = try Ring.forThisThread(entries: 8)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.freeBuffers(in: group) }
        try ring.register(group)
        #expect(try ring.freeBuffers(in: group) == 4)
        // The ring has a group of this number, and it is not this one.
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.freeBuffers(in: other) }
        let pair = try Pair()
        for round in 0..<20 {
            var picked: [UInt16] = []
            for free in [3, 2, 1, 0] {
                _ = try pair.client.send([UInt8(round)])
                try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, token: 1)
                picked.append(try #require(try ring.completion().bufferIdentifier))
                #expect(try ring.freeBuffers(in: group) == free)
            }
            for buffer in picked { group.recycle(buffer) }
            #expect(try ring.freeBuffers(in: group) == 4)
        }
        try ring.unregisterGroup(7)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.freeBuffers(in: group) }
    }

    @Test(.enabled(if: countsAvailable, whyNoCounts)) func aGroupOfTheLargestSizeIsCounted() throws {
        let group = BufferGroup(identifier: 7, count: 1 << 15, bytes: 1)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        #expect(try ring.freeBuffers(in: group) == 1 << 15)
    }
}
