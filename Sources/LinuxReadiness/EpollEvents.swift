public import CEpoll

/// What an epoll registration asks for and what an event reports: the `events` mask of `epoll_ctl(2)`.
///
/// The kernel does not say so when it does not know a flag: it ignores it.
@frozen public struct EpollEvents: OptionSet, Sendable, Hashable {
    /// The mask as the kernel has it.
    public let rawValue: UInt32

    /// Takes the mask as the kernel has it.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `EPOLLIN`: a read, or an accept, would not wait.
    @inlinable public static var readable: Self { Self(rawValue: 1 << 0) }
    /// `EPOLLOUT`: a write would not wait.
    @inlinable public static var writable: Self { Self(rawValue: 1 << 2) }
    /// `EPOLLPRI`: urgent data.
    @inlinable public static var priority: Self { Self(rawValue: 1 << 1) }
    /// `EPOLLRDHUP`: the peer will send nothing more.
    @inlinable public static var peerClosed: Self { Self(rawValue: 1 << 13) }
    /// `EPOLLHUP`: both directions are shut. Reported whether asked for or not, and without
    /// ``edgeTriggered`` or ``oneShot`` by every wait again.
    ///
    /// So a registration that asks for nothing is no pause: once the peer is gone each wait returns at once. Remove the
    /// descriptor, or let `InterestSet` pause it.
    @inlinable public static var hangup: Self { Self(rawValue: 1 << 4) }
    /// `EPOLLERR`: an error is pending. Reported whether asked for or not, again and again like ``hangup``.
    @inlinable public static var error: Self { Self(rawValue: 1 << 3) }

    /// `EPOLLET`: report a change, not a state; read until `EAGAIN` before waiting again.
    @inlinable public static var edgeTriggered: Self { Self(rawValue: 1 << 31) }
    /// `EPOLLONESHOT`: report once, then nothing, ``hangup`` and ``error`` included, until the registration is modified.
    @inlinable public static var oneShot: Self { Self(rawValue: 1 << 30) }
    /// `EPOLLEXCLUSIVE` (Linux 4.5): of several sets that watch the descriptor, wake at least one instead of all.
    /// Valid only when a descriptor is added, never when it is modified.
    @inlinable public static var exclusive: Self { Self(rawValue: 1 << 28) }
}

/// One event as `epoll_wait(2)` returned it.
@frozen public struct EpollEvent: Sendable, Hashable {
    /// What happened.
    public let events: EpollEvents
    /// What was given when the descriptor was added: `epoll_data_t.u64`.
    public let token: UInt64

    @inlinable init(_ event: epoll_event) {
        events = unsafe EpollEvents(rawValue: event.events)
        unsafe token = event.data.u64
    }
}
