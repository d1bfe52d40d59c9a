public import CIOUring
public import LinuxDescriptors

/// Memory for one address that the kernel writes: where the connection came from that an accept brought.
///
/// It must live until the completion came, like all memory of requests; ``Ring`` does not see to that.
@safe @frozen public struct AddressBuffer: ~Copyable, Sendable {
    // Sendable although it is a pointer: the memory has no other owner.
    @usableFromInline nonisolated(unsafe) let base: UnsafeMutableRawPointer

    /// Room for a `sockaddr_storage`, and its length behind it.
    @inlinable static var roomBytes: Int { 128 }

    /// Allocates room for an address of any family.
    public init() {
        unsafe base = .allocate(byteCount: Self.roomBytes + MemoryLayout<socklen_t>.size, alignment: 16)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.roomBytes)
        unsafe length.initialize(to: 0)
    }

    /// Takes over what ``giveAway()`` gave.
    @inlinable init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    @inlinable consuming func giveAway() -> UnsafeMutableRawPointer {
        let base = unsafe base
        discard self
        return unsafe base
    }

    @inlinable deinit { unsafe base.deallocate() }

    @inlinable var length: UnsafeMutablePointer<socklen_t> {
        unsafe (base + Self.roomBytes).assumingMemoryBound(to: socklen_t.self)
    }

    @inlinable var address: UnsafeMutablePointer<sockaddr> { unsafe base.assumingMemoryBound(to: sockaddr.self) }

    /// Says how much room there is, as the kernel wants to know, and will say how much of it it has used.
    @inlinable func makeReady() { unsafe length.pointee = socklen_t(Self.roomBytes) }

    /// The address that the kernel wrote last, without a byte if it wrote none; read it when the completion came.
    @inlinable public var sockaddrBytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let count = unsafe min(Int(length.pointee), Self.roomBytes)
            let span = unsafe RawSpan(_unsafeStart: base, byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The address that the kernel wrote, as a value: `buffer.address(as: SocketAddress.self)`.
    @inlinable public func address<Address: SockaddrConvertible>(as type: Address.Type) -> Address {
        Address(sockaddr: sockaddrBytes)
    }
}
