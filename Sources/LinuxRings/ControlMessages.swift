import CIOUring
import Glibc
public import SystemPackage

/// Control data: what a message carries beside its bytes (`cmsg(3)`), such as descriptors, credentials, the address that
/// a datagram was sent to, time stamps.
extension MessageBuffer {
    /// Calls `body` with each part of the control data that came, or is to be sent.
    ///
    /// Descriptors that came (`SCM_RIGHTS`) are open and nobody's until somebody takes them: see ``ControlMessage``.
    ///
    /// - Precondition: no request works on the message.
    public func forEachControlMessage<Failure: Error>(
        _ body: (ControlMessage, RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        ensureOwn()
        let count = unsafe min(Int(header.pointee.msg_controllen), controlCapacity)
        let bytes = unsafe RawSpan(_unsafeStart: controlStart, byteCount: count)
        try forEachControlMessageIn(bytes, body)
    }

    /// Adds a part to the control data that is to be sent.
    ///
    /// - Throws: `ENOBUFS` if there is no room for it: its size rounded up to 8, and 16.
    /// - Precondition: no request works on the message.
    public mutating func appendControl(_ kind: ControlMessage, _ bytes: RawSpan) throws(Errno) {
        ensureOwn()
        let used = unsafe Int(header.pointee.msg_controllen)
        let length = ControlMessage.headerBytes + bytes.byteCount
        let room = ControlMessage.aligned(length)
        guard room <= controlCapacity - used else { throw .noBufferSpace }
        let start = unsafe controlStart + used
        unsafe start.storeBytes(of: length, as: Int.self)
        unsafe start.storeBytes(of: kind.level, toByteOffset: MemoryLayout<Int>.size, as: CInt.self)
        unsafe start.storeBytes(of: kind.type, toByteOffset: MemoryLayout<Int>.size + 4, as: CInt.self)
        unsafe bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe (start + ControlMessage.headerBytes).copyMemory(from: base, byteCount: source.count)
        }
        unsafe header.pointee.msg_controllen = .init(used + room)
    }

    /// Forgets the control data. Descriptors that came with it and were not taken stay open.
    ///
    /// - Precondition: no request works on the message.
    public mutating func removeControl() {
        ensureOwn()
        unsafe header.pointee.msg_controllen = 0
    }
}

/// What a part of control data is: level and type of a `cmsghdr` (`cmsg(3)`).
///
/// Descriptors are received with close-on-exec set, and are to be taken at once:
///
/// ```swift
/// message.forEachControlMessage { kind, bytes in
///     guard kind == .descriptors else { return }
///     for offset in stride(from: 0, to: bytes.byteCount, by: 4) {
///         let number = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: CInt.self)
///         take(OwnedDescriptor(owning: FileDescriptor(rawValue: number)))
///     }
/// }
/// ```
@frozen public struct ControlMessage: Sendable, Hashable {
    /// The protocol that it belongs to, such as `SOL_SOCKET`.
    public let level: CInt
    /// What it is, in that protocol.
    public let type: CInt

    /// Names a kind of control data.
    @inlinable public init(level: CInt, type: CInt) {
        self.level = level
        self.type = type
    }

    /// `SCM_RIGHTS` of `SOL_SOCKET` (`unix(7)`): descriptors, 4 bytes each.
    @inlinable public static var descriptors: Self { Self(level: 1, type: 1) }
    /// `SCM_CREDENTIALS` of `SOL_SOCKET` (`unix(7)`): process, user and group of the sender.
    @inlinable public static var credentials: Self { Self(level: 1, type: 2) }
    /// `IP_PKTINFO` of `IPPROTO_IP` (`ip(7)`): the interface, and the address that a datagram was sent to.
    @inlinable public static var ipv4PacketInformation: Self { Self(level: 0, type: 8) }
    /// `IPV6_PKTINFO` of `IPPROTO_IPV6` (`ipv6(7)`).
    @inlinable public static var ipv6PacketInformation: Self { Self(level: 41, type: 50) }

    /// The kernel's `cmsghdr`: a length of a machine word, level and type.
    static var headerBytes: Int { MemoryLayout<Int>.size + 8 }

    static func aligned(_ length: Int) -> Int { (length + MemoryLayout<Int>.size - 1) & ~(MemoryLayout<Int>.size - 1) }
}

/// Walks over control data, and ends at a part that says of itself that it is longer than what is there.
func forEachControlMessageIn<Failure: Error>(
    _ bytes: RawSpan, _ body: (ControlMessage, RawSpan) throws(Failure) -> Void
) throws(Failure) {
    var offset = 0
    while bytes.byteCount - offset >= ControlMessage.headerBytes {
        let length = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int.self)
        guard length >= ControlMessage.headerBytes, length <= bytes.byteCount - offset else { return }
        let level = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + MemoryLayout<Int>.size, as: CInt.self)
        let type = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + MemoryLayout<Int>.size + 4, as: CInt.self)
        let content = bytes.extracting(offset + ControlMessage.headerBytes..<offset + length)
        try body(ControlMessage(level: level, type: type), content)
        // The last one may lack what would align the next.
        offset += min(ControlMessage.aligned(length), bytes.byteCount - offset)
    }
}
