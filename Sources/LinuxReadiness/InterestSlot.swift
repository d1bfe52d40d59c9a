public import LinuxDescriptors

/// What an ``InterestSet`` knows of a descriptor number.
@frozen @usableFromInline struct InterestSlot {
    /// Odd while the number is in the set; one more with every insertion and every removal.
    @usableFromInline var generation: UInt32 = 0
    /// The events asked for.
    @usableFromInline var events: UInt32 = 0
    /// The generation that was live when the last wait began, if the number was removed since.
    var retiredGeneration: UInt32 = 0
    /// The wait after which it was removed.
    var retiredIn: UInt32 = 0
    /// The file that was inserted, as far as `fstat(2)` can tell.
    @usableFromInline var identity: FileIdentity?
    @usableFromInline var registration: Registration = .armed

    var isLive: Bool { generation & 1 == 1 }
    /// True if the kernel's set has the descriptor.
    var isRegistered: Bool { registration == .armed || registration == .fired }
    @inlinable var isOneShot: Bool { events & EpollEvents.oneShot.rawValue != 0 }
    var isExclusive: Bool { events & EpollEvents.exclusive.rawValue != 0 }
}

/// What the kernel has of a live descriptor: the set's only picture of it.
///
/// | | in the kernel's set | reports |
/// |---|---|---|
/// | `armed` | yes | yes |
/// | `fired` | yes | no, because it is one-shot and a wait brought its event |
/// | `leftOut` | no | no, because it had fired when the kernel's set was made anew |
/// | `paused` | no | no, because the user wants it so |
///
/// What moves it, and by which call of `epoll_ctl(2)`:
///
/// | | `armed` | `fired` | `leftOut` | `paused` |
/// |---|---|---|---|---|
/// | `wait` brings an event | `fired` if one-shot | | | |
/// | `nextEvent` | | | | |
/// | `modify` | `armed`, MOD | `armed`, MOD | `armed`, ADD | `paused` |
/// | `pause` | `paused`, DEL | `paused`, DEL | `paused` | `paused` |
/// | `resume` | `armed` | `fired` | `leftOut` | `armed`, ADD |
/// | rebuild | `armed`, ADD | `leftOut` | `leftOut` | `paused` |
///
/// Inserting begins with `armed`, removing and losing end it. The kernel disarms a one-shot registration when a wait
/// brings its event, not when the event is taken, so taking an event changes nothing.
@frozen @usableFromInline enum Registration: UInt8 {
    case armed, fired, leftOut, paused
}
