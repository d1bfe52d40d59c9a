public import CIOUring
public import LinuxDescriptors
public import SystemPackage

/// Waiting for events, and taking them.
extension DescriptorRing {
    /// Hands over what is queued and waits until ``nextEvent()`` has an event; returns at once if it has
    /// (`io_uring_enter(2)`).
    ///
    /// Only an error ends the wait before that, so it lasts for ever when nothing is pending.
    ///
    /// - Throws: `ESTALE` in a child, and what ``Ring/submitAndWait(for:)`` throws.
    @inlinable public mutating func wait() throws(Errno) {
        try ensureUsable()
        if attention != 0, try attend() { return }
        repeat { try ring.submitAndWait(for: 1) } while !hasFreshEvent()
    }

    /// Like ``wait()`` with a limit, and a signal ends it, too.
    ///
    /// - Returns: whether ``nextEvent()`` has an event.
    /// - Throws: `ESTALE` in a child, `EINVAL` before Linux 5.11, and what ``Ring/submitAndWait(for:timeout:)`` throws.
    public mutating func wait(timeout: Duration) throws(Errno) -> Bool {
        try ensureUsable()
        if attention != 0, try attend() { return true }
        var rest = timeout
        let start = ContinuousClock.now
        while true {
            let isReady = try ring.submitAndWait(timeout: rest)
            if hasFreshEvent() { return true }
            // Something came, and it was none.
            guard isReady else { return false }
            rest = timeout - (ContinuousClock.now - start)
            if rest <= .zero { return false }
        }
    }

    /// The next completion of a descriptor, without a system call; nil if none is ready, and always in a child.
    @inlinable public mutating func nextEvent() -> RingEvent? {
        guard stamp.isCurrent else { return nil }
        if hasKept { return takeKept() }
        guard let completion = ring.nextOwnCompletion() else { return nil }
        guard let request = unsafe requests.find(completion.token), unsafe request.pointee.content.isPlain else {
            return nextEvent(from: completion)
        }
        return unsafe RingEvent(resolvePlain(completion, request))
    }

    /// The first event from a completion on that may be none.
    @usableFromInline @inline(never) mutating func nextEvent(from completion: RawCompletion) -> RingEvent? {
        var completion = completion
        while true {
            if let parts = unsafe resolve(completion), unsafe parts.operation != .cancel {
                return unsafe RingEvent(parts)
            }
            guard let next = ring.nextRawCompletion() else { return nil }
            completion = next
        }
    }

    /// There are events that were taken from the ring and not delivered.
    @inlinable static var hasKeptEvents: UInt8 { 1 << 0 }
    /// The counter of the wakers is to be read again.
    static var wakerIsIdle: UInt8 { 1 << 1 }

    @inlinable @inline(__always) var hasKept: Bool { attention & Self.hasKeptEvents != 0 }

    /// Does what is to be done before a wait, and tells whether there is an event already.
    @usableFromInline @inline(never) mutating func attend() throws(Errno) -> Bool {
        if attention & Self.wakerIsIdle != 0 { try armWaker() }
        if hasKept { try ring.submit() }
        return hasKept
    }

    @usableFromInline @inline(never) mutating func takeKept() -> RingEvent? {
        let event = unsafe RingEvent(kept[keptStart])
        keptStart += 1
        if unsafe keptStart == kept.count {
            unsafe kept.removeAll(keepingCapacity: true)
            keptStart = 0
            attention &= ~Self.hasKeptEvents
        }
        return event
    }

    /// Whether the next completion of the ring is an event; what is none and comes before it is taken.
    @inlinable mutating func hasFreshEvent() -> Bool {
        while let token = ring.peekToken() {
            if let request = unsafe requests.find(token), unsafe request.pointee.operation != .cancel { return true }
            if token == secret { return true }
            skipCompletion()
        }
        return false
    }

    @usableFromInline @inline(never) mutating func skipCompletion() {
        if let completion = ring.nextRawCompletion() { _ = unsafe resolve(completion) }
    }

    /// Whose completion it is, and the end of its request; nil if it is nobody's.
    @unsafe mutating func resolve(_ completion: RawCompletion) -> RingEventParts? {
        guard let request = unsafe requests.find(completion.token) else { return unsafe resolveForeign(completion) }
        if unsafe request.pointee.content.isPlain { return unsafe resolvePlain(completion, request) }
        return unsafe resolveSpecial(completion, request)
    }

    /// The completion of a request that brings a buffer, a descriptor or nothing.
    @unsafe @inlinable @inline(__always) mutating func resolvePlain(
        _ completion: RawCompletion, _ request: UnsafeMutablePointer<RequestTable.Request>
    ) -> RingEventParts {
        let slot = unsafe request.pointee.slot
        var content = unsafe request.pointee.content
        var buffer = unsafe request.pointee.buffer
        if content == .fromGroup, let group = unsafe buffer {
            content = .nothing
            unsafe buffer = nil
            if completion.hasBuffer {
                content = .groupBuffer
                unsafe buffer = UnsafeMutableRawPointer(
                    GroupState.take(group.assumingMemoryBound(to: GroupState.self), completion))
            }
        }
        let parts = unsafe RingEventParts(
            token: slots.token(slot), operation: request.pointee.operation, isArmed: completion.hasMore,
            content, result: completion.result, buffer: buffer)
        if !completion.hasMore { unsafe requests.end(request, &slots.members[Int(slot)].firstRequest) }
        return unsafe parts
    }

    /// The completion of a request that has more to it than the buffer or the descriptor that it brings.
    @unsafe mutating func resolveSpecial(
        _ completion: RawCompletion, _ request: UnsafeMutablePointer<RequestTable.Request>
    ) -> RingEventParts? {
        let (index, operation) = unsafe (request.pointee.slot, request.pointee.operation)
        let (content, buffer) = unsafe (request.pointee.content, request.pointee.buffer)
        let token = slots.token(index)
        if !completion.hasMore { unsafe requests.end(request, &slots.members[Int(index)].firstRequest) }
        switch content {
        case .wake: return unsafe resolveWake(completion.result, buffer)
        case .slot where completion.result >= 0:
            let accepted = slots.insert(completion.result, nil, .slot)
            return unsafe RingEventParts(
                token: token, operation: operation, isArmed: completion.hasMore, .slot,
                result: Int32(bitPattern: accepted.index), detail: accepted.generation)
        case .close: endClose(index, completion.result)
        case .limit, .cancel: retireIfClosed(index)
        case .bundleFromGroup where completion.hasBuffer:
            guard let group = unsafe buffer?.assumingMemoryBound(to: GroupState.self) else { break }
            guard completion.result > 0 else {
                unsafe GroupState.giveBack(GroupState.take(group, completion))
                break
            }
            let taken = unsafe GroupState.takeBundle(group, completion)
            return unsafe RingEventParts(
                token: token, operation: operation, isArmed: completion.hasMore, .bundle, result: completion.result,
                detail: taken.count, buffer: UnsafeMutableRawPointer(taken.first))
        case .slot, .nothing, .buffer, .descriptor, .groupBuffer, .fromGroup, .bundleFromGroup, .bundle: break
        }
        return unsafe RingEventParts(
            token: token, operation: operation, isArmed: completion.hasMore, .nothing, result: completion.result)
    }
}

extension Ring {
    /// The next completion of a ring that was never given anything to close: none can be a close's.
    @inlinable @inline(__always) mutating func nextOwnCompletion() -> RawCompletion? {
        guard unsafe io_uring_cq_ready(&ring) > 0 else { return nil }
        let entry = unsafe ring.cq.cqes.unsafelyUnwrapped[Int(ring.cq.khead.pointee & ring.cq.ring_mask)]
        unsafe io_uring_cq_advance(&ring, 1)
        if entry.flags & CompletionFlags.ofMixed != 0 { return takeMixed(entry) }
        return RawCompletion(entry)
    }
}
