import LinuxDescriptors
public import SystemPackage

/// Names a descriptor of a ``DescriptorRing`` for one life: from its insertion to its removal.
@frozen public struct RingToken: Sendable, Hashable {
    /// Small, and unique within the ring while the descriptor is in it.
    public let index: UInt32
    @usableFromInline let generation: UInt32

    @inlinable init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// What a request of the descriptor carries: the generation, the operation and the index, 32, 8 and 24 bits.
    @inlinable static func userData(_ token: RingToken, _ operation: RingOperation) -> UInt64 {
        UInt64(token.generation) << 32 | UInt64(operation.rawValue) << 24 | UInt64(token.index)
    }

    @inlinable init(userData: UInt64) {
        index = UInt32(truncatingIfNeeded: userData & 0xff_ffff)
        generation = UInt32(truncatingIfNeeded: userData >> 32)
    }

    /// The most descriptors that a ring can own.
    @usableFromInline static let capacity = 1 << 24
}

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

    /// Those that can be pending on a descriptor.
    static let requests: [RingOperation] = [.accept, .poll, .receive, .send]
}

/// A completion of a descriptor that is in the ring.
@frozen public struct RingEvent: Sendable, Hashable {
    /// Whose completion it is.
    public let token: RingToken
    /// What was asked for.
    public let operation: RingOperation
    /// What the kernel answered; its own token is the ring's affair.
    public let completion: Completion

    @inlinable init(_ completion: Completion) {
        token = RingToken(userData: completion.token)
        operation = RingOperation(rawValue: UInt8(truncatingIfNeeded: completion.token >> 24)) ?? .cancel
        self.completion = completion
    }

    /// What the system call would have returned; an error number below 0. Of an accept it is a descriptor, which the
    /// receiver of the event then owns.
    @inlinable public var result: Int32 { completion.result }

    /// The error, if the request failed.
    @inlinable public var error: Errno? { completion.error }

    /// False when the request ended and, if wanted, must be queued again.
    @inlinable public var isArmed: Bool { completion.isArmed }

    /// Closes the connection of an accept that nobody else will ever know of.
    func closeConnection() {
        guard operation == .accept && result >= 0 else { return }
        _ = OwnedDescriptor(owning: FileDescriptor(rawValue: result))
    }
}
