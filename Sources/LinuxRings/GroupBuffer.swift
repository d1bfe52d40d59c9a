/// Names a group of buffers of one ``DescriptorRing``: see ``DescriptorRing/addBuffers(count:bytes:headroom:)``.
@frozen public struct RingBuffers: Sendable, Hashable {
    @usableFromInline let index: UInt16
    @usableFromInline let ring: UInt32

    init(index: UInt16, ring: UInt32) {
        self.index = index
        self.ring = ring
    }
}

/// A buffer of a group, with the bytes that a receive put into it.
///
/// The kernel has it again when this value ends, or at once with ``recycle()``: whoever keeps many of them lets the group
/// run out, and receives end with `ENOBUFS`. It may outlive the ring.
///
/// It belongs to the ring's thread, because giving it back writes where the ring's kernel side reads; what another thread
/// is to have is copied. It can be sent as it is (``DescriptorRing/prepareSend(_:from:)-(_,GroupBuffer)``), with
/// something in front if the group has headroom:
///
/// ```swift
/// var buffer = event.takeGroupBuffer()
/// buffer.prepend(header.span.bytes)
/// try ring.prepareSend(token, from: buffer)
/// ```
@safe @frozen public struct GroupBuffer: ~Copyable {
    @usableFromInline let entry: UnsafeMutablePointer<Entry>

    /// What is known of a buffer of a group while somebody has it.
    @unsafe @usableFromInline struct Entry {
        @usableFromInline let group: UnsafeMutablePointer<GroupState>
        /// Where its headroom begins.
        @usableFromInline let start: UnsafeMutableRawPointer
        @usableFromInline var lower = 0
        @usableFromInline var upper = 0
        @usableFromInline let identifier: UInt16
        /// The one that the kernel got after it, and so the one behind it in a ``GroupBundle``.
        @usableFromInline var next: UnsafeMutablePointer<Entry>?

        init(_ group: UnsafeMutablePointer<GroupState>, _ start: UnsafeMutableRawPointer, _ identifier: UInt16) {
            unsafe self.group = unsafe group
            unsafe self.start = unsafe start
            unsafe self.identifier = identifier
            unsafe next = nil
        }
    }

    @inlinable init(_ entry: UnsafeMutablePointer<Entry>) { unsafe self.entry = entry }

    @inlinable consuming func giveAway() -> UnsafeMutablePointer<Entry> {
        let entry = unsafe entry
        discard self
        return unsafe entry
    }

    @inlinable deinit { unsafe GroupState.giveBack(entry) }

    /// Gives the buffer back to the kernel.
    @inlinable public consuming func recycle() {}

    /// How many bytes it holds.
    @inlinable public var count: Int { unsafe entry.pointee.upper - entry.pointee.lower }

    /// True if it holds no bytes.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// How many bytes there is room for in front of those that it holds: the group's headroom, and what was removed.
    @inlinable public var headroom: Int { unsafe entry.pointee.lower }

    @inlinable var first: UnsafeMutableRawPointer { unsafe entry.pointee.start + entry.pointee.lower }

    /// The bytes that it holds.
    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: first, byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The bytes that it holds, to be changed in place.
    @inlinable public var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableRawSpan(_unsafeStart: first, byteCount: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// Puts bytes in front of those that it holds.
    ///
    /// - Precondition: there is ``headroom`` for them.
    public mutating func prepend(_ more: RawSpan) {
        precondition(more.byteCount <= headroom, "more bytes than the headroom")
        unsafe entry.pointee.lower -= more.byteCount
        unsafe more.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe first.copyMemory(from: start, byteCount: source.count)
        }
    }

    /// Takes bytes from the front.
    ///
    /// - Precondition: it holds as many.
    @inlinable public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more bytes than the buffer holds")
        unsafe entry.pointee.lower += count
    }

    /// Takes bytes from the end.
    ///
    /// - Precondition: it holds as many.
    @inlinable public mutating func removeLast(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more bytes than the buffer holds")
        unsafe entry.pointee.upper -= count
    }
}

/// A group of buffers of a ``DescriptorRing``. It lives as long as the ring and until its last buffer was given back,
/// counted without atomics because all of that is done by one thread.
@unsafe @usableFromInline struct GroupState: ~Copyable {
    @usableFromInline var group: BufferGroup
    @usableFromInline let entries: UnsafeMutablePointer<GroupBuffer.Entry>
    /// The one that the kernel got last.
    @usableFromInline var last: UnsafeMutablePointer<GroupBuffer.Entry>
    /// Buffers that somebody has who will give them back.
    @usableFromInline var used = 0
    /// Whether the kernel may be given buffers.
    @usableFromInline var isOpen = true
    @usableFromInline let allowsMultishot: Bool

    private init(_ group: consuming BufferGroup, allowsMultishot: Bool) {
        unsafe entries = .allocate(capacity: group.count)
        unsafe last = entries
        unsafe self.group = group
        unsafe self.allowsMultishot = allowsMultishot
    }

    static func make(_ group: consuming BufferGroup, allowsMultishot: Bool) -> UnsafeMutablePointer<GroupState> {
        let state = UnsafeMutablePointer<GroupState>.allocate(capacity: 1)
        unsafe state.initialize(to: GroupState(group, allowsMultishot: allowsMultishot))
        for index in unsafe 0..<state.pointee.group.count {
            let identifier = UInt16(index)
            let start = unsafe state.pointee.group.memory(of: identifier) - state.pointee.group.headroom
            let entry = unsafe state.pointee.entries + index
            unsafe entry.initialize(to: GroupBuffer.Entry(state, start, identifier))
            // The group begins with all of them, in the order of their numbers.
            unsafe state.pointee.append(entry)
        }
        return unsafe state
    }

    /// The buffer that the kernel picked, with what it put into it.
    @unsafe @inlinable @inline(__always) static func take(
        _ state: UnsafeMutablePointer<GroupState>, _ completion: RawCompletion
    ) -> UnsafeMutablePointer<GroupBuffer.Entry> {
        let index = Int(completion.flags >> 16)
        precondition(unsafe index < state.pointee.group.count, "a buffer of another group")
        let entry = unsafe state.pointee.entries + index
        unsafe entry.pointee.lower = state.pointee.group.headroom
        unsafe entry.pointee.upper = state.pointee.group.headroom &+ Int(max(completion.result, 0))
        unsafe state.pointee.used &+= 1
        return unsafe entry
    }

    /// Remembers that the kernel gets a buffer after the others.
    @inlinable mutating func append(_ entry: UnsafeMutablePointer<GroupBuffer.Entry>) {
        unsafe last.pointee.next = entry
        unsafe last = entry
    }

    /// Lets the kernel have a buffer again.
    @unsafe @inlinable static func giveBack(_ entry: UnsafeMutablePointer<GroupBuffer.Entry>) {
        let state = unsafe entry.pointee.group
        unsafe state.pointee.used &-= 1
        if unsafe state.pointee.isOpen {
            unsafe state.pointee.append(entry)
            unsafe state.pointee.group.recycle(entry.pointee.identifier)
        } else if unsafe state.pointee.used == 0 {
            unsafe free(state)
        }
    }

    /// The end of the ring.
    @unsafe static func close(_ state: UnsafeMutablePointer<GroupState>) {
        unsafe state.pointee.isOpen = false
        if unsafe state.pointee.used == 0 { unsafe free(state) }
    }

    @unsafe @usableFromInline static func free(_ state: UnsafeMutablePointer<GroupState>) {
        unsafe state.pointee.entries.deallocate()
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }
}
