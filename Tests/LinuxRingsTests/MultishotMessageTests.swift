import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Messages that come into the buffers of a group.
@Suite(.enabled(if: multishotReceiveAvailable, whyNoRings)) struct MultishotMessageTests {
    private let loopback: [UInt8] = [127, 0, 0, 1]

    /// What the kernel delivered, and whether the request goes on.
    private struct Delivered {
        var payload: [UInt8] = []
        var address: [UInt8] = []
        var control: [ControlMessage: [UInt8]] = [:]
        var flags: MessageFlags = []
        var length = 0
        var isAddressTruncated = false
        var isArmed = false
    }

    /// Takes the next message out of its buffer and gives the buffer back.
    private func next(
        _ ring: inout Ring, _ group: inout BufferGroup, _ layout: MessageLayout
    ) throws -> Delivered {
        let completion = try ring.completion()
        let buffer = try #require(completion.bufferIdentifier, "\(completion)")
        var delivered = Delivered()
        delivered.isArmed = completion.isArmed
        if let message = group.message(in: buffer, count: Int(completion.result), layout) {
            delivered.payload = array(message.payload)
            delivered.address = array(message.address)
            message.forEachControlMessage { delivered.control[$0] = array($1) }
            delivered.flags = message.flags
            delivered.length = message.length
            delivered.isAddressTruncated = message.isAddressTruncated
        } else {
            Issue.record("no message")
        }
        group.recycle(buffer)
        return delivered
    }

    @Test func everyDatagramComesWithItsSender() throws {
        let layout = MessageLayout(addressCapacity: 28)
        var group = BufferGroup(identifier: 7, count: 4, bytes: layout.overhead + 8)
        var ring = try Ring.forThisThread(entries: 8, completions: 64)
        try ring.register(group)
        let server = try DatagramSocket()
        let first = try DatagramSocket()
        let second = try DatagramSocket()
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1)
        try ring.submit()
        // Every buffer is used and given back many times.
        for round in UInt8(0)..<10 {
            try first.send([round], to: server)
            try second.send([round, 1], to: server)
            let messages = try (0..<2).map { _ in try next(&ring, &group, layout) }
            #expect(messages.map(\.payload) == [[round], [round, 1]])
            #expect(messages.map(\.address) == [first.address, second.address])
            #expect(messages.allSatisfy { $0.isArmed && $0.flags.isEmpty && !$0.isAddressTruncated })
        }
        #expect(ring.submitted == 1)
    }

    @Test(arguments: [ReceiveFlags(), .truncate]) func whatIsCutOffIsTold(_ flags: ReceiveFlags) throws {
        let layout = MessageLayout(addressCapacity: 8)
        var group = BufferGroup(identifier: 7, count: 4, bytes: layout.overhead + 3)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        try client.send([1, 2, 3, 4, 5], to: server)
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, receiveFlags: flags, token: 1)
        let message = try next(&ring, &group, layout)
        #expect(message.payload == [1, 2, 3])
        #expect(message.length == (flags == .truncate ? 5 : 3))
        #expect(message.flags == .truncated)
        #expect(message.isAddressTruncated && message.address == Array(client.address.prefix(8)))
    }

    @Test func controlDataComesBesideTheBytes() throws {
        let layout = MessageLayout(addressCapacity: 16, controlCapacity: 64)
        var group = BufferGroup(identifier: 7, count: 4, bytes: layout.overhead + 8)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        try server.setOption(0, 8, 1)
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1)
        for round in UInt8(1)...3 {
            let bytes = [UInt8](repeating: round, count: Int(round))
            try client.send(bytes, to: server)
            let message = try next(&ring, &group, layout)
            #expect(message.payload == bytes)
            #expect(message.address == client.address)
            let information: [UInt8] = message.control[.ipv4PacketInformation] ?? []
            #expect(Array(information.suffix(4)) == loopback)
        }
    }

    @Test func controlDataThatHasNoRoomIsTold() throws {
        let layout = MessageLayout(addressCapacity: 16, controlCapacity: 8)
        var group = BufferGroup(identifier: 7, count: 4, bytes: layout.overhead + 8)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        try server.setOption(0, 8, 1)
        try client.send([9], to: server)
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1)
        let message = try next(&ring, &group, layout)
        #expect(message.payload == [9] && message.control.isEmpty)
        #expect(message.flags == .controlTruncated)
    }

    @Test func anEmptyDatagramIsDeliveredAndTheRestToo() throws {
        let layout = MessageLayout()
        var group = BufferGroup(identifier: 7, count: 4, bytes: layout.overhead + 8)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        for bytes: [UInt8] in [[1], [], [2]] { try client.send(bytes, to: server) }
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1)
        var payloads: [[UInt8]] = []
        while payloads.count < 3 {
            let message = try next(&ring, &group, layout)
            #expect(message.address == client.address)
            payloads.append(message.payload)
            if !message.isArmed { try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1) }
        }
        #expect(payloads == [[1], [], [2]])
    }

    @Test func itEndsWhenBuffersRunOut() throws {
        let layout = MessageLayout(addressCapacity: 0)
        var group = BufferGroup(identifier: 7, count: 2, bytes: layout.overhead + 1)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        for byte in UInt8(0)..<3 { try client.send([byte], to: server) }
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1)
        let taken = try ring.completions(3)
        #expect(taken.prefix(2).allSatisfy { $0.isArmed && $0.error == nil })
        #expect(taken[2].error == .noBufferSpace && !taken[2].isArmed)
        for completion in taken.prefix(2) { group.recycle(try #require(completion.bufferIdentifier)) }
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1)
        #expect(try next(&ring, &group, layout).payload == [2])
    }

    @Test func aBufferThatIsTooSmallEndsIt() throws {
        let layout = MessageLayout(addressCapacity: 128, controlCapacity: 64)
        let group = BufferGroup(identifier: 7, count: 2, bytes: layout.overhead - 1)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        try client.send([1], to: server)
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1)
        let completion = try ring.completion()
        #expect(completion.error == .badAddress && !completion.isArmed)
    }

    @Test func whatCannotBeIsRefused() throws {
        let layout = MessageLayout()
        let group = BufferGroup(identifier: 7, count: 2, bytes: layout.overhead + 8)
        var ring = try Ring.forThisThread(entries: 8)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        try client.send([1], to: server)
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, token: 1)
        #expect(try ring.completion().error == .noBufferSpace)
        try ring.register(group)
        try ring.prepareMultishotReceiveMessage(server.file, from: 7, layout, receiveFlags: .waitAll, token: 1)
        #expect(try ring.completion().error == .invalidArgument)
        let pipe = try Pipe()
        try ring.prepareMultishotReceiveMessage(.descriptor(pipe.reader), from: 7, layout, token: 1)
        #expect(try ring.completion().error == .notSocket)
    }

    @Test func theBytesOfAStreamComeAsMessages() throws {
        let layout = MessageLayout(addressCapacity: 16)
        var group = BufferGroup(identifier: 7, count: 4, bytes: layout.overhead + 2)
        var ring = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        let pair = try Pair()
        _ = try pair.client.send([1, 2, 3])
        try pair.client.finishSending()
        try ring.prepareMultishotReceiveMessage(.descriptor(pair.server.descriptor), from: 7, layout, token: 1)
        #expect(try next(&ring, &group, layout).payload == [1, 2])
        #expect(try next(&ring, &group, layout).payload == [3])
        let ending = try ring.completion()
        #expect(!ending.isArmed && ending.error == nil)
    }
}

/// Bytes that are, or are not, what a layout says.
@Suite struct ReceivedMessageTests {
    private func parts(_ bytes: [UInt8], _ layout: MessageLayout) -> (payload: [UInt8], address: [UInt8], control: Int)?
    {
        guard let message = ReceivedMessage(bytes.span.bytes, layout) else { return nil }
        var control = 0
        message.forEachControlMessage { _, _ in control += 1 }
        return (array(message.payload), array(message.address), control)
    }

    /// Lengths of address, control data and payload, and flags, as the kernel writes them.
    private func header(_ address: UInt32, _ control: UInt32, _ payload: UInt32 = 0, _ flags: UInt32 = 0) -> [UInt8] {
        let numbers: [UInt32] = [address, control, payload, flags]
        return numbers.withUnsafeBytes { bytes -> [UInt8] in [UInt8](bytes) }
    }

    /// A part of control data that says to have a length, in 24 bytes.
    private func part(_ length: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 1, count: 24)
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, as: Int.self) }
        return bytes
    }

    @Test func tooFewBytesAreNoMessage() {
        let layout = MessageLayout(addressCapacity: 4, controlCapacity: 8)
        #expect(layout.overhead == 28)
        for count in 0..<28 { #expect(parts([UInt8](repeating: 0, count: count), layout) == nil) }
        #expect(parts([UInt8](repeating: 0, count: 28), layout)?.payload == [])
    }

    @Test func lengthsBeyondTheRoomAreCut() throws {
        let layout = MessageLayout(addressCapacity: 4, controlCapacity: 8)
        var bytes: [UInt8] = header(.max, .max, .max, .max)
        bytes.append(contentsOf: [1, 2, 3, 4])
        bytes.append(contentsOf: [UInt8](repeating: 0xff, count: 8))
        bytes.append(9)
        let message = try #require(parts(bytes, layout))
        #expect(message.address == [1, 2, 3, 4] && message.payload == [9] && message.control == 0)
    }

    @Test(arguments: [0, 15, 25, Int.max, -1]) func aPartThatSaysToBeLongerThanThereIsEndsTheWalk(_ length: Int) throws
    {
        let layout = MessageLayout(addressCapacity: 0, controlCapacity: 24)
        let message = try #require(parts(header(0, 24) + part(length), layout))
        #expect(message.control == 0)
    }

    @Test func theLastPartMayLackItsPadding() throws {
        let layout = MessageLayout(addressCapacity: 0, controlCapacity: 24)
        let whole = try #require(parts(header(0, 17) + part(17), layout))
        #expect(whole.control == 1)
        let cut = try #require(parts(header(0, 16) + part(17), layout))
        #expect(cut.control == 0)
    }

    @Test func layoutsOfTheSameSizesAreTheSame() {
        #expect(MessageLayout(addressCapacity: 16) == MessageLayout(addressCapacity: 16))
        #expect(MessageLayout(addressCapacity: 16) != MessageLayout(addressCapacity: 28))
        #expect(MessageLayout(addressCapacity: 16, controlCapacity: 1) != MessageLayout(addressCapacity: 16))
    }
}
