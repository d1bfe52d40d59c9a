import Glibc
public import SystemPackage

/// A descriptor that somebody else owns: it can be used, and not closed.
///
/// It is a plain number: the compiler does not tie it to its owner, so the borrower must not use it after the owner
/// closed the descriptor. ``OwnedDescriptor`` is the type that closes.
@frozen public struct BorrowedDescriptor: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number that the kernel knows it by.
    public let rawValue: CInt

    /// Stands for a descriptor that is open elsewhere.
    @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

    /// Borrows a descriptor of swift-system.
    @inlinable public init(_ descriptor: FileDescriptor) { rawValue = descriptor.rawValue }

    /// Descriptor 0.
    @inlinable public static var standardInput: Self { Self(rawValue: 0) }
    /// Descriptor 1.
    @inlinable public static var standardOutput: Self { Self(rawValue: 1) }
    /// Descriptor 2.
    @inlinable public static var standardError: Self { Self(rawValue: 2) }

    /// `descriptor 7`.
    public var description: String { "descriptor \(rawValue)" }

    /// A second descriptor for the same open file description, with close-on-exec set (`F_DUPFD_CLOEXEC` of `fcntl(2)`).
    ///
    /// - Throws: `EBADF`; `EMFILE`.
    public func duplicate() throws(Errno) -> OwnedDescriptor {
        let number = rawValue
        let copy = try systemCall { fcntl(number, F_DUPFD_CLOEXEC, 0) }
        return OwnedDescriptor(owning: FileDescriptor(rawValue: copy))
    }

    /// Says whether calls that would have to wait fail with `EAGAIN` instead (`O_NONBLOCK`, `F_SETFL` of `fcntl(2)`).
    ///
    /// It belongs to the open file description, which duplicates share, in other processes too: who inherited standard
    /// input changes it for the shell as well.
    ///
    /// - Throws: `EBADF`.
    public func setNonblocking(_ isNonblocking: Bool = true) throws(Errno) {
        let number = rawValue
        let flags = try systemCall { fcntl(number, F_GETFL) }
        let wanted = isNonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
        if wanted != flags { _ = try systemCall { fcntl(number, F_SETFL, wanted) } }
    }
}
