import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Messages of sockets, one at a time.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingSocketMessageTests {
    @Test func aDatagramComesWithItsSender() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        var request = MessageBuffer(capacity: 64)
        var reply = MessageBuffer(capacity: 64)
        for round in UInt8(0)..<10 {
            try ring.prepareReceiveMessage(server.file, into: &request, token: 1)
            #expect(request.isLent == true)
            try ring.submit()
            reply.put([round, 2, 3])
            reply.setAddress(server.address.span.bytes)
            try ring.prepareSendMessage(client.file, from: &reply, token: 2)
            var results: [UInt64: Int32] = [:]
            while request.isLent || reply.isLent {
                let completion = try ring.awaited()
                results[completion.token] = completion.result
                // One of the two takes it, and the other says that it is not its own.
                #expect(request.takeBack(completion) != reply.takeBack(completion))
            }
            #expect(results == [1: 3, 2: 3])
            #expect(request.bytes() == [round, 2, 3])
            #expect(request.addressBytes == client.address)
            #expect(request.flags.isEmpty && !request.isAddressTruncated)
            // Back to whom it came from.
            try ring.prepareSendMessage(server.file, from: &request, token: 3)
            #expect(try request.taken(from: &ring) == 3)
            try ring.prepareReceiveMessage(client.file, into: &reply, token: 4)
            #expect(try reply.taken(from: &ring) == 3)
            #expect(reply.bytes() == [round, 2, 3] && reply.addressBytes == server.address)
        }
    }

    @Test(arguments: [ReceiveFlags(), .truncate]) func whatIsCutOffIsTold(_ flags: ReceiveFlags) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        try client.send([1, 2, 3, 4, 5], to: server)
        var message = MessageBuffer(segments: [2, 1], addressCapacity: 8)
        try ring.prepareReceiveMessage(server.file, into: &message, receiveFlags: flags, token: 1)
        #expect(try message.taken(from: &ring) == (flags == .truncate ? 5 : 3))
        #expect(message.flags == .truncated)
        #expect(message.bytes() == [1, 2] && message.bytes(ofSegment: 1) == [3])
        #expect(message.isAddressTruncated == true)
        #expect(message.addressBytes == Array(client.address.prefix(8)))
    }

    @Test func anEmptyDatagramIsAMessage() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        var message = MessageBuffer(capacity: 4)
        message.setAddress(server.address.span.bytes)
        try ring.prepareSendMessage(client.file, from: &message, token: 1)
        #expect(try message.taken(from: &ring) == 0)
        try ring.prepareReceiveMessage(server.file, into: &message, token: 2)
        #expect(try message.taken(from: &ring) == 0)
        #expect(message.count == 0 && message.addressBytes == client.address)
    }

    @Test func segmentsAreSentAndFilledOneAfterTheOther() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        var message = MessageBuffer(segments: [2, 3, 4])
        message.put([1, 2])
        message.put([3], ofSegment: 1)
        message.put([4, 5, 6], ofSegment: 2)
        try ring.prepareSendMessage(.descriptor(pair.client.descriptor), from: &message, token: 1)
        #expect(try message.taken(from: &ring) == 6)
        #expect(message.count == 6)
        message.removeFirst(6)
        try ring.prepareReceiveMessage(.descriptor(pair.server.descriptor), into: &message, token: 2)
        #expect(try message.taken(from: &ring) == 6)
        #expect(message.bytes(ofSegment: 0) == [1, 2])
        #expect(message.bytes(ofSegment: 1) == [3, 4, 5])
        #expect(message.bytes(ofSegment: 2) == [6])
        #expect(message.addressBytes.isEmpty)
    }

    @Test func aPartThatAStreamTookIsNotSentAgain() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        try pair.client.descriptor.setNonblocking()
        var message = MessageBuffer(segments: [1 << 20, 1 << 23])
        let pattern = [UInt8](unsafeUninitializedCapacity: 1 << 23) { bytes, count in
            for index in 0..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: index >> 5) }
            count = bytes.count
        }
        let beginning = [UInt8](pattern.prefix(1 << 20))
        message.setContents(beginning.span.bytes)
        message.setContents(pattern.span.bytes, ofSegment: 1)
        let whole: [UInt8] = beginning + pattern
        // Nobody reads yet, so the socket takes a part.
        try ring.prepareSendMessage(.descriptor(pair.client.descriptor), from: &message, token: 1)
        let first = try Int(message.taken(from: &ring))
        try #require(first > 0 && first < whole.count)
        message.removeFirst(first)
        let reader = TestThread { [number = pair.server.descriptor] in
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while bytes.count < 9 << 20 {
                var span = chunk.mutableSpan
                var raw = span.mutableBytes
                guard let count = try number.receive(into: &raw), count > 0 else { break }
                bytes += chunk.prefix(count)
            }
            return bytes
        }
        while message.count > 0 {
            try ring.prepareSendMessage(.descriptor(pair.client.descriptor), from: &message, token: 1)
            let sent = try message.taken(from: &ring)
            #expect(sent > 0)
            if sent <= 0 { break }
            message.removeFirst(Int(sent))
        }
        #expect(try reader.join() == whole)
    }

    @Test func theEndOfAPeerIsSeen() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        try pair.client.finishSending()
        var message = MessageBuffer(capacity: 4)
        try ring.prepareReceiveMessage(.descriptor(pair.server.descriptor), into: &message, token: 1)
        #expect(try message.taken(from: &ring) == 0)
        message.put([1])
        // With SIGPIPE at its default this would end the process if the flag were missing.
        try ring.prepareSendMessage(.descriptor(pair.client.descriptor), from: &message, token: 2)
        #expect(try message.taken(from: &ring) == -EPIPE)
        #expect(message.bytes() == [1])
    }

    @Test func mistakesGiveTheMessageBack() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        var message = MessageBuffer(capacity: 4, controlCapacity: 32)
        message.put([1])
        try ring.prepareReceiveMessage(.descriptor(pipe.reader), into: &message, token: 1)
        #expect(try message.taken(from: &ring) == -ENOTSOCK)
        #expect(message.count == 0 && message.addressBytes.isEmpty && message.controlParts.isEmpty)
        try ring.prepareSendMessage(.descriptor(BorrowedDescriptor(rawValue: -1)), from: &message, token: 1)
        #expect(try message.taken(from: &ring) == -EBADF)
        // Nobody is connected, and no address says whom it is for.
        let socket = try DatagramSocket()
        try ring.prepareSendMessage(socket.file, from: &message, token: 1)
        #expect(try message.taken(from: &ring) == -EDESTADDRREQ)
    }

    @Test func aQueueThatIsFullLendsNothing() throws {
        var ring = try Ring(entries: 1)
        let socket = try DatagramSocket()
        var first = MessageBuffer(capacity: 4)
        var second = MessageBuffer(capacity: 4)
        try ring.prepareReceiveMessage(socket.file, into: &first, .link, token: 1)
        #expect(throws: Errno.resourceBusy) { try ring.prepareReceiveMessage(socket.file, into: &second, token: 2) }
        #expect(throws: Errno.resourceBusy) { try ring.prepareSendMessage(socket.file, from: &second, token: 2) }
        #expect(first.isLent && !second.isLent && second.count == 0)
    }

    @Test func aCancelledReceiveGivesTheMessageBack() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let socket = try DatagramSocket()
        var message = MessageBuffer(capacity: 4)
        try ring.prepareReceiveMessage(socket.file, into: &message, token: 1)
        try ring.submit()
        try ring.prepareCancel(target: 1, token: 2)
        #expect(try message.taken(from: &ring) == -ECANCELED)
        #expect(message.count == 0)
    }

    /// Dropped while the kernel may write into it: the memory stays, and what comes goes there.
    @Test func aMessageThatIsDroppedWhileLentHarmsNobody() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        do {
            var message = MessageBuffer(capacity: 64)
            try ring.prepareReceiveMessage(server.file, into: &message, token: 1)
            try ring.submit()
        }
        try client.send([1, 2, 3], to: server)
        #expect(try ring.completion().result == 3)
    }

    @Test func aQuietSendIsTakenBackUnchecked() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try #require(ring.features.contains(.skipSuccess))
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        var message = MessageBuffer(capacity: 4)
        message.put([7])
        message.setAddress(server.address.span.bytes)
        try ring.prepareSendMessage(client.file, from: &message, .skipSuccess, token: 1)
        var received = MessageBuffer(capacity: 4)
        try ring.prepareReceiveMessage(server.file, into: &received, token: 2)
        #expect(try received.taken(from: &ring) == 1)
        #expect(message.isLent == true)
        message.takeBackUnchecked()
        #expect(message.bytes() == [7] && received.bytes() == [7])
    }
}

/// What comes beside the bytes.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingControlMessageTests {
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func descriptorsAreHandedOver() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let pair = try UnixPair()
            let pipe = try Pipe()
            var message = MessageBuffer(capacity: 4, controlCapacity: 32)
            message.put([1])
            try message.appendControl(.descriptors, [pipe.reader.rawValue].span.bytes)
            try ring.prepareSendMessage(.descriptor(pair.first.descriptor), from: &message, token: 1)
            #expect(try message.taken(from: &ring) == 1)
            try ring.prepareReceiveMessage(.descriptor(pair.second.descriptor), into: &message, token: 2)
            #expect(try message.taken(from: &ring) == 1)
            let bytes = try #require(message.controlParts[.descriptors])
            let number = bytes.withUnsafeBytes { $0.loadUnaligned(as: CInt.self) }
            let copy = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
            #expect(number != pipe.reader.rawValue && fcntl(number, F_GETFD) == FD_CLOEXEC)
            try pipe.write()
            try waitUntilReadable(copy.descriptor)
        }
    }

    @Test func controlDataThatHasNoRoomIsTold() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try UnixPair()
        var message = MessageBuffer(capacity: 4, controlCapacity: 32)
        message.put([1])
        try message.appendControl(.descriptors, [CInt(0), 1].span.bytes)
        try ring.prepareSendMessage(.descriptor(pair.first.descriptor), from: &message, token: 1)
        #expect(try message.taken(from: &ring) == 1)
        var small = MessageBuffer(capacity: 4)
        try ring.prepareReceiveMessage(.descriptor(pair.second.descriptor), into: &small, token: 2)
        #expect(try small.taken(from: &ring) == 1)
        #expect(small.flags == .controlTruncated)
        #expect(small.controlParts.isEmpty && small.bytes() == [1])
    }

    @Test func theAddressThatADatagramWasSentToIsTold() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let server = try DatagramSocket()
        let client = try DatagramSocket()
        // IP_PKTINFO and SO_TIMESTAMP: two parts.
        try server.setOption(0, 8, 1)
        try server.setOption(1, 29, 1)
        try client.send([1], to: server)
        var message = MessageBuffer(capacity: 4, controlCapacity: 128)
        try ring.prepareReceiveMessage(server.file, into: &message, token: 1)
        #expect(try message.taken(from: &ring) == 1)
        let parts = message.controlParts
        #expect(parts.count == 2)
        let information: [UInt8] = parts[.ipv4PacketInformation] ?? []
        let loopback: [UInt8] = [127, 0, 0, 1]
        #expect(Array(information.suffix(4)) == loopback)
        #expect(parts[ControlMessage(level: 1, type: 29)]?.count == 16)
    }
}
