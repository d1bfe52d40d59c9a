import CIOUring
public import SystemPackage

/// Buffers from which the kernel picks some when data arrives, of which one completion can bring several, or parts of
/// them.
///
/// A completion names the first buffer that was used and how many bytes came. With ``ReceiveFlags/bundle`` (Linux 6.10)
/// they go on in the next buffers, in the order in which the kernel got them, which this group remembers; where the buffer
/// ring ends, they go on at its beginning. Of a group that is consumed incrementally (`IOU_PBUF_RING_INC`, Linux 6.12) the
/// kernel fills a buffer bit by bit, with what comes for all receives that use the group, and a completion says whether it
/// goes on with the last buffer (``CompletionFlags/bufferHasMore``).
///
/// ```swift
/// var run = group.run(of: completion)
/// while let part = group.nextPart(of: &run) {
///     parse(group.contents(of: part))
///     group.recycle(part)
/// }
/// ```
///
/// - The completions of one group must be taken in the order in which they come, each of its parts once, and nothing else
///   may use the group: reads and messages may, too, but receives of messages leave parts unused.
/// - The parts of a completion hold the bytes of its stream in their order. Before Linux 6.16 and the updates of that time
///   of older kernels a bundle could leave a gap in a buffer that no completion tells of, from Linux 6.13.11 on.
/// - Without a free buffer a receive ends with `ENOBUFS`, or after the last bytes of a bundle; when it is queued again
///   while none is free it ends at once.
/// - It can be registered once, with one ``Ring``, which keeps its memory, as that of a ``BufferGroup``.
@safe @frozen public struct BundleGroup: ~Copyable {
    @usableFromInline var group: BufferGroup
    @usableFromInline let states: UnsafeMutablePointer<State>
    /// The buffer that the kernel got last.
    @usableFromInline var last: UInt16
    /// Whether the kernel consumes a buffer bit by bit.
    public let isIncremental: Bool
    @usableFromInline var free: Int

    /// What is known of a buffer.
    @unsafe @usableFromInline struct State {
        /// The buffer that the kernel got after this one; of no group if there is none.
        @usableFromInline var next: UInt16
        /// Whether the kernel will put something into it.
        @usableFromInline var isFree = true
        /// Parts of it that somebody has.
        @usableFromInline var parts: UInt32 = 0
        /// Bytes that completions told of.
        @usableFromInline var filled = 0

        init(next: UInt16) { unsafe self.next = next }
    }

    /// Allocates `count` buffers of `bytes`.
    ///
    /// - Parameters:
    ///   - identifier: the group's number within its ring.
    ///   - count: how many, rounded up to a power of two.
    ///   - bytes: what the kernel may fill of each.
    ///   - headroom: bytes before each buffer that the kernel leaves alone.
    ///   - isIncremental: whether the kernel fills a buffer bit by bit.
    /// - Precondition: that of ``BufferGroup/init(identifier:count:bytes:headroom:)``.
    public init(identifier: UInt16, count: Int, bytes: Int, headroom: Int = 0, isIncremental: Bool = false) {
        group = BufferGroup(identifier: identifier, count: count, bytes: bytes, headroom: headroom)
        self.isIncremental = isIncremental
        free = group.count
        last = UInt16(group.count - 1)
        unsafe states = .allocate(capacity: group.count)
        for index in 0..<group.count {
            let next = UInt16(index + 1)
            unsafe (states + index).initialize(to: State(next: index + 1 < group.count ? next : .max))
        }
    }

    deinit { unsafe states.deallocate() }

    /// The group's number within its ring.
    @inlinable public var identifier: UInt16 { group.identifier }
    /// How many buffers there are, a power of two.
    @inlinable public var count: Int { group.count }
    /// What the kernel may fill of each, in bytes.
    @inlinable public var bytes: Int { group.bytes }
    /// Bytes before each buffer that the kernel leaves alone.
    @inlinable public var headroom: Int { group.headroom }
    /// Buffers that the kernel has, as far as the completions that were taken tell; one that it has begun to fill is among
    /// them.
    @inlinable public var freeBuffers: Int { free }

    // MARK: What a completion brought

    /// What a completion brought, to be taken part by part, before that of the next completion is; without a part if it
    /// brought no buffer.
    ///
    /// - Precondition: it is the completion of a request that uses this group.
    @inlinable public func run(of completion: borrowing Completion) -> BufferRun {
        guard let first = completion.bufferIdentifier else { return BufferRun(first: .max, count: 0, hasMore: true) }
        return BufferRun(
            first: first, count: Int(max(completion.result, 0)),
            hasMore: completion.flags.contains(.bufferHasMore))
    }

    /// The next bytes of what a completion brought, which are yours until they are given back (``recycle(_:)``); nil when
    /// all were told of. Only a buffer that was used for nothing gives a part without bytes.
    @inlinable public mutating func nextPart(of run: inout BufferRun) -> BufferPart? {
        if run.isOver { return nil }
        precondition(Int(run.buffer) < count, "a completion of another group, or not taken in order")
        let (buffer, state) = unsafe (run.buffer, states + Int(run.buffer))
        let start = unsafe state.pointee.filled
        let length = min(run.rest, bytes &- start)
        run.rest &-= length
        unsafe state.pointee.filled = start &+ length
        unsafe state.pointee.parts &+= 1
        run.isOver = run.rest == 0
        if !run.isOver { run.buffer = unsafe state.pointee.next }
        if !run.isOver || !run.hasMore {
            unsafe state.pointee.isFree = false
            free &-= 1
        }
        return BufferPart(buffer: buffer, start: start, count: length)
    }

    // MARK: Bytes

    /// The bytes of a part, yours until it is given back.
    @unsafe @inlinable public func memory(of part: BufferPart) -> UnsafeMutableRawPointer {
        unsafe group.memory(of: part.buffer) + part.start
    }

    /// The bytes of a part, readable until the group is used otherwise.
    ///
    /// - Precondition: it is a part of a buffer of the group.
    @inlinable @_lifetime(borrow self) public func contents(of part: BufferPart) -> RawSpan {
        precondition(Int(part.buffer) < count && part.start &+ part.count <= bytes, "a part of another group")
        let span = unsafe RawSpan(_unsafeStart: memory(of: part), byteCount: part.count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Gives a part back. The kernel gets the buffer again when it is done with it and no other part of it is out.
    ///
    /// - Precondition: the part was not given back before; more than are out is noticed.
    @inlinable public mutating func recycle(_ part: BufferPart) {
        precondition(Int(part.buffer) < count, "a part of another group")
        let state = unsafe states + Int(part.buffer)
        precondition(unsafe state.pointee.parts > 0, "a part that was given back already")
        unsafe state.pointee.parts &-= 1
        if unsafe state.pointee.parts == 0 && !state.pointee.isFree { giveBack(part.buffer) }
    }

    @usableFromInline mutating func giveBack(_ buffer: UInt16) {
        unsafe states[Int(buffer)] = State(next: .max)
        // The one before may be the same, if there is only one.
        unsafe states[Int(last)].next = buffer
        last = buffer
        free &+= 1
        group.recycle(buffer)
    }
}

extension Ring {
    /// Hands the buffers to the kernel, and keeps their memory from then on, as ``register(_:)-(BufferGroup)`` does.
    ///
    /// - Throws: `EINVAL` before Linux 5.19, and before 6.12 for a group that is consumed incrementally; `EEXIST` when the
    ///   ring has a group of this number, `EBUSY` for a group that was registered before.
    public mutating func register(_ group: borrowing BundleGroup) throws(Errno) {
        try register(group.group, flags: group.isIncremental ? C_IOU_PBUF_RING_INC : 0)
    }

    /// Whether the kernel takes a group that it is to consume incrementally, which has no bit and no operation of its own.
    mutating func takesIncrementalBuffers() -> Bool {
        let group = BufferGroup(identifier: 0, count: 1, bytes: 1)
        let result = unsafe c_io_uring_register_buffer_group(&ring, group.entries, 1, 0, C_IOU_PBUF_RING_INC)
        if result == 0 { _ = unsafe io_uring_unregister_buf_ring(&ring, 0) }
        return result == 0
    }
}
