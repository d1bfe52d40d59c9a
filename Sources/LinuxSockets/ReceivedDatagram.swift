/// What a datagram was received as.
@frozen public struct ReceivedDatagram: Sendable, Hashable {
    /// How long it is, in bytes; 0 of an empty one, which is no end.
    public let length: Int
    /// How many of its bytes are where they were received to. The rest is lost, unless it was only peeked at.
    public let count: Int

    /// True if it did not fit (`MSG_TRUNC`).
    @inlinable public var isTruncated: Bool { count < length }

    @inlinable init(length: Int, room: Int) {
        self.length = length
        count = min(length, room)
    }
}
