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

/// Names one request of one ``DescriptorRing`` from its `prepare` method until the event with which it ends.
///
/// After that it names nothing: neither a later request nor one of another ring.
@frozen public struct RingRequest: Sendable, Hashable {
    @usableFromInline let identifier: UInt64
    @usableFromInline let ring: UInt32

    @inlinable init(identifier: UInt64, ring: UInt32) {
        self.identifier = identifier
        self.ring = ring
    }
}

/// What a request of a ``DescriptorRing`` does, or what else an event tells of.
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
    /// Takes connections into slots of the ring.
    case acceptIntoSlot
    /// Changes what a poll waits for.
    case pollUpdate
    /// Closes, as a part of a ``RequestChain``.
    case close
    /// Limits the time of the request before it in a ``RequestChain``.
    case limit
    /// Sends a message to another ring.
    case post
    /// No request: a message that another ring sent to this one.
    case message
    /// No request: somebody used a ``RingWaker`` of this ring.
    case wake
}
