import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

private let zeroCopyAvailable = ringCapabilities?.zeroCopySend == true
private let zeroCopyMessagesAvailable = ringCapabilities?.zeroCopySendMessage == true

/// Sends without a copy, and when their memory is free.
@Suite(.enabled(if: zeroCopyAvailable, "IORING_OP_SEND_ZC needs Linux 6.0")) struct ZeroCopyTests {
    /// What a completion said.
    private struct Said: Equatable {
        let token: UInt64
        let result: Int32
        let isArmed: Bool
        let isNotification: Bool
    }

    private func next(_ ring: inout Ring) throws -> Said {
        let completion = try ring.awaited()
        return Said(
            token: completion.token, result: completion.result, isArmed: completion.isArmed,
            isNotification: completion.isNotification)
    }

    @Test func theResultComesFirstAndTheMemoryIsFreeThereafter() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 4096)
        defer { memory.deallocate() }
        let base = try #require(memory.baseAddress)
        for round in UInt8(1)...10 {
            for index in 0..<4096 { memory[index] = round }
            try ring.prepareSendZeroCopy(
                .descriptor(pair.client.descriptor), from: base, count: 4096, sendFlags: .waitAll, token: 5)
            let result = try next(&ring)
            #expect(result == Said(token: 5, result: 4096, isArmed: true, isNotification: false))
            #expect(try pair.server.bytes(exactly: 4096) == [UInt8](repeating: round, count: 4096))
            let notification = try next(&ring)
            #expect(notification.token == 5 && !notification.isArmed && notification.isNotification)
        }
    }

    /// The peer does not read, so the bytes lie in the sender's queue: in the very memory that they were sent from.
    @Test func theMemoryIsTheKernelsWhileThePeerDoesNotRead() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let room = 8192
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 4096)
        defer { memory.deallocate() }
        for index in 0..<room { memory[index] = UInt8(truncatingIfNeeded: index >> 8) }
        let base = try #require(memory.baseAddress)
        // More than the peer's window takes, and then a little that has to wait behind it.
        let filled = try sendMoreThanThePeerTakes(pair.client)
        try ring.prepareSendZeroCopy(.descriptor(pair.client.descriptor), from: base, count: 8192, token: 1)
        let result = try next(&ring)
        try #require(result == Said(token: 1, result: 8192, isArmed: true, isNotification: false))
        #expect(try ring.submitAndWait(timeout: .milliseconds(20)) == false)
        _ = try pair.server.bytes(exactly: filled)
        let expected = [UInt8](memory)
        let received = try pair.server.bytes(exactly: 8192)
        #expect(received == expected)
        let notification = try next(&ring)
        #expect(notification.isNotification && !notification.isArmed && notification.token == 1)
    }

    /// Memory that is used again before the notification came: the peer gets what was written over the message.
    @Test func memoryThatIsReusedTooEarlyReachesThePeer() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 4096)
        defer { memory.deallocate() }
        for index in 0..<8192 { memory[index] = 1 }
        let base = try #require(memory.baseAddress)
        let filled = try sendMoreThanThePeerTakes(pair.client)
        try ring.prepareSendZeroCopy(.descriptor(pair.client.descriptor), from: base, count: 8192, token: 1)
        try #require(try next(&ring) == Said(token: 1, result: 8192, isArmed: true, isNotification: false))
        for index in 0..<8192 { memory[index] = 2 }
        _ = try pair.server.bytes(exactly: filled)
        #expect(try pair.server.bytes(exactly: 8192) == [UInt8](repeating: 2, count: 8192))
        #expect(try next(&ring).isNotification)
    }

    /// What a receive brought into a group's buffer is sent back from there.
    @Test func theMemoryOfAGroupIsSentFromAsRegistered() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        var group = BufferGroup(identifier: 3, count: 4, bytes: 4096, headroom: 64)
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try ring.registerMemory(of: group) }
        try ring.register(group)
        let whole = try ring.registerMemory(of: group)
        #expect(whole.count == 4 * (4096 + 64))
        #expect(throws: Errno.resourceBusy) { _ = try ring.registerMemory(of: group) }
        for round in UInt8(1)...9 {
            _ = try pair.server.send([UInt8](repeating: round, count: 1000))
            try ring.prepareReceive(.descriptor(pair.client.descriptor), from: 3, token: 1)
            let received = try ring.awaited()
            let picked = received.bufferIdentifier
            let buffer = try #require(picked)
            #expect(received.result == 1000)
            let offset = unsafe group.memory(of: buffer) - group.start
            try ring.prepareSendZeroCopy(
                .descriptor(pair.client.descriptor), from: whole.extracting(offset..<offset + 1000), token: 2)
            #expect(try next(&ring).result == 1000)
            #expect(try pair.server.bytes(exactly: 1000) == [UInt8](repeating: round, count: 1000))
            #expect(try next(&ring).isNotification)
            group.recycle(buffer)
        }
    }

    @Test func aNotificationThatReportsACopyIsNoError() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 4096)
        defer { memory.deallocate() }
        let base = try #require(memory.baseAddress)
        try ring.prepareSendZeroCopy(
            .descriptor(pair.client.descriptor), from: base, count: 4096, sendFlags: .reportUsage, token: 5)
        let first = try ring.awaited()
        // Linux 6.0 and 6.1 do not know the flag.
        if first.error == .invalidArgument { return }
        #expect(first.result == 4096 && first.isArmed && !first.isNotification && !first.wasCopied)
        _ = try pair.server.bytes(exactly: 4096)
        let second = try ring.awaited()
        // To a peer on the same machine the kernel copies.
        #expect(second.isNotification && second.wasCopied)
        #expect(second.result == .min && second.error == nil)
    }

    /// The result of a send of 8 bytes, after all that it has to say was said.
    private func outcome(
        _ ring: inout Ring, _ memory: UnsafeMutableRawPointer, _ file: RequestFile, _ flags: EntryFlags = []
    ) throws -> Int32 {
        try ring.prepareSendZeroCopy(file, from: memory, count: 8, flags, token: 1)
        let first = try next(&ring)
        #expect(!first.isNotification)
        if first.isArmed {
            let second = try next(&ring)
            #expect(second.isNotification && !second.isArmed)
        }
        return first.result
    }

    @Test func whatFailsSaysWhetherANotificationFollows() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        let pair = try Pair()
        let pipe = try Pipe()
        #expect(try outcome(&ring, memory, .descriptor(pipe.reader)) == -ENOTSOCK)
        #expect(try outcome(&ring, memory, .descriptor(BorrowedDescriptor(rawValue: -1))) == -EBADF)
        #expect(try outcome(&ring, memory, .descriptor(pair.client.descriptor), .skipSuccess) == -EINVAL)
        try pair.client.finishSending()
        // With SIGPIPE at its default this would end the process if the flag were missing.
        #expect(try outcome(&ring, memory, .descriptor(pair.client.descriptor)) == -EPIPE)
        #expect(throws: Errno.invalidArgument) {
            try ring.prepareSendZeroCopy(.descriptor(pair.client.descriptor), from: memory, count: -1, token: 1)
        }
        #expect(try ring.submitAndWait(timeout: .milliseconds(1)) == false)
    }

    @Test func registeredBuffersAreSent() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        var buffers = try RegisteredBuffers(count: 2, bytes: 4096)
        try ring.registerBuffers(buffers)
        for round in UInt8(1)...5 {
            fill(&buffers, 1, with: round)
            let part = buffers.buffer(1).extracting(100..<1100)
            try ring.prepareSendZeroCopy(.descriptor(pair.client.descriptor), from: part, sendFlags: .waitAll, token: 5)
            let result = try next(&ring)
            #expect(result == Said(token: 5, result: 1000, isArmed: true, isNotification: false))
            #expect(try pair.server.bytes(exactly: 1000) == [UInt8](repeating: round, count: 1000))
            #expect(try next(&ring).isNotification)
        }
    }

    @Test func aBufferThatIsNotRegisteredIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let buffers = try RegisteredBuffers(count: 1, bytes: 64)
        let others = try RegisteredBuffers(count: 2, bytes: 64)
        try ring.registerBuffers(buffers)
        for buffer in [others.buffer(0), others.buffer(1)] {
            try ring.prepareSendZeroCopy(.descriptor(pair.client.descriptor), from: buffer, token: 1)
            let first = try next(&ring)
            #expect(first.result == -EFAULT)
            if first.isArmed { #expect(try next(&ring).isNotification) }
        }
    }

    @Test(.enabled(if: zeroCopyMessagesAvailable, "IORING_OP_SENDMSG_ZC needs Linux 6.1"))
    func aMessageIsLentUntilItsNotification() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let filled = try sendMoreThanThePeerTakes(pair.client)
        var message = MessageBuffer(segments: [4096, 4096])
        message.setContents([UInt8](repeating: 1, count: 4096).span.bytes)
        message.setContents([UInt8](repeating: 2, count: 4096).span.bytes, ofSegment: 1)
        try ring.prepareSendMessageZeroCopy(.descriptor(pair.client.descriptor), from: &message, token: 5)
        let first = try ring.awaited()
        #expect(first.result == 8192 && first.isArmed)
        #expect(!message.takeBack(first) && message.isLent)
        _ = try pair.server.bytes(exactly: filled)
        let received = try pair.server.bytes(exactly: 8192)
        let ones = [UInt8](repeating: 1, count: 4096)
        let twos = [UInt8](repeating: 2, count: 4096)
        #expect([UInt8](received.prefix(4096)) == ones)
        #expect([UInt8](received.suffix(4096)) == twos)
        let second = try ring.awaited()
        #expect(second.isNotification == true)
        #expect(message.takeBack(second) && !message.isLent)
        #expect(message.count == 8192)
    }

    @Test(.enabled(if: zeroCopyMessagesAvailable, "IORING_OP_SENDMSG_ZC needs Linux 6.1"))
    func aDatagramGoesToItsAddress() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        var message = MessageBuffer(capacity: 1024)
        message.setContents([UInt8](repeating: 7, count: 1000).span.bytes)
        message.setAddress(server.address.span.bytes)
        try ring.prepareSendMessageZeroCopy(client.file, from: &message, token: 5)
        var received = MessageBuffer(capacity: 2048)
        try ring.prepareReceiveMessage(server.file, into: &received, token: 6)
        while message.isLent || received.isLent {
            let completion = try ring.awaited()
            if completion.token == 5 && !completion.isNotification { #expect(completion.result == 1000) }
            _ = message.takeBack(completion)
            _ = received.takeBack(completion)
        }
        #expect(received.bytes() == [UInt8](repeating: 7, count: 1000))
        #expect(received.addressBytes == client.address)
    }
}

/// Sends so much to a peer who does not read that a part lies in the sender's own queue, which has room left.
private func sendMoreThanThePeerTakes(_ connection: borrowing Connection) throws -> Int {
    // Of what another connection takes until it is full, the peer's part is the smaller one.
    let other = try Pair()
    let whole = try fill(other.client, atMost: .max)
    return try fill(connection, atMost: whole / 4 * 3)
}

private func fill(_ connection: borrowing Connection, atMost most: Int) throws -> Int {
    let bytes = [UInt8](repeating: 0xee, count: 1 << 14)
    var filled = 0
    while filled < most {
        guard let sent = try connection.descriptor.send(bytes.span.bytes, waiting: false) else { break }
        filled += sent
    }
    return filled
}

func fill(_ buffers: inout RegisteredBuffers, _ index: Int, with byte: UInt8) {
    var bytes = buffers.mutableContents(of: index)
    for offset in 0..<bytes.byteCount { bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self) }
}

extension Connection {
    /// So many bytes, waited for.
    func bytes(exactly count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try self.bytes(atMost: count - bytes.count)
            if more.isEmpty { throw Errno.connectionReset }
            bytes += more
        }
        return bytes
    }
}
