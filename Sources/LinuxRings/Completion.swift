public import CIOUring
public import SystemPackage

/// One completion: a copy of an `io_uring_cqe`.
@frozen public struct Completion: Sendable, Hashable {
    /// What was given with the submission.
    public let token: UInt64
    /// What the system call would have returned; an error number below 0.
    public let result: Int32
    /// What else the kernel says.
    public let flags: CompletionFlags

    @inlinable init(_ entry: io_uring_cqe) {
        token = entry.user_data
        result = entry.res
        flags = CompletionFlags(rawValue: entry.flags)
    }

    /// The error, if the request failed.
    @inlinable public var error: Errno? { result < 0 ? Errno(rawValue: -result) : nil }

    /// False when the request ended: a multishot request without ``CompletionFlags/more`` must be armed again.
    @inlinable public var isArmed: Bool { flags.contains(.more) }

    /// The buffer that the kernel picked from a group, if it did.
    @inlinable public var bufferIdentifier: UInt16? {
        flags.contains(.buffer) ? UInt16(truncatingIfNeeded: flags.rawValue >> 16) : nil
    }
}
