import CSocketExtras
import Glibc
import LinuxDescriptors
public import SystemPackage

/// Receiving: `recv(2)`, `recvfrom(2)`, `recvmsg(2)`. With `MSG_TRUNC` they return a datagram's length even if it is cut (of
/// unix sockets since Linux 3.4).
extension DatagramSocket {
    /// Receives a datagram, of which as much is kept as fits.
    ///
    /// With no room at all it says how long the datagram is, and drops it unless it is ``ReceiveOptions/peek``.
    ///
    /// - Returns: nil if nothing is there and it does not wait.
    /// - Throws: `ECONNREFUSED` and `EHOSTUNREACH` of an earlier datagram that was sent; `ENOMEM`.
    public func receive(
        into bytes: inout MutableRawSpan, options: ReceiveOptions = []
    ) throws(Errno) -> ReceivedDatagram? {
        let number = owned.descriptor.rawValue
        let flags = options.rawValue | CInt(MSG_TRUNC)
        let length = try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(Errno) -> Int? in
            try nonblockingSystemCall { unsafe recv(number, buffer.baseAddress, buffer.count, flags) }
        }
        return length.map { ReceivedDatagram(length: $0, room: bytes.byteCount) }
    }

    /// Receives a datagram and tells who sent it.
    ///
    /// - Parameters:
    ///   - bytes: where it goes.
    ///   - peer: set to the sender's address; to nil if it has none, such as a unix socket that is not bound. Left alone if
    ///     nothing is there. An Internet address takes no memory of its own.
    ///   - options: how to receive.
    /// - Returns: nil if nothing is there and it does not wait.
    /// - Throws: what ``receive(into:options:)->ReceivedDatagram?`` throws.
    public func receive(
        into bytes: inout MutableRawSpan, from peer: inout SocketAddress?, options: ReceiveOptions = []
    ) throws(Errno) -> ReceivedDatagram? {
        let number = owned.descriptor.rawValue
        let flags = options.rawValue | CInt(MSG_TRUNC)
        var sender = NativeAddress()
        let length = try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(Errno) -> Int? in
            try unsafe sender.withRoom { (room, size) throws(Errno) -> Int? in
                try nonblockingSystemCall {
                    unsafe recvfrom(number, buffer.baseAddress, buffer.count, flags, room, &size)
                }
            }
        }
        guard let length else { return nil }
        peer = sender.address
        return ReceivedDatagram(length: length, room: bytes.byteCount)
    }

    /// Receives a datagram into two pieces of memory, of which the second takes what does not fit the first
    /// (`recvmsg(2)`).
    ///
    /// - Parameters:
    ///   - first: where it begins, a header say.
    ///   - second: where it goes on.
    ///   - peer: as of ``receive(into:from:options:)``.
    ///   - options: how to receive.
    /// - Returns: nil if nothing is there and it does not wait.
    /// - Throws: what ``receive(into:options:)->ReceivedDatagram?`` throws.
    public func receive(
        into first: inout MutableRawSpan, _ second: inout MutableRawSpan, from peer: inout SocketAddress?,
        options: ReceiveOptions = []
    ) throws(Errno) -> ReceivedDatagram? {
        var parts = unsafe MessageParts(&first, &second)
        return try unsafe receive(&parts, from: &peer, options)
    }

    /// Receives a datagram into three pieces of memory, one after the other (`recvmsg(2)`).
    public func receive(
        into first: inout MutableRawSpan, _ second: inout MutableRawSpan, _ third: inout MutableRawSpan,
        from peer: inout SocketAddress?, options: ReceiveOptions = []
    ) throws(Errno) -> ReceivedDatagram? {
        var parts = unsafe MessageParts(&first, &second, &third)
        return try unsafe receive(&parts, from: &peer, options)
    }

    private func receive(
        _ parts: inout MessageParts, from peer: inout SocketAddress?, _ options: ReceiveOptions
    ) throws(Errno) -> ReceivedDatagram? {
        var sender = NativeAddress()
        let flags = options.rawValue | CInt(MSG_TRUNC)
        guard let length = try unsafe parts.receive(from: owned.descriptor, flags, peer: &sender) else { return nil }
        peer = sender.address
        return ReceivedDatagram(length: length, room: unsafe parts.byteCount)
    }
}
