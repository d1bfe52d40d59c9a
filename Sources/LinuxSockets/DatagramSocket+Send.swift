import CSocketExtras
import Glibc
import LinuxDescriptors
public import SystemPackage

/// Sending: `send(2)`, `sendto(2)`, `sendmsg(2)`. A datagram is sent whole or not at all.
///
/// All of them return false when the socket does not wait and there is no room: in its own buffer, or for unix sockets in
/// the receiver's queue. All of them throw `EMSGSIZE` for more than a datagram can have (65 507 bytes of UDP over IPv4; the
/// send buffer of unix sockets); `ECONNREFUSED` of an earlier datagram, or of a unix socket that is gone; `ENOBUFS`;
/// `EPERM` when a firewall forbids it; `ENETUNREACH`, `EHOSTUNREACH`.
extension DatagramSocket {
    /// Sends a datagram to where the socket is connected.
    ///
    /// - Returns: false if there is no room and it does not wait: nothing was sent.
    /// - Throws: `EDESTADDRREQ` of a UDP socket that is not connected, `ENOTCONN` of such a unix socket; and see
    ///   ``DatagramSocket``.
    public func send(_ bytes: RawSpan, options: SendOptions = []) throws(Errno) -> Bool {
        let number = owned.descriptor.rawValue
        let flags = options.rawValue | CInt(MSG_NOSIGNAL)
        return try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) -> Bool in
            try nonblockingSystemCall { unsafe Glibc.send(number, buffer.baseAddress, buffer.count, flags) } != nil
        }
    }

    /// Sends a datagram to an address. A UDP socket that is connected sends this one there all the same.
    ///
    /// - Returns: false if there is no room and it does not wait: nothing was sent.
    /// - Throws: `EINVAL` for port 0; `EACCES` for a broadcast address; `EAFNOSUPPORT` or `EINVAL` for another family's; of
    ///   a unix address `ENOENT`, `ECONNREFUSED`, and `EPERM` when that socket is connected to somebody else.
    public func send(_ bytes: RawSpan, to address: SocketAddress, options: SendOptions = []) throws(Errno) -> Bool {
        let number = owned.descriptor.rawValue
        let flags = options.rawValue | CInt(MSG_NOSIGNAL)
        return try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) -> Bool in
            let sent = try nonblockingSystemCall {
                unsafe address.withSocketAddress {
                    unsafe sendto(number, buffer.baseAddress, buffer.count, flags, $0, $1)
                }
            }
            return sent != nil
        }
    }

    /// Sends a datagram that is made of two pieces of memory (`sendmsg(2)`).
    ///
    /// - Parameters:
    ///   - first: how it begins, a header say.
    ///   - second: how it goes on.
    ///   - address: where to; nil for where the socket is connected.
    ///   - options: how to send.
    /// - Returns: false if there is no room and it does not wait: nothing was sent.
    /// - Throws: what ``send(_:options:)->Bool`` and ``send(_:to:options:)`` throw.
    public func send(
        _ first: RawSpan, _ second: RawSpan, to address: SocketAddress? = nil, options: SendOptions = []
    ) throws(Errno) -> Bool {
        var parts = unsafe MessageParts(first, second)
        return try unsafe send(&parts, to: address, options)
    }

    /// Sends a datagram that is made of three pieces of memory (`sendmsg(2)`).
    public func send(
        _ first: RawSpan, _ second: RawSpan, _ third: RawSpan, to address: SocketAddress? = nil,
        options: SendOptions = []
    ) throws(Errno) -> Bool {
        var parts = unsafe MessageParts(first, second, third)
        return try unsafe send(&parts, to: address, options)
    }

    private func send(
        _ parts: inout MessageParts, to address: SocketAddress?, _ options: SendOptions
    ) throws(Errno) -> Bool {
        let (socket, flags) = (owned.descriptor, options.rawValue)
        guard let address else { return try unsafe parts.send(to: socket, flags) != nil }
        // The address's memory is lent to a closure that cannot throw.
        let result = unsafe address.withSocketAddress { name, length in
            Result { () throws(Errno) in try unsafe parts.send(to: socket, flags, name, length) }
        }
        return try result.get() != nil
    }
}
