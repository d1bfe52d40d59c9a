/// A type that owns one descriptor and knows what kind of file it is: a listener, a connection, a counter.
///
/// A type that conforms must not be copyable, and must close its descriptor in no other way than by ending or by a
/// consuming method: a borrowed value of it stands for a descriptor that is only lent
/// (``BorrowedDescriptor/with(_:_:)``).
public protocol DescriptorOwner: ~Copyable {
    /// Takes a descriptor over, which must be of the kind of file that the type stands for.
    init(owning descriptor: consuming OwnedDescriptor)

    /// Gives the descriptor away.
    consuming func release() -> OwnedDescriptor
}

extension BorrowedDescriptor {
    /// Uses the descriptor as a value of the type that fits its file, which `body` can use and not close:
    ///
    /// ```swift
    /// let sent = try descriptor.with(Connection.self) { (connection) throws(Errno) in try connection.send(bytes) }
    /// ```
    ///
    /// - Parameters:
    ///   - kind: what the file is; the kernel says `ENOTSOCK` and the like if it is something else.
    ///   - body: what to do with it.
    @inlinable public func with<Owner: DescriptorOwner & ~Copyable, Result: ~Copyable, Failure: Error>(
        _ kind: Owner.Type, _ body: (borrowing Owner) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let owner = Owner(owning: OwnedDescriptor(lent: self))
        let result: Result
        do {
            result = try body(owner)
        } catch {
            _ = owner.release().release()
            throw error
        }
        _ = owner.release().release()
        return result
    }
}
