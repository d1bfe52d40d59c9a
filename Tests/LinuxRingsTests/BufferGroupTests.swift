import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct BufferGroupTests {
    @Test(arguments: [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (1 << 15, 1 << 15)])
    func countIsRoundedUp(_ wished: Int, _ count: Int) {
        let group = BufferGroup(identifier: 1, count: wished, bytes: 8)
        #expect(group.count == count)
    }

    @Test func kernelPicksABufferOfTheGroup() throws {
        let group = BufferGroup(identifier: 7, count: 2, bytes: 4, headroom: 8)
        var ring = try Ring.forThisThread(entries: 8)
        try unsafe ring.register(group)
        let pair = try Pair()
        // Every buffer is used and given back many times, so the ring of buffers wraps.
        for round in UInt8(0)..<10 {
            _ = try pair.client.send([round, 1, 2, 3])
            try ring.prepareReceive(pair.server.descriptor.rawValue, from: 7, token: 1)
            let completion = try ring.completion()
            let buffer = try #require(completion.bufferIdentifier)
            #expect(buffer < 2)
            #expect(completion.result == 4)
            let memory = group.memory(of: buffer)
            #expect((0..<4).map { memory.load(fromByteOffset: $0, as: UInt8.self) } == [round, 1, 2, 3])
            group.recycle(buffer)
        }
    }

    @Test func aBufferOfNoGroupCannotBeRecycled() async {
        await #expect(processExitsWith: .failure) {
            BufferGroup(identifier: 7, count: 2, bytes: 4).recycle(2)
        }
    }

    @Test func secondGroupOfANumberIsRefused() throws {
        let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
        let other = BufferGroup(identifier: 7, count: 2, bytes: 4)
        var ring = try Ring.forThisThread(entries: 8)
        try unsafe ring.register(group)
        #expect(throws: Errno.fileExists) { try unsafe ring.register(other) }
    }

    @Test(.enabled(if: multishotReceiveAvailable, whyNoRings))
    func multishotReceiveEndsWhenBuffersRunOut() throws {
        let group = BufferGroup(identifier: 7, count: 4, bytes: 1)
        var ring = try Ring.forThisThread(entries: 8)
        try unsafe ring.register(group)
        let pair = try Pair()
        _ = try pair.client.send([0, 1, 2, 3, 4, 5])
        try ring.prepareMultishotReceive(pair.server.descriptor.rawValue, from: 7, token: 1)
        var bytes: [UInt8] = []
        for completion in try ring.completions(4) {
            #expect(completion.result == 1)
            #expect(completion.isArmed)
            bytes.append(group.memory(of: try #require(completion.bufferIdentifier)).load(as: UInt8.self))
        }
        let ending = try ring.completion()
        #expect(ending.error == .noBufferSpace)
        #expect(!ending.isArmed)

        for buffer in UInt16(0)..<4 { group.recycle(buffer) }
        try ring.prepareMultishotReceive(pair.server.descriptor.rawValue, from: 7, token: 1)
        for completion in try ring.completions(2) {
            bytes.append(group.memory(of: try #require(completion.bufferIdentifier)).load(as: UInt8.self))
        }
        #expect(bytes == [0, 1, 2, 3, 4, 5])
    }
}
