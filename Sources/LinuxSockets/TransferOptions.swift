// The numbers are the kernel's, on every architecture: C libraries disagree on what kind of constant the names are.

/// The `flags` of `recv(2)` that a caller may choose.
@frozen public struct ReceiveOptions: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: CInt

    /// Takes the flags as the kernel has them.
    @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

    /// `MSG_PEEK`: what is received stays, and is received again.
    @inlinable public static var peek: Self { Self(rawValue: 0x2) }
    /// `MSG_DONTWAIT`: nothing is waited for, even if the socket is a blocking one.
    @inlinable public static var withoutWaiting: Self { Self(rawValue: 0x40) }
    /// `MSG_WAITALL`: a blocking stream socket waits until all of the room is filled, the peer ends or an error comes. A signal
    /// also ends it with what there is, if there is something. It means nothing to a nonblocking socket, nor to datagrams.
    @inlinable public static var waitAll: Self { Self(rawValue: 0x100) }
}

/// The `flags` of `send(2)` that a caller may choose. `MSG_NOSIGNAL` is always set, so there is no `SIGPIPE`.
@frozen public struct SendOptions: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: CInt

    /// Takes the flags as the kernel has them.
    @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

    /// `MSG_DONTWAIT`: room is not waited for, even if the socket is a blocking one.
    @inlinable public static var withoutWaiting: Self { Self(rawValue: 0x40) }
    /// `MSG_MORE`: more follows at once. TCP waits for it up to 200 ms rather than send a segment that is not full; UDP
    /// makes one datagram of all that is sent up to a call without it.
    @inlinable public static var more: Self { Self(rawValue: 0x8000) }
}
