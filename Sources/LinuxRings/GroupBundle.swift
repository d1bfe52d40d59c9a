/// Buffers of a group that one receive of bundles filled, in the order of their bytes
/// (``DescriptorRing/prepareBundleReceive(_:from:multishot:)``).
///
/// Each buffer is full but for the last. Taken, it is a ``GroupBuffer`` of its own, to be read, kept or sent; what was not
/// taken goes back to the kernel when this value ends:
///
/// ```swift
/// var bundle = event.takeBundle()
/// while let buffer = bundle.next() { parse(buffer.bytes) }
/// ```
///
/// Like a buffer of a group it belongs to the ring's thread, and may outlive the ring.
@safe @frozen public struct GroupBundle: ~Copyable {
    @usableFromInline var first: UnsafeMutablePointer<GroupBuffer.Entry>?
    @usableFromInline var rest: Int

    /// Buffers that were not taken yet.
    @inlinable public var count: Int { rest }

    /// Takes over buffers that are linked, `count` of them.
    @inlinable init(_ first: UnsafeMutablePointer<GroupBuffer.Entry>, count: Int) {
        unsafe self.first = first
        rest = count
    }

    @inlinable deinit {
        var (entry, rest) = unsafe (first, rest)
        while rest > 0, let buffer = unsafe entry {
            unsafe entry = buffer.pointee.next
            unsafe GroupState.giveBack(buffer)
            rest -= 1
        }
    }

    /// The next buffer; nil when all were taken.
    @inlinable public mutating func next() -> GroupBuffer? {
        guard rest > 0, let entry = unsafe first else { return nil }
        unsafe first = entry.pointee.next
        rest &-= 1
        return unsafe GroupBuffer(entry)
    }
}

extension GroupState {
    /// The buffers that the kernel picked for a completion, linked, with what it put into them.
    ///
    /// The completion names the first; the others are those that the kernel got after it. That is remembered here, and not
    /// read from the ring of buffers: completions can come in another order than the kernel picked buffers in, so that what
    /// it picked later may have been given back already and lie where the buffers of this one did.
    @unsafe static func takeBundle(
        _ state: UnsafeMutablePointer<GroupState>, _ completion: RawCompletion
    ) -> (first: UnsafeMutablePointer<GroupBuffer.Entry>, count: UInt32) {
        let (bytes, headroom) = unsafe (state.pointee.group.bytes, state.pointee.group.headroom)
        let index = Int(completion.flags >> 16)
        precondition(unsafe index < state.pointee.group.count, "a buffer of another group")
        let first = unsafe state.pointee.entries + index
        var rest = Int(max(completion.result, 0))
        var (entry, count) = unsafe (first, UInt32(0))
        while true {
            let length = min(rest, bytes)
            unsafe entry.pointee.lower = headroom
            unsafe entry.pointee.upper = headroom + length
            rest -= length
            count += 1
            if rest == 0 { break }
            precondition(unsafe count < state.pointee.group.count, "more bytes than the group has room for")
            guard let next = unsafe entry.pointee.next else {
                preconditionFailure("more bytes than the kernel has room for")
            }
            unsafe entry = next
        }
        unsafe state.pointee.used += Int(count)
        return unsafe (first, count)
    }
}
