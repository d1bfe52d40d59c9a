import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport

/// Both ends of a connection.
final class ConnectedPair {
    let client: Connection
    let server: Connection

    init(_ options: AcceptOptions = []) throws {
        let listener = try loopbackListener()
        client = try connect(to: listener)
        server = try acceptNext(from: listener, options)
    }
}

extension Connection {
    func take(_ count: Int, _ options: ReceiveOptions) throws(Errno) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        return try receive(into: &room, options: options).map { Array(bytes.prefix($0)) }
    }

    func sendWithOptions(_ bytes: [UInt8], _ options: SendOptions) throws(Errno) -> Int? {
        try send(bytes.span.bytes, options: options)
    }

    func sendPieces(_ pieces: [[UInt8]]) throws(Errno) -> Int? {
        let (first, second) = (pieces[0], pieces[1])
        guard pieces.count > 2 else { return try send(first.span.bytes, second.span.bytes) }
        let third = pieces[2]
        return try send(first.span.bytes, second.span.bytes, third.span.bytes)
    }

    /// Receives into pieces of these sizes, two or three.
    func takePieces(
        _ sizes: [Int], _ options: ReceiveOptions = []
    ) throws(Errno) -> (pieces: [[UInt8]], count: Int)? {
        var first = [UInt8](repeating: 0, count: sizes[0])
        var second = [UInt8](repeating: 0, count: sizes[1])
        var third = [UInt8](repeating: 0, count: sizes.count > 2 ? sizes[2] : 0)
        let count = try receivePieces(&first, &second, &third, sizes.count, options)
        return count.map { ([first, second, third], $0) }
    }

    private func receivePieces(
        _ first: inout [UInt8], _ second: inout [UInt8], _ third: inout [UInt8], _ count: Int,
        _ options: ReceiveOptions
    ) throws(Errno) -> Int? {
        var one = first.mutableSpan
        var two = second.mutableSpan
        var three = third.mutableSpan
        var a = one.mutableBytes
        var b = two.mutableBytes
        var c = three.mutableBytes
        if count == 2 { return try receive(into: &a, &b, options: options) }
        return try receive(into: &a, &b, &c, options: options)
    }
}
