import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Receives into buffers that the kernel picks: what each brings, and that each is given back once.
@Suite(.enabled(if: multishotReceiveAvailable, whyNoRings)) struct DescriptorRingGroupTests {
    @Test func theBytesComeInTheirOrder() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 8, bytes: 64)
        let text = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        let sender = TestThread { [writer = ends.second] in
            var sent = 0
            while sent < text.count {
                let size = min(text.count - sent, 1 + sent % 997)
                let count = text.withUnsafeBytes { send(writer, $0.baseAddress! + sent, size, CInt(MSG_NOSIGNAL)) }
                if count < 0 && errno != EINTR { throw Errno(rawValue: errno) }
                sent += max(count, 0)
            }
        }
        var received: [UInt8] = []
        try ring.base.prepareReceive(token, from: buffers)
        while received.count < text.count {
            let event = try ring.awaited()
            let (isArmed, error) = (event.isArmed, event.error)
            if error == nil { received += event.takeGroupBuffer().contents } else { #expect(error == .noBufferSpace) }
            if !isArmed { try ring.base.prepareReceive(token, from: buffers) }
        }
        try sender.join()
        #expect(received == text)
        #expect(try ring.base.freeBuffers(of: buffers) == 8)
    }

    @Test func withoutAFreeBufferItEndsAndCanBeQueuedAgain() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 4, bytes: 1)
        #expect(write(ends.second, [0, 1, 2, 3, 4, 5] as [UInt8], 6) == 6)
        try ring.base.prepareReceive(token, from: buffers)
        var held: [Held] = []
        for _ in 0..<4 { held.append(Held(try ring.awaited().takeGroupBuffer())) }
        #expect(held.flatMap(\.contents) == [0, 1, 2, 3])
        #expect(try ring.base.freeBuffers(of: buffers) == 0)
        let ending = SeenEvent(try ring.awaited())
        #expect(ending.error == .noBufferSpace && !ending.isArmed && ending.operation == .receive)
        // Nothing is queued by itself.
        #expect(ring.base.pendingOperations(on: token) == [])

        held[2].buffer = nil
        #expect(try ring.base.freeBuffers(of: buffers) == 1)
        try ring.base.prepareReceive(token, from: buffers)
        let next = try ring.awaited().takeGroupBuffer()
        #expect(next.contents == [4])
        next.recycle()
        held = []
        while true {
            let event = try ring.awaited()
            if event.result == 1 {
                let last = event.takeGroupBuffer()
                #expect(last.contents == [5])
                break
            }
            let error = event.error
            #expect(error == .noBufferSpace)
            try ring.base.prepareReceive(token, from: buffers)
        }
        #expect(try ring.base.freeBuffers(of: buffers) == 4)
    }

    /// With one buffer, a second that is not given back would end the receive.
    @Test(arguments: [false, true]) func aBufferThatIsNotTakenIsGivenBack(isTaken: Bool) throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 1, bytes: 8)
        try ring.base.prepareReceive(token, from: buffers)
        for number in UInt8(0)..<20 {
            #expect(write(ends.second, [number], 1) == 1)
            let event = try ring.awaited()
            let (isArmed, result) = (event.isArmed, event.result)
            #expect(isArmed && result == 1)
            if isTaken {
                let buffer = event.takeGroupBuffer()
                #expect(buffer.contents == [number])
                #expect(try ring.base.freeBuffers(of: buffers) == 0)
            }
        }
        #expect(try ring.base.freeBuffers(of: buffers) == 1)
    }

    @Test func whatArrivedForARemovedDescriptorIsGivenBack() throws {
        let ring = try TestRing()
        let buffers = try ring.base.addBuffers(count: 2, bytes: 8)
        for round in 1...10 {
            let ends = try SocketPair()
            let token = try ring.base.insert(ends.takeFirst())
            try ring.base.prepareReceive(token, from: buffers)
            #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
            #expect(write(ends.second, "late", 4) == 4)
            try ring.base.close(token)
            #expect(ring.next() == nil)
            #expect(ring.base.droppedCompletions >= UInt64(round))
            #expect(try ring.base.freeBuffers(of: buffers) == 2)
        }
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.prepareReceive(token, from: buffers)
        #expect(write(ends.second, "now", 3) == 3)
        let buffer = try ring.awaited().takeGroupBuffer()
        #expect(buffer.contents == Array("now".utf8))
    }

    @Test func aDrainedDescriptorLosesNoBytes() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 4, bytes: 2)
        try ring.base.prepareReceive(token, from: buffers)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        #expect(write(ends.second, "abcde", 5) == 5)
        try ring.base.drain(token)
        var bytes: [UInt8] = []
        var isEnded = false
        while let event = ring.base.nextEvent() {
            if !event.isArmed { isEnded = true }
            if event.hasGroupBuffer { bytes += event.takeGroupBuffer().contents }
        }
        #expect(isEnded && bytes == Array("abcde".utf8))
        #expect(try ring.base.freeBuffers(of: buffers) == 4)
    }

    /// Datagrams do not merge. The queue holds two completions, so the receive is ended again and again.
    @Test func anOverflowLosesNothing() throws {
        let ring = TestRing(try Ring(entries: 1, completions: 2))
        var ends: [CInt] = [0, 0]
        #expect(socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0, &ends) == 0)
        let writer = OwnedDescriptor(owning: .init(rawValue: ends[1]))
        let token = try ring.base.insert(OwnedDescriptor(owning: .init(rawValue: ends[0])))
        let buffers = try ring.base.addBuffers(count: 64, bytes: 8)
        var expected: [UInt8] = []
        var received: [UInt8] = []
        try ring.base.prepareReceive(token, from: buffers)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        for round in UInt8(0)..<10 {
            for number in 0..<UInt8(5) {
                #expect(write(writer.descriptor.rawValue, [round * 5 + number], 1) == 1)
                expected.append(round * 5 + number)
            }
            while received.count < expected.count {
                let event = try ring.awaited()
                let isArmed = event.isArmed
                if event.hasGroupBuffer { received += event.takeGroupBuffer().contents }
                if !isArmed { try ring.base.prepareReceive(token, from: buffers) }
            }
        }
        #expect(received == expected)
        #expect(try ring.base.freeBuffers(of: buffers) == 64)
    }

    @Test func aSingleReceiveEndsAfterOne() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 2, bytes: 8)
        try ring.base.prepareReceive(token, from: buffers, multishot: false)
        #expect(write(ends.second, "x", 1) == 1)
        let event = try ring.awaited()
        let isArmed = event.isArmed
        let buffer = event.takeGroupBuffer()
        #expect(!isArmed && buffer.contents == Array("x".utf8))
        #expect(ring.base.pendingOperations(on: token) == [])
    }

    @Test func theEndOfThePeerBringsNothing() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 2, bytes: 8)
        try ring.base.prepareReceive(token, from: buffers)
        #expect(write(ends.second, "bye", 3) == 3)
        #expect(shutdown(ends.second, CInt(SHUT_WR)) == 0)
        let data = try ring.awaited().takeGroupBuffer()
        #expect(data.contents == Array("bye".utf8))
        data.recycle()
        let end = SeenEvent(try ring.awaited())
        #expect(end.result == 0 && !end.isArmed && end.operation == .receive)
        #expect(try ring.base.freeBuffers(of: buffers) == 2)
    }

    @Test func aResetIsAnError() throws {
        let ring = try TestRing()
        let pair = try Pair()
        let token = try ring.base.insert(pair.server.descriptor.duplicate())
        let buffers = try ring.base.addBuffers(count: 2, bytes: 8)
        try ring.base.prepareReceive(token, from: buffers)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        // A peer that has unread bytes when it closes resets.
        #expect(try pair.server.send([1]) == 1)
        try waitUntilReadable(pair.client.descriptor)
        _ = try pair.closeClient()
        let event = SeenEvent(try ring.awaited())
        #expect(event.error == .connectionReset && !event.isArmed)
        #expect(try ring.base.freeBuffers(of: buffers) == 2)
        try ring.base.close(token)
    }

    @Test func groupsOfAnotherRingAreUnknown() throws {
        let one = try TestRing()
        let two = try TestRing()
        let ends = try SocketPair()
        let token = try two.base.insert(ends.takeFirst())
        let buffers = try one.base.addBuffers(count: 2, bytes: 8)
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.prepareReceive(token, from: buffers) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.freeBuffers(of: buffers) }
        _ = try two.base.addBuffers(count: 2, bytes: 8)
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.prepareReceive(token, from: buffers) }
    }

    @Test func severalGroupsAreKeptApart() throws {
        let ring = try TestRing()
        let (small, large) = (try SocketPair(), try SocketPair())
        let (first, second) = (try ring.base.insert(small.takeFirst()), try ring.base.insert(large.takeFirst()))
        let few = try ring.base.addBuffers(count: 1, bytes: 2)
        let many = try ring.base.addBuffers(count: 4, bytes: 16)
        try ring.base.prepareReceive(second, from: many)
        #expect(write(large.second, "0123456789", 10) == 10)
        let all = try ring.awaited().takeGroupBuffer()
        #expect(all.count == 10)
        try ring.base.prepareReceive(first, from: few, multishot: false)
        #expect(write(small.second, "0123456789", 10) == 10)
        let part = try ring.awaited().takeGroupBuffer()
        #expect(part.count == 2)
        #expect(try ring.base.freeBuffers(of: few) == 0)
        #expect(try ring.base.freeBuffers(of: many) == 3)
    }
}

/// A buffer behind a reference, because arrays cannot hold what cannot be copied.
final class Held {
    var buffer: GroupBuffer?

    init(_ buffer: consuming GroupBuffer) { self.buffer = consume buffer }

    var contents: [UInt8] { buffer?.contents ?? [] }
}

extension GroupBuffer {
    /// What it holds, as something that expectations can hold.
    var contents: [UInt8] { bytes.withUnsafeBytes { Array($0) } }
}

extension Pair {
    /// Closes the client's end and returns the other.
    consuming func closeClient() throws -> Connection {
        try client.close()
        return server
    }
}
