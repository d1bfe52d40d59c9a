import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// How something is received and sent.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct ReceiveFlagsTests {
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)

    private func bytes(_ count: Int32) -> [UInt8] { Array(memory.prefix(Int(count))) }

    @Test func peekingLeavesTheBytes() throws {
        defer { memory.deallocate() }
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let file = RequestFile.descriptor(pair.server.descriptor)
        let base = try #require(memory.baseAddress)
        _ = try pair.client.send([1, 2, 3])
        for _ in 0..<3 {
            try ring.prepareReceive(file, into: base, count: 8, receiveFlags: .peek, token: 1)
            let completion = try ring.completion()
            #expect(bytes(completion.result) == [1, 2, 3])
        }
        try ring.prepareReceive(file, into: base, count: 8, token: 1)
        #expect(try ring.completion().result == 3)
        try ring.prepareReceive(file, into: base, count: 8, receiveFlags: [.peek, .doNotWait], token: 1)
        #expect(try ring.completion().error == .wouldBlock)
    }

    @Test func allThatFitsIsWaitedFor() throws {
        defer { memory.deallocate() }
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let file = RequestFile.descriptor(pair.server.descriptor)
        let base = try #require(memory.baseAddress)
        try ring.prepareReceive(file, into: base, count: 6, receiveFlags: .waitAll, token: 1)
        try ring.submit()
        for part: [UInt8] in [[1, 2], [3, 4, 5]] {
            _ = try pair.client.send(part)
            #expect(try ring.submitAndWait(timeout: .milliseconds(20)) == false)
        }
        _ = try pair.client.send([6, 7])
        let completion = try ring.completion()
        #expect(completion.result == 6 && bytes(6) == [1, 2, 3, 4, 5, 6])
        // The end of the stream ends the wait, too.
        try ring.prepareReceive(file, into: base, count: 6, receiveFlags: .waitAll, token: 2)
        try ring.submit()
        try pair.client.finishSending()
        #expect(try ring.completion().result == 1)
    }

    @Test func aMessageIsWaitedForAsAWhole() throws {
        defer { memory.deallocate() }
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        var message = MessageBuffer(segments: [2, 4])
        try ring.prepareReceiveMessage(
            .descriptor(pair.server.descriptor), into: &message, receiveFlags: .waitAll, token: 1)
        try ring.submit()
        _ = try pair.client.send([1, 2, 3])
        #expect(try ring.submitAndWait(timeout: .milliseconds(20)) == false)
        _ = try pair.client.send([4, 5, 6])
        #expect(try message.taken(from: &ring) == 6)
        #expect(message.bytes() == [1, 2] && message.bytes(ofSegment: 1) == [3, 4, 5, 6])
    }

    @Test func theWholeLengthOfADatagramIsTold() throws {
        defer { memory.deallocate() }
        var ring = try Ring.forThisThread(entries: 8)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        let base = try #require(memory.baseAddress)
        for (flags, result) in [(ReceiveFlags(), 2), (.truncate, 5)] as [(ReceiveFlags, Int32)] {
            try client.send([1, 2, 3, 4, 5], to: server)
            try ring.prepareReceive(server.file, into: base, count: 2, receiveFlags: flags, token: 1)
            #expect(try ring.completion().result == result)
        }
    }

    @Test(arguments: [ReceiveFlags(), .pollFirst]) func waitingFirstBringsTheSame(_ flags: ReceiveFlags) throws {
        defer { memory.deallocate() }
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let file = RequestFile.descriptor(pair.server.descriptor)
        let base = try #require(memory.baseAddress)
        // There already, and coming later.
        for isLate in [false, true] {
            if !isLate { _ = try pair.client.send([7, 8]) }
            try ring.prepareReceive(file, into: base, count: 8, receiveFlags: flags, token: 1)
            try ring.submit()
            if isLate { _ = try pair.client.send([7, 8]) }
            #expect(try ring.completion().result == 2)
        }
    }

    @Test func groupsTakeTheFlagsToo() throws {
        defer { memory.deallocate() }
        var ring = try Ring.forThisThread(entries: 8)
        let group = BufferGroup(identifier: 7, count: 8, bytes: 4)
        try ring.register(group)
        let pair = try Pair()
        let file = RequestFile.descriptor(pair.server.descriptor)
        _ = try pair.client.send([1, 2, 3])
        for flags: ReceiveFlags in [.peek, []] {
            try ring.prepareReceive(file, from: 7, receiveFlags: flags, token: 1)
            #expect(try ring.completion().result == 3)
        }
        guard multishotReceiveAvailable else { return }
        try ring.prepareMultishotReceive(file, from: 7, receiveFlags: .waitAll, token: 2)
        #expect(try ring.completion().error == .invalidArgument)
        try ring.prepareMultishotReceive(file, from: 7, receiveFlags: .pollFirst, token: 3)
        try ring.submit()
        _ = try pair.client.send([4])
        let completion = try ring.completion()
        #expect(completion.result == 1 && completion.isArmed)
    }

    @Test func sendsTakeFlags() throws {
        defer { memory.deallocate() }
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let file = RequestFile.descriptor(pair.client.descriptor)
        let base = try #require(memory.baseAddress)
        for flags: SendFlags in [[], .more, .pollFirst, .waitAll, .doNotWait] {
            try ring.prepareSend(file, from: base, count: 4, sendFlags: flags, token: 1)
            #expect(try ring.completion().result == 4)
        }
        #expect(try pair.server.bytes(exactly: 20).count == 20)
        // Of zero-copy sends only.
        try ring.prepareSend(file, from: base, count: 4, sendFlags: .reportUsage, token: 1)
        #expect(try ring.completion().error == .invalidArgument)
    }
}
