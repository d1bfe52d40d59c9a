import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct BorrowedDescriptorTests {
    @Test func receivingIntoNothingIsRefusedBeforeTheEndAndAfter() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        #expect(try client.send([1, 2]) == 2)
        #expect(try server.bytes(atMost: 1) == [1])
        #expect(throws: Errno.invalidArgument) { try server.descriptor.receiveAtMost(0) }
        // Nothing was taken, and the connection is not at its end.
        #expect(try server.bytes(atMost: 1) == [2])
        try client.close()
        #expect(throws: Errno.invalidArgument) { try server.descriptor.receiveAtMost(0) }
        #expect(try server.descriptor.receiveAtMost(1) == 0)
    }

    @Test func pipeIsReadAndWritten() throws {
        let ends = try FileDescriptor.pipe()
        let reader = OwnedDescriptor(owning: ends.readEnd)
        let writer = OwnedDescriptor(owning: ends.writeEnd)
        let hello: [UInt8] = [1, 2, 3]
        #expect(try writer.descriptor.write(hello.span.bytes) == 3)
        #expect(try writer.descriptor.write([UInt8]().span.bytes) == 0)
        #expect(try reader.descriptor.readAtMost(2) == [1, 2])
        #expect(throws: Errno.invalidArgument) { try reader.descriptor.readAtMost(0) }
        #expect(try reader.descriptor.readAtMost(2) == [3])
        #expect(throws: Errno.badFileDescriptor) { try writer.descriptor.readAtMost(1) }
        #expect(throws: Errno.badFileDescriptor) { try reader.descriptor.write(hello.span.bytes) }
        try writer.close()
        #expect(try reader.descriptor.readAtMost(2) == [])
    }

    @Test func nonblockingMeansNilAndCanBeTakenBack() throws {
        let ends = try FileDescriptor.pipe()
        let reader = OwnedDescriptor(owning: ends.readEnd)
        let writer = OwnedDescriptor(owning: ends.writeEnd)
        try reader.descriptor.setNonblocking()
        try writer.descriptor.setNonblocking()
        #expect(try reader.descriptor.readAtMost(1) == nil)
        let chunk = [UInt8](repeating: 1, count: 1 << 16)
        while try writer.descriptor.write(chunk.span.bytes) != nil {}
        #expect(try reader.descriptor.readAtMost(1) == [1])
        try reader.descriptor.setNonblocking(false)
        #expect(fcntl(reader.descriptor.rawValue, F_GETFL) & O_NONBLOCK == 0)
        #expect(fcntl(writer.descriptor.rawValue, F_GETFL) & O_NONBLOCK == O_NONBLOCK)
    }

    @Test func numberThatIsNotOpenIsRefused() {
        let none = BorrowedDescriptor(rawValue: -1)
        #expect(throws: Errno.badFileDescriptor) { try none.receiveAtMost(1) }
        #expect(throws: Errno.badFileDescriptor) { try none.readAtMost(1) }
        #expect(throws: Errno.badFileDescriptor) { try none.setNonblocking() }
        #expect(throws: Errno.badFileDescriptor) { try none.duplicate().close() }
    }

    @Test func whatIsNoSocketIsNotReceivedFrom() throws {
        let pipe = try Pipe()
        #expect(throws: Errno.notSocket) { try pipe.reader.receiveAtMost(1) }
        #expect(throws: Errno.notSocket) { try pipe.reader.send([UInt8](repeating: 0, count: 1).span.bytes) }
    }
}

extension BorrowedDescriptor {
    fileprivate func receiveAtMost(_ count: Int) throws(Errno) -> Int? {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        return try receive(into: &raw)
    }

    fileprivate func readAtMost(_ count: Int) throws(Errno) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        guard let taken = try read(into: &raw) else { return nil }
        return Array(bytes.prefix(taken))
    }
}
