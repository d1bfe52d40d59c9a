import Synchronization

/// Names a descriptor of one ``DescriptorRing`` for one life: from its insertion to its removal.
///
/// Another ring does not know it, even if its own tokens look alike.
@frozen public struct RingToken: Sendable, Hashable {
    /// Small, and unique within the ring while the descriptor is in it.
    public let index: UInt32
    @usableFromInline let generation: UInt32
    @usableFromInline let ring: UInt32

    @inlinable init(index: UInt32, generation: UInt32, ring: UInt32) {
        self.index = index
        self.generation = generation
        self.ring = ring
    }

    /// A number that no other ring of the process has.
    static func nextRing() -> UInt32 { rings.add(1, ordering: .relaxed).newValue }
}

private let rings = Atomic<UInt32>(0)

/// What a request of a ``DescriptorRing`` does.
@frozen public enum RingOperation: UInt8, Sendable, Hashable {
    /// Takes connections.
    case accept
    /// Waits for readiness.
    case poll
    /// Receives.
    case receive
    /// Sends.
    case send
    /// Ends requests; never seen by the user.
    case cancel
}
