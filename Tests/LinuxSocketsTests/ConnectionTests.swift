import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct ConnectionTests {
    @Test func receiveTellsNothingYetFromTheEnd() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener, [.nonblocking])
        #expect(try server.receiveNow() == nil)
        #expect(try client.send([9]) == 1)
        #expect(try server.bytes() == [9])
        try client.close()
        #expect(try server.bytes() == [])
        #expect(try server.receiveNow() == 0)
    }

    @Test func finishedSenderStillReceives() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        try client.finishSending()
        #expect(try server.bytes() == [])
        #expect(try server.send([4, 5]) == 2)
        #expect(try client.bytes() == [4, 5])
        #expect(throws: Errno.brokenPipe) { try client.send([1]) }
    }

    @Test func receiveTakesNoMoreThanFits() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        #expect(try client.send([1, 2, 3, 4, 5]) == 5)
        #expect(try server.bytes(atMost: 3) == [1, 2, 3])
        #expect(try server.bytes(atMost: 3) == [4, 5])
    }

    @Test func fullBufferIsNilNotAnError() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener, [.nonblocking])
        let chunk = [UInt8](repeating: 1, count: 1 << 16)
        var sent = 0
        while let count = try server.send(chunk) { sent += count }
        #expect(sent > 0)
        var received = 0
        while received < sent { received += try client.bytes(atMost: 1 << 16).count }
        try waitUntil(POLLOUT, on: server.descriptor)
        #expect(try server.send([1]) == 1)
    }

    @Test func resetReachesBothDirections() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        try setSocketOption(.resetOnClose, on: server.descriptor)
        try server.close()
        #expect(throws: Errno.connectionReset) { try client.bytes() }
        // With SIGPIPE at its default this line would end the process if the flag were missing.
        #expect(throws: Errno.brokenPipe) { try client.send([1]) }
    }

    @Test func releaseKeepsTheConnection() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        let again = Connection(owning: server.release())
        #expect(try again.send([1]) == 1)
        #expect(try client.bytes() == [1])
    }
}

extension Connection {
    fileprivate func receiveNow() throws -> Int? {
        var byte: [UInt8] = [0]
        var span = byte.mutableSpan
        var raw = span.mutableBytes
        return try receive(into: &raw)
    }
}
