/// The requests that a ``DescriptorRing`` has pending, by index.
///
/// The kernel carries the index and a generation that the entry has for one request, so a completion that others caused
/// names nothing here. Generations begin anywhere, so that small numbers of others do not happen to be right.
@safe @usableFromInline struct RequestTable: ~Copyable {
    @unsafe @usableFromInline struct Request {
        /// Odd while the request is pending.
        @usableFromInline var generation: UInt32
        @usableFromInline var slot: UInt32 = .max
        /// Neighbours among the requests of the slot; `next` of a free entry is the next free one.
        @usableFromInline var next: UInt32
        @usableFromInline var previous: UInt32 = .max
        /// What ``content`` says that it is.
        @usableFromInline var buffer: UnsafeMutableRawPointer?
        @usableFromInline var operation = RingOperation.cancel
        @usableFromInline var content = RingContent.nothing

        init(generation: UInt32, next: UInt32) {
            unsafe self.generation = generation
            unsafe self.next = next
            unsafe buffer = nil
        }
    }

    /// An index that names nothing.
    @inlinable static var none: UInt32 { .max }

    @usableFromInline var requests: UnsafeMutablePointer<Request>
    @usableFromInline var capacity: UInt32
    @usableFromInline var firstFree: UInt32

    init() {
        capacity = 0
        firstFree = Self.none
        unsafe requests = .allocate(capacity: 1)
        grow()
    }

    @inlinable deinit { unsafe requests.deallocate() }

    /// Twice as many entries; more than 16 777 216 do not fit what the kernel carries.
    @usableFromInline @inline(never) mutating func grow() {
        let wanted = max(64, capacity * 2)
        precondition(wanted <= 1 << 24, "a ring has at most 16 777 216 requests pending")
        let larger = UnsafeMutablePointer<Request>.allocate(capacity: Int(wanted))
        unsafe larger.update(from: requests, count: Int(capacity))
        for index in capacity..<wanted {
            let generation = UInt32.random(in: 0...UInt32.max) & ~1
            let next = index + 1 == wanted ? firstFree : index + 1
            unsafe (larger + Int(index)).initialize(to: Request(generation: generation, next: next))
        }
        unsafe requests.deallocate()
        unsafe requests = unsafe larger
        firstFree = capacity
        capacity = wanted
    }

    /// What the kernel is to carry for the next request that begins.
    @inlinable @inline(__always) mutating func nextIdentifier() -> UInt64 {
        if firstFree == Self.none { grow() }
        return unsafe UInt64(firstFree) << 32 | UInt64(requests[Int(firstFree)].generation | 1)
    }

    /// What the kernel carries for a pending request.
    func identifier(_ index: UInt32) -> UInt64 {
        unsafe UInt64(index) << 32 | UInt64(requests[Int(index)].generation)
    }

    /// The entry that an identifier names while its request is pending.
    @inlinable @inline(__always) func find(_ identifier: UInt64) -> UnsafeMutablePointer<Request>? {
        let index = identifier >> 32
        guard index < UInt64(capacity) else { return nil }
        let request = unsafe requests + Int(truncatingIfNeeded: index)
        // Odd, as it is while the request is pending.
        return unsafe request.pointee.generation == UInt32(truncatingIfNeeded: identifier) | 1 ? request : nil
    }

    /// Enters the request for which ``nextIdentifier()`` was asked last.
    @inlinable @inline(__always) mutating func begin(
        _ operation: RingOperation, on slot: UInt32, _ first: inout UInt32, _ content: RingContent = .nothing,
        buffer: UnsafeMutableRawPointer? = nil
    ) {
        let index = firstFree
        let request = unsafe requests + Int(index)
        firstFree = unsafe request.pointee.next
        unsafe request.pointee.generation |= 1
        unsafe request.pointee.slot = slot
        unsafe request.pointee.operation = operation
        unsafe request.pointee.content = content
        unsafe request.pointee.buffer = unsafe buffer
        unsafe request.pointee.previous = Self.none
        unsafe request.pointee.next = first
        if first != Self.none { unsafe requests[Int(first)].previous = index }
        first = index
    }

    /// Removes a request.
    @inlinable @inline(__always) mutating func end(
        _ request: UnsafeMutablePointer<Request>, _ first: inout UInt32
    ) {
        let (next, previous) = unsafe (request.pointee.next, request.pointee.previous)
        let index = unsafe UInt32(truncatingIfNeeded: request - requests)
        if next != Self.none { unsafe requests[Int(next)].previous = previous }
        if previous != Self.none { unsafe requests[Int(previous)].next = next } else { first = next }
        unsafe request.pointee.generation &+= 1
        unsafe request.pointee.next = firstFree
        firstFree = index
    }
}

/// What the completion of a request brings, and what the request keeps until then.
@usableFromInline enum RingContent: UInt8 {
    case nothing
    /// A ``RequestBuffer``.
    case buffer
    /// A descriptor, if it succeeds.
    case descriptor
    /// A ``GroupBuffer``.
    case groupBuffer
    /// One buffer of a group that the request names, if data came.
    case fromGroup
    // From here on a completion takes more than to find its request.
    /// Nothing that the user sees.
    case cancel
    /// A slot of the ring, if it succeeds.
    case slot
    /// The end of the token's descriptor, if it succeeds.
    case close
    /// Nothing, and it may come after the end of the token's descriptor.
    case limit
    /// The count of the ring's waker, in a ``RequestBuffer`` that is used again.
    case wake
    /// Buffers of a group that the request names, if data came.
    case bundleFromGroup
    /// A ``GroupBundle``.
    case bundle

    @inlinable @inline(__always) var isPlain: Bool { rawValue <= Self.fromGroup.rawValue }
}

extension RequestTable.Request {
    /// Frees the buffer of a request that will not complete any more, or gives it back to its group.
    @unsafe mutating func freeBuffer() {
        guard let buffer = unsafe buffer else { return }
        switch unsafe content {
        case .buffer, .wake: _ = unsafe RequestBuffer(buffer.assumingMemoryBound(to: RequestBuffer.Header.self))
        case .groupBuffer: _ = unsafe GroupBuffer(buffer.assumingMemoryBound(to: GroupBuffer.Entry.self))
        case .nothing, .descriptor, .fromGroup, .bundleFromGroup, .bundle, .cancel, .slot, .close, .limit: return
        }
        unsafe self.buffer = nil
        unsafe content = .nothing
    }
}
