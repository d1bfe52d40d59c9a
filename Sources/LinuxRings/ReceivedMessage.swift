/// A message in a buffer that the kernel picked: where its parts are, and what became of it.
///
/// It lives no longer than the bytes that it was made from.
@frozen public struct ReceivedMessage: ~Escapable {
    /// The sender's address: a `sockaddr` of its family, as the kernel has it. Empty of a socket that is connected.
    public let address: RawSpan
    /// Control data (`cmsg(3)`).
    @usableFromInline let control: RawSpan
    /// The bytes of the message.
    public let payload: RawSpan
    /// What the kernel says of it.
    public let flags: MessageFlags
    /// How long the message was: more than ``payload`` has when something was cut off and ``ReceiveFlags/truncate`` asked
    /// for the whole length.
    public let length: Int
    /// Whether the address is longer than the room for it.
    public let isAddressTruncated: Bool

    /// Finds the parts of a message that a multishot receive has put into a buffer.
    ///
    /// - Parameters:
    ///   - bytes: the buffer, as far as the completion's result says.
    ///   - layout: what the request was queued with.
    /// - Returns: nil if the bytes are too few to hold what the layout says: they come from another request.
    @_lifetime(copy bytes) public init?(_ bytes: RawSpan, _ layout: MessageLayout) {
        guard bytes.byteCount >= layout.overhead else { return nil }
        // struct io_uring_recvmsg_out: lengths of address, control data and payload, and flags.
        let addressLength = unsafe Int(bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self))
        let controlLength = unsafe Int(bytes.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let addressStart = MessageLayout.headerBytes
        let controlStart = addressStart + layout.addressCapacity
        address = bytes.extracting(addressStart..<addressStart + min(addressLength, layout.addressCapacity))
        control = bytes.extracting(controlStart..<controlStart + min(controlLength, layout.controlCapacity))
        payload = bytes.extracting(layout.overhead..<bytes.byteCount)
        length = unsafe Int(bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self))
        flags = unsafe MessageFlags(rawValue: bytes.unsafeLoadUnaligned(fromByteOffset: 12, as: UInt32.self))
        isAddressTruncated = addressLength > layout.addressCapacity
    }

    /// Calls `body` with each part of the control data. Descriptors among them are open and nobody's until somebody
    /// takes them: see ``ControlMessage``.
    public func forEachControlMessage<Failure: Error>(
        _ body: (ControlMessage, RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try forEachControlMessageIn(control, body)
    }
}

extension BufferGroup {
    /// The message that ``Ring/prepareMultishotReceiveMessage(_:from:_:receiveFlags:_:token:)`` has put into a buffer,
    /// readable until the group is used otherwise.
    ///
    /// - Parameters:
    ///   - buffer: the one that the completion names.
    ///   - count: the completion's result.
    ///   - layout: what the request was queued with.
    /// - Returns: nil if the bytes are too few to hold what the layout says.
    /// - Precondition: it is a buffer of the group, and has as many bytes.
    @_lifetime(borrow self) public func message(
        in buffer: UInt16, count: Int, _ layout: MessageLayout
    ) -> ReceivedMessage? {
        ReceivedMessage(contents(of: buffer, count: count), layout)
    }
}
