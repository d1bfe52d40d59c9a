public import LinuxDescriptors
public import SystemPackage

/// A completion of a descriptor that is in the ring.
///
/// It owns what it brings, a connection or the buffer of its request; what is not taken is closed or freed with it.
/// Taking it ends the event, so read the rest before. (Swift 6.3 wants ``operation`` in a variable of its own for a
/// `switch` in which the event is taken.)
@safe @frozen public struct RingEvent: ~Copyable {
    @usableFromInline let parts: RingEventParts

    @inlinable init(_ parts: RingEventParts) { unsafe self.parts = unsafe parts }

    @inlinable deinit { if unsafe parts.ownsSomething { unsafe parts.end() } }

    /// Whose completion it is.
    @inlinable public var token: RingToken { unsafe parts.token }

    /// What was asked for.
    @inlinable public var operation: RingOperation { unsafe parts.operation }

    /// What the system call would have returned: bytes received or sent, or what a poll found; an error number
    /// below 0. 0 bytes received is the end of the peer's stream.
    @inlinable public var result: Int32 { unsafe parts.result }

    /// The error, if the request failed.
    ///
    /// One of an accept for which `Errno.isShortage` is true leaves the connection in the listener's queue. Queuing the
    /// accept again at once would fail again at once: close something first, or wait a moment.
    @inlinable public var error: Errno? { result < 0 ? Errno(rawValue: -result) : nil }

    /// False when the request ended and, if wanted, must be queued again.
    @inlinable public var isArmed: Bool { unsafe parts.isArmed }

    /// The connection that an accept brought.
    ///
    /// - Throws: the error, if the accept failed.
    /// - Precondition: it is the event of an accept.
    @inlinable public consuming func takeDescriptor() throws(Errno) -> OwnedDescriptor {
        let parts = unsafe parts
        precondition(unsafe parts.operation == .accept, "only an accept brings a connection")
        discard self
        if unsafe parts.result < 0 { throw unsafe Errno(rawValue: -parts.result) }
        return unsafe OwnedDescriptor(owning: FileDescriptor(rawValue: parts.result))
    }

    /// The buffer of a receive or a send: with what was received behind what it held, or without what was sent.
    ///
    /// - Precondition: it is the event of a receive or a send.
    @inlinable public consuming func takeBuffer() -> RequestBuffer {
        let parts = unsafe parts
        guard let header = unsafe parts.buffer else { preconditionFailure("only a receive or a send has a buffer") }
        discard self
        let count = unsafe Int(max(parts.result, 0))
        if unsafe parts.operation == .receive {
            unsafe header.pointee.upper += count
        } else {
            unsafe header.pointee.lower += count
        }
        return unsafe RequestBuffer(header)
    }
}

/// An event whose ownership the ring still keeps track of.
@unsafe @usableFromInline struct RingEventParts {
    @usableFromInline let token: RingToken
    @usableFromInline let operation: RingOperation
    @usableFromInline let isArmed: Bool
    @usableFromInline let result: Int32
    @usableFromInline let buffer: UnsafeMutablePointer<RequestBuffer.Header>?

    @inlinable init(
        token: RingToken, operation: RingOperation, isArmed: Bool, result: Int32,
        buffer: UnsafeMutablePointer<RequestBuffer.Header>?
    ) {
        unsafe self.token = token
        unsafe self.operation = operation
        unsafe self.isArmed = isArmed
        unsafe self.result = result
        unsafe self.buffer = unsafe buffer
    }

    @inlinable var ownsSomething: Bool { unsafe operation == .accept || buffer != nil }

    /// Closes the connection, or frees the buffer, that nobody else will ever know of.
    ///
    /// - Parameter isOurs: false where numbers were closed behind the ring's back, so that others may have them by now.
    @usableFromInline func end(closing isOurs: Bool = true) {
        if unsafe isOurs && operation == .accept && result >= 0 {
            _ = unsafe OwnedDescriptor(owning: FileDescriptor(rawValue: result))
        }
        if let buffer = unsafe buffer { _ = unsafe RequestBuffer(buffer) }
    }
}
