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
        var group = BufferGroup(identifier: 7, count: 2, bytes: 4, headroom: 8)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let pair = try Pair()
        // Every buffer is used and given back many times, so the ring of buffers wraps.
        for round in UInt8(0)..<10 {
            _ = try pair.client.send([round, 1, 2, 3])
            try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, token: 1)
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
            var group = BufferGroup(identifier: 7, count: 2, bytes: 4)
            group.recycle(2)
        }
    }

    /// The ring keeps the memory, whatever ends first.
    @Test(arguments: [false, true]) func groupAndRingEndInAnyOrder(ringEndsFirst: Bool) throws {
        let pair = try Pair()
        var ring: TestBuffers? = try TestBuffers()
        var group: BufferGroup? = BufferGroup(identifier: 7, count: 2, bytes: 4)
        try ring!.ring.register(group!)
        try ring!.ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, token: 1)
        try ring!.ring.submit()
        if ringEndsFirst {
            ring = nil
            _ = try pair.client.send([1, 2, 3])
            let bytes = group!.contents(of: 0, count: 3)
            #expect(bytes.byteCount == 3)
        } else {
            group = nil
            _ = try pair.client.send([1, 2, 3])
            #expect(try ring!.ring.completion().result == 3)
            try ring!.ring.unregisterGroup(7)
        }
    }

    @Test func anUnregisteredGroupIsNotUsedAnyMore() throws {
        let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let pair = try Pair()
        try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, token: 1)
        try ring.submit()
        try ring.unregisterGroup(7)
        _ = try pair.client.send([1])
        #expect(try ring.completion().error == .noBufferSpace)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.unregisterGroup(7) }
        let next = BufferGroup(identifier: 7, count: 2, bytes: 4)
        try ring.register(next)
        try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 7, token: 2)
        let completion = try ring.completion()
        #expect(completion.result == 1)
        let first = next.contents(of: try #require(completion.bufferIdentifier), count: 1).unsafeLoad(as: UInt8.self)
        #expect(first == 1)
    }

    /// Its buffers may be in use, and the kernel would begin anew with the first.
    @Test func aGroupIsRegisteredOnce() throws {
        let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
        var ring = try Ring.forThisThread(entries: 8)
        var other = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        #expect(throws: Errno.resourceBusy) { try other.register(group) }
        try ring.unregisterGroup(7)
        #expect(throws: Errno.resourceBusy) { try ring.register(group) }
    }

    @Test func memoryThatWasNeverWrittenReadsAsZero() {
        let group = BufferGroup(identifier: 7, count: 2, bytes: 4096)
        let bytes = group.contents(of: 1, count: 4096)
        let isZero = (0..<4096).allSatisfy { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == 0 }
        #expect(isZero)
    }

    @Test func secondGroupOfANumberIsRefused() throws {
        let group = BufferGroup(identifier: 7, count: 2, bytes: 4)
        let other = BufferGroup(identifier: 7, count: 2, bytes: 4)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        #expect(throws: Errno.fileExists) { try ring.register(other) }
    }

    @Test(.enabled(if: multishotReceiveAvailable, whyNoRings))
    func multishotReceiveEndsWhenBuffersRunOut() throws {
        var group = BufferGroup(identifier: 7, count: 4, bytes: 1)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let pair = try Pair()
        _ = try pair.client.send([0, 1, 2, 3, 4, 5])
        try ring.prepareMultishotReceive(.descriptor(pair.server.descriptor), from: 7, token: 1)
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
        try ring.prepareMultishotReceive(.descriptor(pair.server.descriptor), from: 7, token: 1)
        for completion in try ring.completions(2) {
            bytes.append(group.memory(of: try #require(completion.bufferIdentifier)).load(as: UInt8.self))
        }
        #expect(bytes == [0, 1, 2, 3, 4, 5])
    }
}

/// A ring behind a reference, to be dropped when wanted.
private final class TestBuffers {
    var ring: Ring

    init() throws(Errno) { ring = try Ring(entries: 8) }
}
