import Glibc
public import SystemPackage

/// A file descriptor with exactly one owner, closed when the owner ends.
///
/// The type cannot be copied, so a descriptor cannot be closed twice, and after ``close()`` or ``release()`` the
/// compiler rejects every further use. Code that only uses a descriptor takes the ``BorrowedDescriptor`` of
/// ``descriptor``, which has no way to close it and must not outlive the owner.
@frozen public struct OwnedDescriptor: ~Copyable, Sendable {
    @usableFromInline let number: CInt

    /// Takes ownership of a descriptor that is open and has no other owner.
    ///
    /// - Precondition: the number is not negative. The result of a call or of a completion that failed is no
    ///   descriptor.
    @inlinable public init(owning descriptor: FileDescriptor) {
        precondition(descriptor.rawValue >= 0, "a negative number is an error and no descriptor")
        number = descriptor.rawValue
    }

    /// Stands for the owner of a descriptor while it is lent, and must be released before it ends.
    @inlinable init(lent descriptor: BorrowedDescriptor) {
        number = descriptor.rawValue
    }

    /// The descriptor, borrowed: valid as long as this owner lives.
    @inlinable public var descriptor: BorrowedDescriptor { BorrowedDescriptor(rawValue: number) }

    /// Closes the descriptor and reports what `close(2)` said.
    ///
    /// Linux frees the number before it can fail, so the call is never repeated, not even after `EINTR`.
    /// It waits only where the file does: a blocking socket with `SO_LINGER` for its unsent bytes, as long as that says,
    /// and a file on a network for its server.
    @inlinable public consuming func close() throws(Errno) {
        let result = closeDescriptor(number)
        discard self
        if result != 0 { throw Errno(rawValue: result) }
    }

    /// Gives the descriptor away: the caller owns it from here on.
    @inlinable public consuming func release() -> FileDescriptor {
        let number = number
        discard self
        return FileDescriptor(rawValue: number)
    }

    /// A second descriptor for the same open file description: see ``BorrowedDescriptor/duplicate()``.
    public func duplicate() throws(Errno) -> OwnedDescriptor { try descriptor.duplicate() }

    @inlinable deinit {
        _ = closeDescriptor(number)
    }
}

/// `close(2)`: 0 or the error number.
@usableFromInline func closeDescriptor(_ number: CInt) -> CInt {
    Glibc.close(number) == 0 ? 0 : errno
}
