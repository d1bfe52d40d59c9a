public import LinuxDescriptors
public import SystemPackage

/// A completion of a descriptor that is in the ring.
///
/// It owns what it brings, a connection or the buffer of its request; what is not taken is closed or freed with it, or
/// given back to its group. A connection in a slot is the ring's from the beginning (``accepted``).
/// Taking it ends the event, so read the rest before. (Swift 6.3 wants ``operation`` in a variable of its own for a
/// `switch` in which the event is taken.)
@safe @frozen public struct RingEvent: ~Copyable {
    @usableFromInline let parts: RingEventParts

    @inlinable init(_ parts: RingEventParts) { unsafe self.parts = unsafe parts }

    @inlinable deinit { if unsafe parts.ownsSomething { unsafe parts.end() } }

    /// Whose completion it is; ``DescriptorRing/ownToken`` of a message and of a wake.
    @inlinable public var token: RingToken { unsafe parts.token }

    /// What was asked for.
    @inlinable public var operation: RingOperation { unsafe parts.operation }

    /// What the system call would have returned: bytes received or sent, or what a poll found; an error number
    /// below 0. 0 bytes received is the end of the peer's stream. Of a message it is its value, and of a wake how many
    /// there were, which can be 0.
    @inlinable public var result: Int32 { unsafe parts.result }

    /// The error, if the request failed.
    ///
    /// One of an accept for which `Errno.isShortage` is true leaves the connection in the listener's queue. Queuing the
    /// accept again at once would fail again at once: close something first, or wait a moment.
    @inlinable public var error: Errno? { result < 0 ? Errno(rawValue: -result) : nil }

    /// False when the request ended and, if wanted, must be queued again.
    @inlinable public var isArmed: Bool { unsafe parts.isArmed }

    /// What a poll found; nothing of other requests and of one that failed.
    @inlinable public var readiness: Ring.PollEvents {
        guard operation == .poll, result > 0 else { return [] }
        return Ring.PollEvents(rawValue: UInt32(bitPattern: result))
    }

    /// The connection that an accept into slots brought, which the ring owns already; nil of other requests and of one
    /// that failed. It stays in the ring until it is closed, taken or not.
    @inlinable public var accepted: RingToken? {
        guard unsafe parts.content == .slot else { return nil }
        return unsafe RingToken(
            index: UInt32(bitPattern: parts.result), generation: parts.detail, ring: parts.token.ring)
    }

    /// The connection that an accept brought.
    ///
    /// - Throws: the error, if the accept failed.
    /// - Precondition: it is the event of an accept.
    @inlinable public consuming func takeDescriptor() throws(Errno) -> OwnedDescriptor {
        let parts = unsafe parts
        precondition(unsafe parts.content == .descriptor, "only an accept brings a connection")
        discard self
        if unsafe parts.result < 0 { throw unsafe Errno(rawValue: -parts.result) }
        return unsafe OwnedDescriptor(owning: FileDescriptor(rawValue: parts.result))
    }

    /// The buffer of a receive or a send: with what was received behind what it held, or without what was sent.
    ///
    /// - Precondition: it is the event of a request that was given a ``RequestBuffer``.
    @inlinable public consuming func takeBuffer() -> RequestBuffer {
        let parts = unsafe parts
        precondition(unsafe parts.content == .buffer, "only a receive into or a send from a RequestBuffer has one")
        guard let buffer = unsafe parts.buffer else { preconditionFailure("a buffer without its memory") }
        discard self
        let header = unsafe buffer.assumingMemoryBound(to: RequestBuffer.Header.self)
        let count = unsafe Int(max(parts.result, 0))
        if unsafe parts.operation == .receive {
            unsafe header.pointee.upper += count
        } else {
            unsafe header.pointee.lower += count
        }
        return unsafe RequestBuffer(header)
    }

    /// True if it has a buffer of a group, for ``takeGroupBuffer()``: a receive that failed has none.
    @inlinable public var hasGroupBuffer: Bool { unsafe parts.content == .groupBuffer }

    /// The buffer of a group: with what was received, or without what was sent.
    ///
    /// - Precondition: it is the event of a receive from a group that brought data, or of a send of a ``GroupBuffer``.
    @inlinable public consuming func takeGroupBuffer() -> GroupBuffer {
        let parts = unsafe parts
        precondition(
            unsafe parts.content == .groupBuffer, "only data from a group, and a send of it, has such a buffer")
        guard let buffer = unsafe parts.buffer else { preconditionFailure("a buffer without its memory") }
        discard self
        let entry = unsafe buffer.assumingMemoryBound(to: GroupBuffer.Entry.self)
        if unsafe parts.operation == .send { unsafe entry.pointee.lower += Int(max(parts.result, 0)) }
        return unsafe GroupBuffer(entry)
    }
}

extension RingEvent {
    /// True if it has buffers of a group, for ``takeBundle()``: a receive that failed has none.
    @inlinable public var hasBundle: Bool { unsafe parts.content == .bundle }

    /// The buffers of a group with what was received, in their order.
    ///
    /// - Precondition: it is the event of a receive of bundles that brought data (``hasBundle``).
    @inlinable public consuming func takeBundle() -> GroupBundle {
        let parts = unsafe parts
        precondition(unsafe parts.content == .bundle, "only data of a receive of bundles has buffers")
        guard let buffer = unsafe parts.buffer else { preconditionFailure("a bundle without its memory") }
        discard self
        return unsafe GroupBundle(buffer.assumingMemoryBound(to: GroupBuffer.Entry.self), count: Int(parts.detail))
    }
}

/// An event whose ownership the ring still keeps track of.
@unsafe @usableFromInline struct RingEventParts {
    @usableFromInline let token: RingToken
    @usableFromInline let operation: RingOperation
    @usableFromInline let isArmed: Bool
    @usableFromInline let content: RingContent
    @usableFromInline let result: Int32
    /// The generation of the token in ``result``, or how many buffers a bundle has.
    @usableFromInline let detail: UInt32
    /// What ``content`` says that it is.
    @usableFromInline let buffer: UnsafeMutableRawPointer?

    @inlinable init(
        token: RingToken, operation: RingOperation, isArmed: Bool, _ content: RingContent, result: Int32,
        detail: UInt32 = 0, buffer: UnsafeMutableRawPointer? = nil
    ) {
        unsafe self.token = token
        unsafe self.operation = operation
        unsafe self.isArmed = isArmed
        unsafe self.content = content
        unsafe self.result = result
        unsafe self.detail = detail
        unsafe self.buffer = unsafe buffer
    }

    @inlinable var ownsSomething: Bool { unsafe content != .nothing }

    /// Closes the connection, frees the buffer, or gives it back to its group: nobody else will ever know of it.
    ///
    /// - Parameter isOurs: false where numbers were closed behind the ring's back, so that others may have them by now.
    @usableFromInline func end(closing isOurs: Bool = true) {
        switch unsafe content {
        case .descriptor:
            if unsafe isOurs && result >= 0 {
                _ = unsafe OwnedDescriptor(owning: FileDescriptor(rawValue: result))
            }
        case .buffer:
            guard let buffer = unsafe buffer else { return }
            _ = unsafe RequestBuffer(buffer.assumingMemoryBound(to: RequestBuffer.Header.self))
        case .groupBuffer:
            guard let buffer = unsafe buffer else { return }
            _ = unsafe GroupBuffer(buffer.assumingMemoryBound(to: GroupBuffer.Entry.self))
        case .bundle:
            guard let buffer = unsafe buffer else { return }
            _ = unsafe GroupBundle(buffer.assumingMemoryBound(to: GroupBuffer.Entry.self), count: Int(detail))
        case .nothing, .fromGroup, .bundleFromGroup, .cancel, .slot, .close, .limit, .wake: return
        }
    }
}
