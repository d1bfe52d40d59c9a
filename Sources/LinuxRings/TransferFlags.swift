/// How something is received: the flags of `recv(2)` and `recvmsg(2)`, and those of io_uring's own.
@frozen public struct ReceiveFlags: OptionSet, Sendable, Hashable {
    /// The flags of `recv(2)`, and from bit 32 on those that io_uring has in `ioprio`.
    public let rawValue: UInt64

    /// Takes the flags as ``rawValue`` has them.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// `MSG_PEEK`: leave the bytes where they are, to be received again.
    @inlinable public static var peek: Self { Self(rawValue: 0x02) }
    /// `MSG_TRUNC`: of a datagram, the result is its whole length, even if less fits. Of TCP: drop the bytes instead of
    /// copying them.
    @inlinable public static var truncate: Self { Self(rawValue: 0x20) }
    /// `MSG_DONTWAIT`: complete with `EAGAIN` when nothing is there.
    @inlinable public static var doNotWait: Self { Self(rawValue: 0x40) }
    /// `MSG_WAITALL` (Linux 5.19 for io_uring's part): complete when all that fits has come, on the end of a stream, or
    /// on an error, and not before.
    @inlinable public static var waitAll: Self { Self(rawValue: 0x100) }
    /// `MSG_ERRQUEUE`: take what lies in the error queue (`recv(2)`), such as ICMP errors and time stamps.
    @inlinable public static var errorQueue: Self { Self(rawValue: 0x2000) }
    /// `IORING_RECVSEND_POLL_FIRST` (Linux 5.19): wait until there is something before trying, for sockets that are
    /// known to have nothing. Saves a look that would be in vain.
    @inlinable public static var pollFirst: Self { Self(rawValue: 1 << 32) }
    /// `IORING_RECVSEND_BUNDLE` (Linux 6.10), of receives from a group only: one completion brings as many buffers as
    /// have arrived, or fewer, and ``BundleGroup`` tells which. With messages, and on older kernels, the request fails
    /// with `EINVAL`. When the group runs out, a receive that completes many times ends with its last bytes, and without
    /// `ENOBUFS`.
    @inlinable public static var bundle: Self { Self(rawValue: 1 << 36) }

    @inlinable var message: CInt { CInt(truncatingIfNeeded: rawValue) }
    @inlinable var request: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 32) }
}

/// How something is sent: the flags of `send(2)` and `sendmsg(2)`, and those of io_uring's own. `MSG_NOSIGNAL` is
/// always among them.
@frozen public struct SendFlags: OptionSet, Sendable, Hashable {
    /// The flags of `send(2)`, and from bit 32 on those that io_uring has in `ioprio`.
    public let rawValue: UInt64

    /// Takes the flags as ``rawValue`` has them.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// `MSG_DONTWAIT`: complete with `EAGAIN` when there is no room.
    @inlinable public static var doNotWait: Self { Self(rawValue: 0x40) }
    /// `MSG_EOR`: ends a record, of sockets that have them.
    @inlinable public static var endOfRecord: Self { Self(rawValue: 0x80) }
    /// `MSG_WAITALL` (Linux 5.19): of a stream, complete when all is sent or on an error, and not after a part.
    @inlinable public static var waitAll: Self { Self(rawValue: 0x100) }
    /// `MSG_CONFIRM`: the peer is known to be reachable, so its neighbour entry stays.
    @inlinable public static var confirm: Self { Self(rawValue: 0x800) }
    /// `MSG_MORE`: more follows at once, so a packet that is not full may wait for it.
    @inlinable public static var more: Self { Self(rawValue: 0x8000) }
    /// `IORING_RECVSEND_POLL_FIRST` (Linux 5.19): wait for room before trying.
    @inlinable public static var pollFirst: Self { Self(rawValue: 1 << 32) }
    /// `IORING_SEND_ZC_REPORT_USAGE` (Linux 6.2), of zero-copy sends only: the notification tells whether the kernel
    /// copied after all (``Completion/wasCopied``).
    @inlinable public static var reportUsage: Self { Self(rawValue: 1 << 35) }

    @inlinable var message: CInt { CInt(truncatingIfNeeded: rawValue) }
    @inlinable var request: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 32) }
}

/// What `recvmsg(2)` says of a message: `msg_flags`.
@frozen public struct MessageFlags: OptionSet, Sendable, Hashable {
    /// The flags as the kernel has them.
    public let rawValue: UInt32

    /// Takes the flags as the kernel has them, but for `MSG_CMSG_CLOEXEC`, which it only repeats.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue & ~0x4000_0000 }

    /// `MSG_OOB`: it is urgent data.
    @inlinable public static var outOfBand: Self { Self(rawValue: 0x01) }
    /// `MSG_CTRUNC`: not all control data had room. Descriptors that had none are closed.
    @inlinable public static var controlTruncated: Self { Self(rawValue: 0x08) }
    /// `MSG_TRUNC`: the datagram was longer than the room for it, and the rest is lost.
    @inlinable public static var truncated: Self { Self(rawValue: 0x20) }
    /// `MSG_EOR`: it ends a record.
    @inlinable public static var endOfRecord: Self { Self(rawValue: 0x80) }
    /// `MSG_ERRQUEUE`: it comes from the error queue.
    @inlinable public static var errorQueue: Self { Self(rawValue: 0x2000) }
}
