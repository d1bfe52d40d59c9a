import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Datagrams that are sent and received as one piece of memory.
@Suite struct DatagramSegmentTests {
    /// Nil, with a printed reason, where the kernel has no such option or the machine no such address.
    private func coalescing(_ kind: DatagramKind) throws -> DatagramPair? {
        guard let pair = try kind.pair() else { return nil }
        do {
            try setSocketOption(.coalescing, on: pair.one.descriptor)
            return pair
        } catch Errno.protocolNotAvailable {
            print("skipped: this kernel has no UDP_GRO, which Linux 5.0 has")
            return nil
        }
    }

    private func next(
        _ socket: borrowing DatagramSocket, room count: Int = 65_535
    ) throws -> (bytes: [UInt8], peer: SocketAddress?, segments: ReceivedSegments) {
        try waitUntilReadable(socket.descriptor)
        var bytes = [UInt8](repeating: 0, count: count)
        var peer: SocketAddress?
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        guard let segments = try socket.receiveSegments(into: &room, from: &peer) else { throw Errno.wouldBlock }
        return (Array(bytes.prefix(segments.count)), peer, segments)
    }

    private func numbered(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) } }

    @Test(
        arguments: [DatagramKind.udp, .udp6], [(1, 64), (100, 1_000), (1_000, 2_500), (1_400, 60_000), (9_000, 9_001)])
    func boundariesAreKept(_ kind: DatagramKind, _ sizes: (segment: Int, total: Int)) throws {
        guard let pair = try coalescing(kind) else { return }
        let bytes = numbered(sizes.total)
        let address = try pair.one.localAddress
        #expect(try pair.other.sendSegments(bytes.span.bytes, of: sizes.segment, to: address))
        var received: [UInt8] = []
        while received.count < bytes.count {
            let part = try next(pair.one)
            #expect(part.segments.segmentBytes == min(sizes.segment, bytes.count - received.count))
            #expect(try part.peer == pair.other.localAddress && !part.segments.isTruncated)
            received += part.bytes
            // As it came it goes back, to one who wants them one by one.
            let peer = try #require(part.peer)
            #expect(try pair.one.sendSegments(part.bytes.span.bytes, of: part.segments.segmentBytes, to: peer))
        }
        #expect(received == bytes)
        for start in stride(from: 0, to: bytes.count, by: sizes.segment) {
            let datagram = try pair.other.next(room: 65_535)
            #expect(datagram.bytes == Array(bytes[start..<min(start + sizes.segment, bytes.count)]))
        }
        #expect(try pair.other.receiveNow() == nil)
    }

    @Test func whatComesAloneIsOneAndSoIsAnEmptyOne() throws {
        guard let pair = try coalescing(.udp) else { return }
        try pair.other.connect(to: pair.one.localAddress)
        for size in [5, 0, 65_507] {
            #expect(try pair.other.sendSegments(numbered(size).span.bytes, of: 65_507))
            let part = try next(pair.one)
            #expect(part.bytes == numbered(size) && part.segments.datagrams == 1)
            #expect(part.segments.length == size && part.segments.segmentBytes == size)
        }
        var bytes: [UInt8] = [0]
        var peer: SocketAddress? = .loopback(port: 9)
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        #expect(try pair.one.receiveSegments(into: &room, from: &peer) == nil && peer == .loopback(port: 9))
    }

    @Test func whatDoesNotFitIsCut() throws {
        guard let pair = try coalescing(.udp) else { return }
        let address = try pair.one.localAddress
        #expect(try pair.other.sendSegments(numbered(40).span.bytes, of: 10, to: address))
        let part = try next(pair.one, room: 25)
        #expect(part.segments.length == 40 && part.segments.count == 25 && part.segments.isTruncated)
        #expect(part.bytes == Array(numbered(40).prefix(25)) && part.segments.datagrams == 4)
    }

    @Test func tooManyAreRefused() throws {
        let pair = try #require(try DatagramKind.udp.pair())
        try pair.other.connect(to: pair.one.localAddress)
        #expect(throws: Errno.invalidArgument) { try pair.other.sendSegments(numbered(1_000).span.bytes, of: 1) }
        #expect(throws: Errno.messageTooLong) { try pair.other.sendSegments(numbered(65_508).span.bytes, of: 2_000) }
        #expect(try pair.one.receiveNow() == nil)
    }
}
