import CIOUring
public import SystemPackage

/// Receiving into buffers that the kernel picks when data is there, and sending them: connections that are silent need no
/// memory.
///
/// ```swift
/// let buffers = try ring.addBuffers(count: 256, bytes: 4096)
/// try ring.prepareReceive(connection, from: buffers)
/// …
/// case .receive where event.result > 0:
///     let isArmed = event.isArmed
///     parse(event.takeGroupBuffer().bytes)
///     if !isArmed { try ring.prepareReceive(token, from: buffers) }
/// ```
///
/// - A receive ends with `ENOBUFS` when no buffer is free: queue it again after one was given back
///   (``freeBuffers(of:)``), not before. What arrived stays in the socket.
/// - The events of one receive bring the bytes in their order. The sends of one connection keep theirs only if each is
///   queued after the event of the one before it, or in a ``RequestChain``.
/// - Data that arrived for a descriptor that was closed meanwhile is dropped, and its buffer given back.
extension DescriptorRing {
    /// Allocates a group of buffers, which the ring keeps until its end (`io_uring_register_buf_ring(3)`, Linux 5.19).
    ///
    /// - Parameters:
    ///   - count: how many, 1 to 32 768, rounded up to a power of two.
    ///   - bytes: what one receive puts into one of them at most.
    ///   - headroom: bytes that are free in front of what was received: see ``GroupBuffer/prepend(_:)``.
    /// - Throws: `ENOTSUP` before Linux 5.19, `ESTALE` in a child, `ENOSPC` after 65 535 groups, `ENOMEM`.
    /// - Precondition: that of ``BufferGroup/init(identifier:count:bytes:headroom:)``.
    public mutating func addBuffers(count: Int, bytes: Int, headroom: Int = 0) throws(Errno) -> RingBuffers {
        try ensureUsable()
        // Of the same release as the rings of buffers, which have no probe.
        guard offers(IORING_OP_SOCKET) else { throw .notSupported }
        guard unsafe groups.count < Int(UInt16.max) else { throw .noSpace }
        let index = unsafe UInt16(groups.count)
        let group = BufferGroup(identifier: index, count: count, bytes: bytes, headroom: headroom)
        try ring.register(group)
        // A receive that completes many times came later, with sends without a copy.
        unsafe groups.append(GroupState.make(group, allowsMultishot: offers(IORING_OP_SEND_ZC)))
        return RingBuffers(index: index, ring: slots.ring)
    }

    /// Buffers of a group that nobody has: neither a ``GroupBuffer``, nor an event, nor a send. Some of them may have been
    /// filled, for events that have not been taken.
    ///
    /// - Throws: `ENOENT` for the group of another ring.
    public func freeBuffers(of buffers: RingBuffers) throws(Errno) -> Int {
        let group = unsafe try group(buffers)
        return unsafe group.pointee.group.count - group.pointee.used
    }

    /// Queues a receive into buffers of a group, which with `multishot` completes for every arrival until it ends
    /// (Linux 6.0). Each event with a result above 0 brings a ``GroupBuffer`` (``RingEvent/takeGroupBuffer()``).
    ///
    /// - Throws: `ENOENT` for the group of another ring, `ENOTSUP` for `multishot` before Linux 6.0, and what the others
    ///   throw.
    @inlinable @discardableResult public mutating func prepareReceive(
        _ token: RingToken, from buffers: RingBuffers, multishot: Bool = true
    ) throws(Errno) -> RingRequest {
        let member = unsafe try live(token)
        let group = unsafe try group(buffers)
        let identifier = requests.nextIdentifier()
        let file = unsafe RequestFile(number: member.pointee.number, flags: member.pointee.fileFlags)
        if multishot {
            if unsafe !group.pointee.allowsMultishot { throw .notSupported }
            try ring.prepareMultishotReceive(file, from: buffers.index, token: identifier)
        } else {
            try ring.prepareReceive(file, from: buffers.index, token: identifier)
        }
        unsafe requests.begin(
            .receive, on: token.index, &member.pointee.firstRequest, .fromGroup, buffer: group)
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    /// Queues a receive of bundles (`IORING_RECVSEND_BUNDLE`, Linux 6.10): an event brings as many buffers of a group as
    /// have been filled by what has arrived, or fewer (``RingEvent/takeBundle()``), and not one each. With `multishot` it
    /// completes for every arrival until it ends.
    ///
    /// For streams that get much at once: one event in place of many. When the group runs out, a receive with `multishot`
    /// ends with its last bytes, and without `ENOBUFS`, which it has when no buffer was free from the start.
    ///
    /// - Throws: `ENOENT` for the group of another ring, `ENOTSUP` before Linux 6.10
    ///   (``RingCapabilities/bundles``), and what the others throw.
    @inlinable @discardableResult public mutating func prepareBundleReceive(
        _ token: RingToken, from buffers: RingBuffers, multishot: Bool = true
    ) throws(Errno) -> RingRequest {
        let member = unsafe try live(token)
        let group = unsafe try group(buffers)
        if !ring.features.contains(.bundles) { throw .notSupported }
        let identifier = requests.nextIdentifier()
        let file = unsafe RequestFile(number: member.pointee.number, flags: member.pointee.fileFlags)
        if multishot {
            try ring.prepareMultishotReceive(file, from: buffers.index, receiveFlags: .bundle, token: identifier)
        } else {
            try ring.prepareReceive(file, from: buffers.index, receiveFlags: .bundle, token: identifier)
        }
        unsafe requests.begin(
            .receive, on: token.index, &member.pointee.firstRequest, .bundleFromGroup, buffer: group)
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    /// Queues one send of what a buffer of a group holds, which may be another ring's of this thread. The event has the
    /// buffer, without what was sent: if it holds something then, send that again.
    @inlinable @discardableResult public mutating func prepareSend(
        _ token: RingToken, from buffer: consuming GroupBuffer
    ) throws(Errno) -> RingRequest {
        let member = unsafe try live(token)
        let identifier = requests.nextIdentifier()
        let file = unsafe RequestFile(number: member.pointee.number, flags: member.pointee.fileFlags)
        unsafe try ring.prepareSend(file, from: buffer.first, count: buffer.count, token: identifier)
        unsafe requests.begin(
            .send, on: token.index, &member.pointee.firstRequest, .groupBuffer, buffer: buffer.giveAway())
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    @usableFromInline func group(_ buffers: RingBuffers) throws(Errno) -> UnsafeMutablePointer<GroupState> {
        guard buffers.ring == slots.ring, unsafe Int(buffers.index) < groups.count else {
            throw .noSuchFileOrDirectory
        }
        return unsafe groups[Int(buffers.index)]
    }

    /// Whether the kernel has an operation.
    mutating func offers(_ operation: io_uring_op) -> Bool {
        if operations == nil { operations = ring.supportedOperations() }
        return operations?.contains(UInt8(truncatingIfNeeded: operation.rawValue)) == true
    }
}
