import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport

enum DatagramKind: CaseIterable {
    case udp, udp6, unix

    /// Nil where the machine has no such thing.
    func pair() throws -> DatagramPair? {
        let address: SocketAddress =
            switch self {
            case .udp: .loopback()
            case .udp6: .loopback6()
            case .unix: .unixUnnamed
            }
        do {
            return try DatagramPair(address)
        } catch Errno.addressFamilyNotSupported, Errno.addressNotAvailable {
            return nil
        }
    }
}

/// Two sockets that are bound.
final class DatagramPair {
    let one: DatagramSocket
    let other: DatagramSocket

    init(_ address: SocketAddress) throws {
        one = try DatagramSocket(boundTo: address)
        other = try DatagramSocket(boundTo: address)
    }
}

extension DatagramSocket {
    func sendBytes(
        _ bytes: [UInt8], to address: SocketAddress? = nil, options: SendOptions = []
    ) throws(Errno) -> Bool {
        guard let address else { return try send(bytes.span.bytes, options: options) }
        return try send(bytes.span.bytes, to: address, options: options)
    }

    func sendBytes(_ first: [UInt8], _ second: [UInt8], to address: SocketAddress? = nil) throws(Errno) -> Bool {
        try send(first.span.bytes, second.span.bytes, to: address)
    }

    func sendBytes(
        _ first: [UInt8], _ second: [UInt8], _ third: [UInt8], to address: SocketAddress? = nil
    ) throws(Errno) -> Bool {
        try send(first.span.bytes, second.span.bytes, third.span.bytes, to: address)
    }

    /// What is there now, into room for 64 bytes.
    func receiveNow(_ options: ReceiveOptions = []) throws(Errno) -> ReceivedDatagram? {
        var bytes = [UInt8](repeating: 0, count: 64)
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        return try receive(into: &room, options: options)
    }

    /// Waits for a datagram.
    func next(room count: Int = 64, options: ReceiveOptions = []) throws -> (
        bytes: [UInt8], peer: SocketAddress?, datagram: ReceivedDatagram
    ) {
        try waitUntilReadable(descriptor)
        var bytes = [UInt8](repeating: 0, count: count)
        var peer: SocketAddress?
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        guard let datagram = try receive(into: &room, from: &peer, options: options) else { throw Errno.wouldBlock }
        return (Array(bytes.prefix(datagram.count)), peer, datagram)
    }

    /// Receives into pieces of these sizes, two or three.
    func nextPieces(_ sizes: [Int]) throws(Errno) -> (
        pieces: [[UInt8]], peer: SocketAddress?, datagram: ReceivedDatagram
    )? {
        var first = [UInt8](repeating: 0, count: sizes[0])
        var second = [UInt8](repeating: 0, count: sizes[1])
        var third = [UInt8](repeating: 0, count: sizes.count > 2 ? sizes[2] : 0)
        var peer: SocketAddress? = .loopback(port: 1)
        let datagram = try receivePieces(&first, &second, &third, &peer, sizes.count)
        guard let datagram else { return nil }
        return ([first, second, third], peer, datagram)
    }

    private func receivePieces(
        _ first: inout [UInt8], _ second: inout [UInt8], _ third: inout [UInt8], _ peer: inout SocketAddress?,
        _ count: Int
    ) throws(Errno) -> ReceivedDatagram? {
        var one = first.mutableSpan
        var two = second.mutableSpan
        var three = third.mutableSpan
        var a = one.mutableBytes
        var b = two.mutableBytes
        var c = three.mutableBytes
        if count == 2 { return try receive(into: &a, &b, from: &peer) }
        return try receive(into: &a, &b, &c, from: &peer)
    }

    /// Disconnecting takes the address away that the kernel chose, not one that was bound.
    func bindAgain(to address: SocketAddress) throws {
        if try localAddress != address { try bind(to: address) }
    }
}

/// A batch behind a reference, because expectations cannot hold what cannot be copied.
final class TestBatch {
    private var base: DatagramBatch

    init(capacity: Int, roomBytes: Int) { base = DatagramBatch(capacity: capacity, roomBytes: roomBytes) }

    var count: Int { base.count }
    func datagram(at index: Int) -> ReceivedDatagram { base.datagram(at: index) }
    func peer(at index: Int) -> SocketAddress? { base.peer(at: index) }
    func removeFirst() { base.removeFirst() }

    func bytes(at index: Int) -> [UInt8] {
        base.withBytes(at: index) { bytes in bytes.withUnsafeBytes { Array($0) } }
    }

    func append(_ bytes: [UInt8], to address: SocketAddress? = nil) throws(Errno) -> Bool {
        try base.append(bytes.span.bytes, to: address)
    }

    func receive(from socket: borrowing DatagramSocket, _ options: ReceiveOptions = []) throws(Errno) -> Int? {
        try socket.receive(into: &base, options: options)
    }

    func send(to socket: borrowing DatagramSocket) throws(Errno) -> Int? { try socket.send(&base) }
}
