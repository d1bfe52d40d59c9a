/// Bytes in a buffer of a ``BundleGroup`` that one completion brought.
@frozen public struct BufferPart: Sendable, Hashable {
    /// The buffer that they are in.
    public let buffer: UInt16
    /// Where in the buffer they begin, in bytes.
    public let start: Int
    /// How many bytes there are.
    public let count: Int

    @inlinable init(buffer: UInt16, start: Int, count: Int) {
        self.buffer = buffer
        self.start = start
        self.count = count
    }
}

/// What is still to be told of a completion: buffers of a ``BundleGroup`` in the order in which the kernel filled them.
@frozen public struct BufferRun: Sendable {
    /// The buffer that the next bytes are in.
    @usableFromInline var buffer: UInt16
    @usableFromInline var rest: Int
    @usableFromInline var isOver: Bool
    /// The kernel goes on filling the last buffer.
    @usableFromInline let hasMore: Bool

    /// Bytes that were not told of yet.
    @inlinable public var count: Int { rest }

    @inlinable init(first buffer: UInt16, count: Int, hasMore: Bool) {
        self.buffer = buffer
        rest = count
        self.hasMore = hasMore
        // Of a buffer that was used up nothing is told if nothing came, and it has to be given back all the same.
        isOver = count == 0 && hasMore
    }
}
