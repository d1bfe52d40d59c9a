public import LinuxDescriptors
public import SystemPackage

extension InterestSet {
    /// Waits for events (`epoll_wait(2)`), to be taken by ``nextEvent()``. Does nothing while some are left to be
    /// taken. It waits for ever, signals or not, if nothing happens: see ``wait(timeout:)``.
    ///
    /// - Returns: the most events that there are to take; fewer are delivered if some are of former lives.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC` in a child of `fork(2)` whose set could not be made anew, and
    ///   when a number's generations were used up; the next wait tries again. A set that could not be made anew for a
    ///   ghost's sake goes on with it, and counts that in ``Incidents/failedRebuilds``.
    @inlinable @inline(__always) public mutating func wait() throws(Errno) -> Int {
        if next < end { return end - next }
        if mustRebuild || !stamp.isCurrent { return try waitOutOfLine(nil) }
        beginBatch()
        do {
            end = try kernel.epoll.wait(into: buffer)
        } catch {
            return try waitAnew(after: error, nil)
        }
        if hasOneShots { noteFired() }
        return end
    }

    /// Waits for events until the time is over, like ``wait()`` (`epoll_pwait2(2)`).
    ///
    /// - Parameter timeout: zero or less does not wait. It is in nanoseconds, rounded as
    ///   ``Epoll/wait(into:timeout:)`` says.
    /// - Returns: the most events that there are to take; 0 when the time is over, or when a signal came first:
    ///   ``waitInterruptibly(timeout:blocked:)`` tells which.
    /// - Throws: what ``wait()`` throws.
    @inlinable public mutating func wait(timeout: Duration) throws(Errno) -> Int {
        if next < end { return end - next }
        if mustRebuild || !stamp.isCurrent { return try waitOutOfLine(timeout) }
        beginBatch()
        do {
            end = try kernel.epoll.wait(into: buffer, timeout: timeout)
        } catch {
            return try waitAnew(after: error, timeout)
        }
        if hasOneShots { noteFired() }
        return end
    }

    /// The next event of the last wait; nil when all have been taken.
    @inlinable public mutating func nextEvent() -> InterestEvent? {
        while next < end {
            let event = unsafe EpollEvent(buffer.storage[next])
            next += 1
            if speaks(event.token) {
                return InterestEvent(
                    token: InterestToken(life: event.token, set: identifier), events: event.events)
            }
            noteUndelivered(event.token)
        }
        return nil
    }

    /// True if an event is of a live descriptor that is not paused.
    @inlinable @inline(__always) func speaks(_ life: UInt64) -> Bool {
        unsafe isLive(life) && slots[Life.number(life)].registration != .paused
    }

    @inlinable @inline(__always) mutating func beginBatch() {
        waitNumber &+= 1
        next = 0
        end = 0
    }

    /// The kernel disarmed the one-shot registrations whose events it has just reported.
    @usableFromInline mutating func noteFired() {
        for index in 0..<end {
            let life = unsafe EpollEvent(buffer.storage[index]).token
            guard isLive(life), unsafe slots[Life.number(life)].isOneShot else { continue }
            unsafe slots[Life.number(life)].registration = .fired
        }
    }

    /// Counts an event that is not delivered: of a descriptor that was removed or paused after the wait, or a ghost.
    @usableFromInline mutating func noteUndelivered(_ life: UInt64) {
        if isLive(life) {
            incidents.staleEvents += 1
            return
        }
        if Life.number(life) < slotCount {
            let slot = unsafe slots[Life.number(life)]
            if slot.retiredIn == waitNumber && slot.retiredGeneration == Life.generation(life) {
                incidents.staleEvents += 1
                return
            }
        }
        incidents.ghosts += 1
        mustRebuild = true
    }

    /// Goes on after a wait that failed because the kernel's set was closed behind the set's back.
    @usableFromInline mutating func waitAnew(after error: Errno, _ timeout: Duration?) throws(Errno) -> Int {
        guard try madeLostSetAnew() else { throw error }
        return try waitOutOfLine(timeout)
    }

    /// Waits after a fork, or while the kernel's set must be made anew.
    @usableFromInline @inline(never) mutating func waitOutOfLine(_ timeout: Duration?) throws(Errno) -> Int {
        // What has no limit goes on after signals.
        let limits = WaitLimits(timeout, nil, endsAtSignal: timeout != nil)
        guard case .events(let count) = try waitOutOfLine(limits) else { return 0 }
        return count
    }

    mutating func waitOutOfLine(_ limits: WaitLimits) throws(Errno) -> WaitOutcome {
        while true {
            try mend()
            if !mustRebuild {
                guard let outcome = try fetch(until: limits.deadline, limits.blocked) else { continue }
                if outcome != .interrupted || limits.endsAtSignal { return outcome }
                continue
            }
            let start = monotonicNanoseconds()
            let limit = min(rebuildAllowedAt, limits.deadline ?? .max)
            let isQuiet = try fetchLive()
            let now = monotonicNanoseconds()
            if end > 0 { return .events(end) }
            if limits.isOver(at: now) { return .timedOut }
            let isInterrupted: Bool
            if isQuiet {
                // No ghost is ready: the kernel can be waited for.
                isInterrupted = try fetch(until: limit, limits.blocked) == .interrupted
                keepLive()
                if end > 0 { return .events(end) }
            } else {
                // The kernel would report the ghosts again at once, so it is asked again when that costs a tenth of the
                // time at most.
                let again = now + max(1_000_000, 10 * (now - start))
                isInterrupted = !sleepUntil(nanoseconds: min(again, limit), limits.blocked)
            }
            if isInterrupted && limits.endsAtSignal { return .interrupted }
            if limits.isOver(at: monotonicNanoseconds()) { return .timedOut }
        }
    }

    /// Takes events from the kernel, as soon as there are some.
    ///
    /// - Returns: nil if the kernel's set had been closed behind the set's back, and was made anew.
    private mutating func fetch(until deadline: UInt64?, _ blocked: SignalSet?) throws(Errno) -> WaitOutcome? {
        beginBatch()
        let outcome: WaitOutcome
        do {
            outcome = try kernel.epoll.waitInterruptibly(
                into: buffer, timeout: deadline.map(durationUntil), blocked: blocked)
        } catch {
            guard try madeLostSetAnew() else { throw error }
            return nil
        }
        if case .events(let count) = outcome { end = count }
        if hasOneShots { noteFired() }
        return outcome
    }

    /// Takes what is ready and live past the ghosts, without waiting.
    ///
    /// - Returns: true if nothing at all was ready.
    private mutating func fetchLive() throws(Errno) -> Bool {
        var seen: Set<UInt64> = []
        while true {
            _ = try fetch(until: 0, nil)
            let lives = (0..<end).map { unsafe EpollEvent(buffer.storage[$0]).token }
            let isFull = end == Int(buffer.capacity)
            keepLive()
            // The kernel reports what is ready in turn, so it is once round when a batch has nothing new.
            let count = seen.count
            seen.formUnion(lives)
            if end > 0 || !isFull || seen.count == count { return lives.isEmpty && count == 0 }
        }
    }

    /// Moves the events of live descriptors to the front, and drops the others.
    private mutating func keepLive() {
        var kept = 0
        for index in 0..<end {
            let life = unsafe EpollEvent(buffer.storage[index]).token
            if speaks(life) {
                unsafe buffer.storage[kept] = buffer.storage[index]
                kept += 1
            } else {
                noteUndelivered(life)
            }
        }
        end = kept
    }
}

/// What ends a wait beside events.
struct WaitLimits {
    /// On the monotonic clock.
    let deadline: UInt64?
    /// What the thread blocks while it waits, if not what it blocks otherwise.
    let blocked: SignalSet?
    let endsAtSignal: Bool

    init(_ timeout: Duration?, _ blocked: SignalSet?, endsAtSignal: Bool) {
        deadline = timeout.map { monotonicNanoseconds() + UInt64($0.nanoseconds) }
        self.blocked = blocked
        self.endsAtSignal = endsAtSignal
    }

    func isOver(at time: UInt64) -> Bool { deadline.map { time >= $0 } == true }
}
