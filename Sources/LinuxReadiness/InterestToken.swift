import LinuxDescriptors

/// Names a descriptor in an ``InterestSet`` for one life: from its insertion to its removal.
///
/// Only the set that gave it out takes it; to any other it names nothing.
@frozen public struct InterestToken: Sendable, Hashable {
    /// What the kernel's registration carries: the generation above the number, 32 bits each.
    @usableFromInline let life: UInt64
    /// Which set gave it out.
    @usableFromInline let set: UInt32

    @inlinable init(life: UInt64, set: UInt32) {
        self.life = life
        self.set = set
    }

    init(_ descriptor: BorrowedDescriptor, generation: UInt32, set: UInt32) {
        self.init(life: Life.make(descriptor, generation: generation), set: set)
    }

    /// The descriptor's number: small, and unique within the set while the descriptor is in it.
    @inlinable public var number: Int { Life.number(life) }
}

/// The 64 bits that an event carries.
@usableFromInline enum Life {
    static func make(_ descriptor: BorrowedDescriptor, generation: UInt32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor.rawValue))
    }

    @inlinable static func number(_ life: UInt64) -> Int { Int(truncatingIfNeeded: life & 0xffff_ffff) }
    @inlinable static func generation(_ life: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: life >> 32) }
}

/// An event of a descriptor that is in the set.
@frozen public struct InterestEvent: Sendable, Hashable {
    /// Whose event it is.
    public let token: InterestToken
    /// What happened.
    public let events: EpollEvents

    @inlinable init(token: InterestToken, events: EpollEvents) {
        self.token = token
        self.events = events
    }
}
