public import CIOUring
public import LinuxDescriptors
public import SystemPackage

/// One completion: a copy of an `io_uring_cqe`.
///
/// It cannot be copied, so a descriptor or slot that it brings is taken once. A bare ring does not know which results
/// are descriptors: one that nobody takes stays open, as any number does that nobody owns. ``DescriptorRing`` knows.
@frozen public struct Completion: ~Copyable, Sendable {
    /// What was given with the submission.
    public let token: UInt64
    /// What the system call would have returned; an error number below 0.
    public let result: Int32
    /// What else the kernel says.
    public let flags: CompletionFlags

    @inlinable init(_ raw: RawCompletion) {
        token = raw.token
        result = raw.result
        flags = CompletionFlags(rawValue: raw.flags)
    }

    /// The error, if the request failed. A notification has none: its result is no result
    /// (``CompletionFlags/notification``).
    @inlinable public var error: Errno? {
        result < 0 && !flags.contains(.notification) ? Errno(rawValue: -result) : nil
    }

    /// False when the request ended: a multishot request without ``CompletionFlags/more`` must be armed again.
    @inlinable public var isArmed: Bool { flags.contains(.more) }

    /// The buffer that the kernel picked from a group, if it did.
    @inlinable public var bufferIdentifier: UInt16? {
        flags.contains(.buffer) ? UInt16(truncatingIfNeeded: flags.rawValue >> 16) : nil
    }

    /// The descriptor that an accept brought, which the caller then owns.
    ///
    /// Only of completions of accepts into descriptors: of another request the result is no descriptor, and taking it
    /// for one would close somebody else's.
    ///
    /// - Throws: the error, if the request failed.
    @inlinable public consuming func takeDescriptor() throws(Errno) -> OwnedDescriptor {
        if result < 0 { throw Errno(rawValue: -result) }
        return OwnedDescriptor(owning: FileDescriptor(rawValue: result))
    }

    /// The slot that an accept into slots brought, which the caller then has to close.
    ///
    /// - Throws: the error, if the request failed.
    @inlinable public consuming func takeSlot() throws(Errno) -> Slot {
        if result < 0 { throw Errno(rawValue: -result) }
        return Slot(UInt32(bitPattern: result))
    }
}

/// What the kernel posted, before anybody knows what it means.
@usableFromInline struct RawCompletion {
    @usableFromInline var token: UInt64
    @usableFromInline let result: Int32
    @usableFromInline let flags: UInt32

    @inlinable init(_ entry: io_uring_cqe) {
        token = entry.user_data
        result = entry.res
        flags = entry.flags
    }

    /// The request is still armed (`IORING_CQE_F_MORE`).
    @inlinable var hasMore: Bool { flags & CompletionFlags.more.rawValue != 0 }

    /// The kernel picked a buffer of a group (`IORING_CQE_F_BUFFER`).
    @inlinable var hasBuffer: Bool { flags & CompletionFlags.buffer.rawValue != 0 }
}
