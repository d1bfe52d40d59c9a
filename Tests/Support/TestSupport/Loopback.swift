import LinuxDescriptors
public import LinuxSockets
import SystemPackage

/// A nonblocking listener on a port of its own.
public func loopbackListener(_ options: [SocketOption] = []) throws -> Listener {
    try Listener(.loopback(), options)
}

/// A blocking connection to a listener on this machine.
public func connect(to listener: borrowing Listener) throws -> Connection {
    try StreamSocket(for: .loopback(), .blocking).connect(to: listener.address)
}

/// Waits for the next connection: when `connect(2)` returned on one side, the other may still be on its way.
public func acceptNext(from listener: borrowing Listener, _ options: AcceptOptions = []) throws -> Connection {
    while true {
        try waitUntilReadable(listener.descriptor)
        if let connection = try listener.accept(options) { return connection }
    }
}

/// Like ``acceptNext(from:_:)``, and tells where the connection comes from.
public func acceptNext(
    from listener: borrowing Listener, _ options: AcceptOptions = [], peer: inout SocketAddress?
) throws -> Connection {
    while true {
        try waitUntilReadable(listener.descriptor)
        if let connection = try listener.accept(options, peer: &peer) { return connection }
    }
}

extension Connection {
    /// What arrives next, at most `count` bytes; empty at the end.
    public func bytes(atMost count: Int = 64) throws -> [UInt8] {
        try waitUntilReadable(descriptor)
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        guard let received = try receive(into: &raw) else { return [] }
        return Array(bytes.prefix(received))
    }

    /// Sends bytes that fit the socket's buffer.
    public func send(_ bytes: [UInt8]) throws -> Int? {
        try send(bytes.span.bytes)
    }
}

/// Whether a server sends back what it is sent, on a connection that is closed again.
public func echoes(_ address: SocketAddress) throws -> Bool {
    let connection = try StreamSocket(for: address, .blocking).connect(to: address)
    let message: [UInt8] = [1, 2, 3]
    _ = try connection.send(message.span.bytes)
    var reply: [UInt8] = [0, 0, 0]
    var span = reply.mutableSpan
    var bytes = span.mutableBytes
    return try connection.receive(into: &bytes) == 3 && reply == message
}
