import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Memory that the ring owns while a request works on it.
@Suite struct RequestBufferTests {
    @Test func bytesAreAddedBehindAndTakenInFront() {
        var buffer = RequestBuffer(capacity: 8)
        #expect(buffer.fill([1, 2, 3, 4, 5]) == 5)
        buffer.removeFirst(2)
        #expect(buffer.fill([6, 7, 8, 9, 10, 11]) == 5)
        #expect(buffer.contents == [3, 4, 5, 6, 7, 8, 9, 10])
        buffer.removeLast(6)
        #expect(buffer.contents == [3, 4])
        var bytes = buffer.mutableBytes
        bytes.storeBytes(of: 9, toByteOffset: 0, as: UInt8.self)
        #expect(buffer.contents == [9, 4])
        buffer.removeAll()
        let (isEmpty, capacity) = (buffer.isEmpty, buffer.capacity)
        #expect(isEmpty && capacity == 8)
    }

    @Test func moreThanThereIsCannotBeTaken() async {
        await #expect(processExitsWith: .failure) {
            var buffer = RequestBuffer(capacity: 8)
            buffer.removeFirst(1)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = RequestBuffer(capacity: 8)
            buffer.removeLast(-1)
        }
    }

    @Test(.enabled(if: ringsAvailable, whyNoRings)) func aReceivePutsItsBytesBehind() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        var buffer = RequestBuffer(capacity: 4)
        _ = buffer.fill([1])
        try ring.base.prepareReceive(token, into: buffer)
        #expect(write(ends.second, "abcdef", 6) == 6)
        let event = try ring.awaited()
        let result = event.result
        #expect(result == 3)
        var full = event.takeBuffer()
        #expect(full.contents == [1] + Array("abc".utf8))
        #expect(throws: Errno.invalidArgument) { try ring.base.prepareReceive(token, into: copy(of: full)) }
        full.removeFirst(3)
        try ring.base.prepareReceive(token, into: full)
        let next = try ring.awaited().takeBuffer()
        #expect(next.contents == Array("cdef".utf8))
    }

    @Test(.enabled(if: ringsAvailable, whyNoRings)) func theEndOfThePeerGivesTheBufferBackAsItWas() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 4))
        #expect(shutdown(ends.second, CInt(SHUT_WR)) == 0)
        let event = try ring.awaited()
        let result = event.result
        let buffer = event.takeBuffer()
        let isEmpty = buffer.isEmpty
        #expect(result == 0 && isEmpty)
    }

    /// 8 MB through a peer that reads late: partial sends leave the rest in the buffer.
    @Test(.enabled(if: ringsAvailable, whyNoRings)) func aLargeSendArrivesWhole() throws {
        let count = 8 << 20
        let ring = try TestRing()
        let ends = try SocketPair()
        let (reader, token) = (ends.second, try ring.base.insert(ends.takeFirst()))
        var buffer = RequestBuffer(capacity: count)
        _ = buffer.fill((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 12) })
        try ring.base.prepareSend(token, from: buffer)
        let received = TestThread {
            var bytes = [UInt8](repeating: 0, count: count)
            var filled = 0
            while filled < count {
                let taken = bytes.withUnsafeMutableBytes {
                    recv(reader, $0.baseAddress! + filled, min(count - filled, 100_000), 0)
                }
                if taken < 0 && errno == EINTR { continue }
                guard taken > 0 else { break }
                filled += taken
            }
            return bytes
        }
        var parts = 0
        while true {
            let event = try ring.awaited()
            let error = event.error
            #expect(error == nil)
            let rest = event.takeBuffer()
            parts += 1
            if rest.isEmpty { break }
            try ring.base.prepareSend(token, from: rest)
        }
        #expect(try received.join() == (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 12) })
        #expect(parts > 1)
    }

    @Test(.enabled(if: ringsAvailable, whyNoRings)) func transfersByTokenDoNotWait() throws {
        let ring = try TestRing()
        var ends: [CInt] = [0, 0]
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        #expect(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        let one = try ring.base.insert(OwnedDescriptor(owning: .init(rawValue: ends[0])))
        let two = try ring.base.insert(OwnedDescriptor(owning: .init(rawValue: ends[1])))
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        func receive(_ token: RingToken) throws -> Int? {
            var span = bytes.mutableSpan
            var raw = span.mutableBytes
            return try ring.base.receive(from: token, into: &raw)
        }
        #expect(try receive(one) == nil)
        var sent = 0
        while let count = try ring.base.send(bytes.span.bytes, to: two) { sent += count }
        var received = 0
        while let count = try receive(one) { received += count }
        #expect(sent > 0 && received == sent)
        try ring.base.close(two)
        #expect(try receive(one) == 0)
        // With SIGPIPE at its default this would end the process.
        #expect(throws: Errno.brokenPipe) { try ring.base.send(bytes.span.bytes, to: one) }
    }

    /// Requests in all states: the sanitizers see whether a buffer is freed twice, too early, or never.
    @Test(.enabled(if: ringsAvailable, whyNoRings), arguments: [0, 1, 2, 3]) func buffersEndWithTheRing(_ state: Int)
        throws
    {
        let ends = try SocketPair()
        let ring = try TestRing()
        let token = try ring.base.insert(ends.takeFirst())
        for _ in 0..<3 { try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 64)) }
        if state > 0 { #expect(try !ring.base.wait(timeout: .nanoseconds(1))) }
        if state > 1 { #expect(write(ends.second, "x", 1) == 1) }
        if state > 2 { try ring.base.drain(token) }
    }
}

/// One after the other, so that the last is echoed whole by a server that has no `unsafe` and no allocation of its own.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct RingEchoTests {
    /// The server of the documentation, whose clients come one after the other and send and receive in small pieces.
    @Test func manyClientsAreServed() throws {
        var ring = try DescriptorRing(entries: 64)
        let socket = try loopbackListener()
        let address = try socket.address
        let listener = try ring.insert(socket.release())
        let clients = TestThread {
            for number in UInt8(0)..<100 {
                let client = try StreamSocket(for: address, .blocking).connect(to: address)
                for piece in [[number], [1, 2, 3], [UInt8](repeating: number, count: 10_000)] {
                    #expect(try client.send(piece) == piece.count)
                    var echoed: [UInt8] = []
                    while echoed.count < piece.count { echoed += try client.bytes(atMost: 4096) }
                    #expect(echoed == piece)
                }
                // Every second one leaves with a message under way.
                if number % 2 == 0 { _ = try client.send([1]) }
            }
        }
        var isAccepting = false
        var ended = 0
        while ended < 100 {
            if !isAccepting { try ring.prepareAccept(listener) }
            if isAccepting {
                guard try ring.wait(timeout: patience) else { throw PatienceIsOver() }
            } else {
                _ = try ring.wait(timeout: .milliseconds(50))
            }
            isAccepting = true
            while let event = ring.nextEvent() {
                let (token, operation, result) = (event.token, event.operation, event.result)
                switch operation {
                case .accept:
                    isAccepting = event.isArmed
                    if result < 0 { continue }
                    let connection = try ring.insert(event.takeDescriptor())
                    try ring.prepareReceive(connection, into: RequestBuffer(capacity: 4096))
                case .receive where result > 0:
                    try ring.prepareSend(token, from: event.takeBuffer())
                case .send where result >= 0:
                    let buffer = event.takeBuffer()
                    if buffer.isEmpty {
                        try ring.prepareReceive(token, into: buffer)
                    } else {
                        try ring.prepareSend(token, from: buffer)
                    }
                default:
                    try ring.close(token)
                    ended += 1
                }
            }
        }
        try clients.join()
        let (count, foreign) = (ring.count, ring.foreignCompletions)
        #expect(count == 1 && foreign == 0)
    }

    @Test func aSafeEchoServerKeepsOrder() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 16))
        let text = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(write(ends.second, text, text.count) == text.count)
        #expect(shutdown(ends.second, CInt(SHUT_WR)) == 0)
        var isOpen = true
        while isOpen {
            let event = try ring.awaited()
            let hasEnded = event.operation == .receive && event.result <= 0
            let buffer = event.takeBuffer()
            if hasEnded {
                isOpen = false
            } else if buffer.isEmpty {
                try ring.base.prepareReceive(token, into: buffer)
            } else {
                try ring.base.prepareSend(token, from: buffer)
            }
        }
        try ring.base.close(token)
        var echoed = [UInt8](repeating: 0, count: 2000)
        var count = 0
        while true {
            let taken = echoed.withUnsafeMutableBytes { recv(ends.second, $0.baseAddress! + count, 2000 - count, 0) }
            if taken < 0 && errno == EINTR { continue }
            guard taken > 0 else { break }
            count += taken
        }
        #expect(Array(echoed.prefix(count)) == text)
    }
}

private func copy(of buffer: borrowing RequestBuffer) -> RequestBuffer {
    var copy = RequestBuffer(capacity: buffer.capacity)
    _ = copy.append(buffer.bytes)
    return copy
}

extension RequestBuffer {
    /// What it holds, as something that expectations can hold.
    var contents: [UInt8] { bytes.withUnsafeBytes { Array($0) } }

    mutating func fill(_ bytes: [UInt8]) -> Int { append(bytes.span.bytes) }
}
