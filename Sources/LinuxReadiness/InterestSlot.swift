public import CEpoll
import LinuxDescriptors
import SystemPackage

/// What an ``InterestSet`` knows of a descriptor number.
@frozen @usableFromInline struct InterestSlot {
    /// Odd while the number is in the set; one more with every insertion and every removal.
    @usableFromInline var generation: UInt32 = 0
    /// The events asked for, and the two marks below.
    @usableFromInline var events: UInt32 = 0
    /// The generation that was live when the last wait began, if the number was removed since.
    var retiredGeneration: UInt32 = 0
    /// The wait after which it was removed.
    var retiredIn: UInt32 = 0

    init() {}

    var isLive: Bool { generation & 1 == 1 }

    @inlinable static var oneShot: UInt32 { EPOLLONESHOT.rawValue }
    /// A one-shot registration that has fired. The bit is none of the kernel's.
    @inlinable static var disarmed: UInt32 { 1 << 16 }
    /// A one-shot registration that had fired when the kernel's set was made anew, and so is not in it.
    static var absent: UInt32 { 1 << 17 }
}

/// Names a descriptor in an ``InterestSet`` for one life: from its insertion to its removal.
@frozen public struct InterestToken: Sendable, Hashable, RawRepresentable {
    /// The generation above the number, 32 bits each.
    public let rawValue: UInt64

    /// Takes what ``rawValue`` gave. Any other value names nothing, unless it is that of a live token.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    init(_ descriptor: BorrowedDescriptor, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor.rawValue))
    }

    /// The descriptor's number: small, and unique within the set while the descriptor is in it.
    @inlinable public var number: Int { Int(truncatingIfNeeded: rawValue & 0xffff_ffff) }

    @inlinable var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }

    /// False for what no set gave out: in an even generation the number is in no set.
    @inlinable var namesALife: Bool { rawValue >> 32 & 1 == 1 }
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

extension InterestSet {
    /// What went wrong with a set, counted. All but ``Incidents/staleEvents`` and ``Incidents/forks`` say that a
    /// descriptor was closed, or duplicated and closed, behind the set's back.
    @frozen public struct Incidents: Sendable, Hashable {
        /// Events of registrations that outlived their descriptors.
        public internal(set) var ghosts: UInt64 = 0
        /// Events of descriptors that were removed after the wait that brought the event: ordinary, and dropped.
        public internal(set) var staleEvents: UInt64 = 0
        /// Descriptors that were found to be closed, or their numbers somebody else's.
        public internal(set) var lostDescriptors: UInt64 = 0
        /// Forks that were noticed, in the child.
        public internal(set) var forks: UInt64 = 0
        /// Times the kernel's set was made anew.
        public internal(set) var rebuilds: UInt64 = 0
        /// Times it could not be, for want of descriptors, watches or memory, and ghosts stayed for the time being.
        public internal(set) var failedRebuilds: UInt64 = 0

        init() {}
    }
}
