import CSocketExtras
import Glibc
import LinuxDescriptors
public import SystemPackage

/// Datagrams that came together, or one: the kernel puts those of one sender and of one length behind each other.
@frozen public struct ReceivedSegments: Sendable, Hashable {
    /// How many bytes they have together.
    public let length: Int
    /// How many of them are where they were received to. The rest is lost.
    public let count: Int
    /// The length of each; the last one has what is left, which may be less.
    public let segmentBytes: Int

    /// True if they did not fit (`MSG_TRUNC`).
    @inlinable public var isTruncated: Bool { count < length }

    /// How many datagrams they are: 1 also of an empty one.
    @inlinable public var datagrams: Int { max(1, (length + segmentBytes - 1) / max(segmentBytes, 1)) }
}

/// Many datagrams by one call, as one piece of memory: `UDP_GRO` and `UDP_SEGMENT` of `udp(7)`.
///
/// ```swift
/// try setSocketOption(.coalescing, on: socket.descriptor)
/// if let segments = try socket.receiveSegments(into: &room, from: &peer), let peer {
///     // Each datagram goes back as it came.
///     _ = try socket.sendSegments(bytes.extracting(0..<segments.count), of: segments.segmentBytes, to: peer)
/// }
/// ```
extension DatagramSocket {
    /// The most datagrams that one ``sendSegments(_:of:to:options:)`` takes on every kernel (`UDP_MAX_SEGMENTS`).
    public static var maximumSegments: Int { 64 }

    /// Receives a datagram, or several that came together if ``SocketOption/coalescing`` is set (`recvmsg(2)`).
    ///
    /// They have 65 535 bytes at the most: with less room the last of them can be lost.
    ///
    /// - Parameters:
    ///   - bytes: where they go.
    ///   - peer: set to the sender's address; to nil if it has none. Left alone if nothing is there.
    ///   - options: how to receive.
    /// - Returns: nil if nothing is there and it does not wait.
    /// - Throws: what ``receive(into:options:)->ReceivedDatagram?`` throws.
    public func receiveSegments(
        into bytes: inout MutableRawSpan, from peer: inout SocketAddress?, options: ReceiveOptions = []
    ) throws(Errno) -> ReceivedSegments? {
        let number = owned.descriptor.rawValue
        let flags = options.rawValue | CInt(MSG_TRUNC)
        var sender = NativeAddress()
        var segmentBytes = 0
        let length = try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(Errno) -> Int? in
            try unsafe sender.withRoom { (room, size) throws(Errno) -> Int? in
                var vector = unsafe iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
                var control = c_control()
                return try unsafe withMessage(room, size, &vector, &control) { (header) throws(Errno) -> Int? in
                    let length = try nonblockingSystemCall { unsafe recvmsg(number, header, flags) }
                    size = unsafe header.pointee.msg_namelen
                    if length != nil { segmentBytes = unsafe Int(c_segment_bytes(header)) }
                    return length
                }
            }
        }
        guard let length else { return nil }
        peer = sender.address
        return ReceivedSegments(
            length: length, count: min(length, bytes.byteCount), segmentBytes: segmentBytes > 0 ? segmentBytes : length)
    }

    /// Sends bytes as datagrams of one length, the last one of what is left, which may be less (`sendmsg(2)`,
    /// `UDP_SEGMENT`, Linux 4.18). All are sent, or none is.
    ///
    /// - Parameters:
    ///   - bytes: what is sent, 65 507 bytes at the most over IPv4.
    ///   - segmentBytes: the length of each, 1 to 65 535; as much as a datagram can have that is not to be divided again.
    ///   - address: where to; nil for where the socket is connected.
    ///   - options: how to send.
    /// - Returns: false if there is no room and it does not wait: nothing was sent.
    /// - Throws: what ``send(_:to:options:)`` throws; `EINVAL` for more than ``maximumSegments``, on some kernels for more
    ///   than 128, and for datagrams longer than the path takes in one packet; `EIO` where the network card cannot
    ///   add checksums.
    /// - Precondition: `segmentBytes` is 1 to 65 535.
    public func sendSegments(
        _ bytes: RawSpan, of segmentBytes: Int, to address: SocketAddress? = nil, options: SendOptions = []
    ) throws(Errno) -> Bool {
        precondition((1...65_535).contains(segmentBytes), "a datagram has 1 to 65535 bytes")
        // A kernel that does not know the control data would refuse even one datagram.
        guard bytes.byteCount > segmentBytes else {
            guard let address else { return try send(bytes, options: options) }
            return try send(bytes, to: address, options: options)
        }
        guard let address else { return try unsafe send(bytes, of: segmentBytes, options, nil, 0) != nil }
        // The address's memory is lent to a closure that cannot throw.
        let result = unsafe address.withSocketAddress { name, size in
            Result { () throws(Errno) in try unsafe send(bytes, of: segmentBytes, options, name, size) }
        }
        return try result.get() != nil
    }

    private func send(
        _ bytes: RawSpan, of segmentBytes: Int, _ options: SendOptions, _ name: UnsafePointer<sockaddr>?,
        _ size: socklen_t
    ) throws(Errno) -> Int? {
        let (number, flags) = (owned.descriptor.rawValue, options.rawValue | CInt(MSG_NOSIGNAL))
        return try unsafe bytes.withUnsafeBytes { (buffer) throws(Errno) -> Int? in
            let start = unsafe UnsafeMutableRawPointer(mutating: buffer.baseAddress)
            var vector = unsafe iovec(iov_base: start, iov_len: buffer.count)
            var control = c_control()
            let room = unsafe UnsafeMutablePointer(mutating: name)
            return try unsafe withMessage(room, size, &vector, &control) { (header) throws(Errno) -> Int? in
                let control = unsafe header.pointee.msg_control.assumingMemoryBound(to: c_control.self)
                unsafe c_set_segment_bytes(header, control, UInt16(segmentBytes))
                return try nonblockingSystemCall { unsafe sendmsg(number, header, flags) }
            }
        }
    }
}

/// Lends a message with room for an address, one piece of memory and control data.
private func withMessage<Result>(
    _ name: UnsafeMutablePointer<sockaddr>?, _ nameBytes: socklen_t, _ vector: inout iovec, _ control: inout c_control,
    _ body: (UnsafeMutablePointer<msghdr>) throws(Errno) -> Result
) throws(Errno) -> Result {
    try unsafe withUnsafeMutablePointer(to: &vector) { (vector) throws(Errno) -> Result in
        try unsafe withUnsafeMutablePointer(to: &control) { (control) throws(Errno) -> Result in
            var header = unsafe msghdr()
            unsafe header.msg_name = UnsafeMutableRawPointer(name)
            unsafe header.msg_namelen = nameBytes
            unsafe header.msg_iov = vector
            unsafe header.msg_iovlen = 1
            unsafe header.msg_control = UnsafeMutableRawPointer(control)
            unsafe header.msg_controllen = .init(MemoryLayout<c_control>.size)
            return try unsafe body(&header)
        }
    }
}
