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
        if hasKept {
            try ring.submit()
            return
        }
        repeat { try ring.submitAndWait(for: 1) } while !hasFreshEvent()
    }

    /// Like ``wait()`` with a limit, and a signal ends it, too.
    ///
    /// - Returns: whether ``nextEvent()`` has an event.
    /// - Throws: `ESTALE` in a child, `EINVAL` before Linux 5.11, and what ``Ring/submitAndWait(for:timeout:)`` throws.
    public mutating func wait(timeout: Duration) throws(Errno) -> Bool {
        try ensureUsable()
        if hasKept {
            try ring.submit()
            return true
        }
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
        while let completion = ring.nextRawCompletion() {
            guard let parts = unsafe resolve(completion) else { continue }
            if unsafe parts.operation != .cancel { return unsafe RingEvent(parts) }
        }
        return nil
    }

    @inlinable @inline(__always) var hasKept: Bool { unsafe keptStart < kept.count }

    @usableFromInline @inline(never) mutating func takeKept() -> RingEvent? {
        let event = unsafe RingEvent(kept[keptStart])
        keptStart += 1
        if unsafe keptStart == kept.count {
            unsafe kept.removeAll(keepingCapacity: true)
            keptStart = 0
        }
        return event
    }

    /// Whether the next completion of the ring is an event; what is none and comes before it is taken.
    @inlinable mutating func hasFreshEvent() -> Bool {
        while let token = ring.peekToken() {
            if let request = unsafe requests.find(token), unsafe request.pointee.operation != .cancel { return true }
            skipCompletion()
        }
        return false
    }

    @usableFromInline @inline(never) mutating func skipCompletion() {
        if let completion = ring.nextRawCompletion() { _ = unsafe resolve(completion) }
    }

    /// Whose completion it is, and the end of its request; nil if it is nobody's.
    @unsafe @inlinable @inline(__always)
    mutating func resolve(_ completion: RawCompletion) -> RingEventParts? {
        guard let request = unsafe requests.find(completion.token) else {
            foreign += 1
            return nil
        }
        let slot = unsafe request.pointee.slot
        let parts = unsafe RingEventParts(
            token: slots.token(slot), operation: request.pointee.operation, isArmed: completion.hasMore,
            result: completion.result, buffer: request.pointee.buffer)
        if !completion.hasMore { unsafe requests.end(request, &slots.members[Int(slot)].firstRequest) }
        return unsafe parts
    }
}
