public import LinuxDescriptors
public import SystemPackage

/// What a server does with a descriptor that the set owns.
extension InterestSet {
    /// Reads what has arrived at a socket, at most what fits (`recv(2)`, `MSG_DONTWAIT`).
    ///
    /// - Returns: the number of bytes, 0 after the peer's last byte, nil if nothing is there.
    /// - Throws: `ENOENT` for a token that is not live; what `BorrowedDescriptor.receive(into:waiting:)` throws.
    @inlinable public func receive(
        from token: InterestToken, into bytes: inout MutableRawSpan
    ) throws(Errno) -> Int? {
        guard holds(token) else { throw .noSuchFileOrDirectory }
        return try token.descriptor.receive(into: &bytes, waiting: false)
    }

    /// Sends as much as the socket's buffer takes (`send(2)`, `MSG_DONTWAIT`, `MSG_NOSIGNAL`).
    ///
    /// - Returns: the number of bytes taken, which may be fewer than given; nil if there is no room. Keep what was not
    ///   taken, watch for ``EpollEvents/writable``, and send it then.
    /// - Throws: `ENOENT` for a token that is not live; what `BorrowedDescriptor.send(_:waiting:)` throws.
    @inlinable public func send(_ bytes: RawSpan, to token: InterestToken) throws(Errno) -> Int? {
        guard holds(token) else { throw .noSuchFileOrDirectory }
        return try token.descriptor.send(bytes, waiting: false)
    }

    /// Uses a descriptor as a value of the type that fits its file, a listener say, which `body` cannot close.
    ///
    /// - Parameters:
    ///   - token: whose descriptor.
    ///   - kind: what its file is; the kernel says `ENOTSOCK` and the like if it is something else.
    ///   - body: what to do with it.
    /// - Returns: what `body` returns; nil for a token that is not live.
    @inlinable public func with<Owner: DescriptorOwner & ~Copyable, Result: ~Copyable, Failure: Error>(
        _ token: InterestToken, as kind: Owner.Type, _ body: (borrowing Owner) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard holds(token) else { return nil }
        return try token.descriptor.with(kind, body)
    }
}
