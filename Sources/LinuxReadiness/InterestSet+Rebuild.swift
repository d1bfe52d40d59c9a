import CEpoll
import Glibc
import LinuxDescriptors
public import SystemPackage

/// What keeps ghosts from being delivered, and from making a program spin.
extension InterestSet {
    /// An event whose generation is not the live one: of a descriptor that was removed after the wait, or a ghost.
    @usableFromInline mutating func noteFormerLife(_ token: InterestToken) {
        if token.number < slotCount {
            let slot = unsafe slots[token.number]
            if slot.retiredIn == waitNumber && slot.retiredGeneration == token.generation {
                incidents.staleEvents += 1
                return
            }
        }
        incidents.ghosts += 1
        mustRebuild = true
    }

    /// Ends a life.
    mutating func retire(_ number: Int) {
        // Of several lives since the last wait only the first can have events in it.
        if unsafe slots[number].retiredIn != waitNumber {
            unsafe slots[number].retiredIn = waitNumber
            unsafe slots[number].retiredGeneration = slots[number].generation
        }
        unsafe slots[number].generation &+= 1
        unsafe slots[number].events = 0
        count -= 1
        // The generations begin anew: no registration of their first round may be left.
        if unsafe slots[number].generation == 0 {
            mustRebuild = true
            generationsBeganAnew = true
        }
    }

    /// Ends the life of a descriptor that was closed behind the set's back. Its registration may be a ghost by now.
    mutating func lose(_ descriptor: BorrowedDescriptor) {
        retire(Int(descriptor.rawValue))
        incidents.lostDescriptors += 1
        mustRebuild = true
    }

    /// Makes room for what is known of a number.
    mutating func makeRoom(for descriptor: BorrowedDescriptor) {
        let needed = Int(descriptor.rawValue) + 1
        guard needed > slotCount else { return }
        let newCount = max(needed, slotCount * 2)
        let new = UnsafeMutablePointer<InterestSlot>.allocate(capacity: newCount)
        unsafe new.moveInitialize(from: slots, count: slotCount)
        unsafe (new + slotCount).initialize(repeating: InterestSlot(), count: newCount - slotCount)
        unsafe slots.deallocate()
        unsafe slots = new
        slotCount = newCount
    }

    /// In a child, gives the set a kernel's set of its own before the parent's is changed.
    mutating func noticeFork() throws(Errno) {
        guard !stamp.isCurrent else { return }
        try rebuild()
        stamp = .current()
        incidents.forks += 1
    }

    /// Puts right what the last wait or a fork left.
    ///
    /// Making the kernel's set anew takes time in proportion to what it watches, so it is done at most a hundred times
    /// a second and with at most a tenth of a processor, whatever goes wrong. Until then the thread sleeps: waiting on
    /// a set with a ghost would return at once.
    ///
    /// A set that cannot be made anew goes on as it is, because ghosts are told from what is live all the same.
    ///
    /// - Returns: false if the timeout ended first.
    /// - Throws: why the set could not be made anew, if what it is instead is the parent's or has a registration that
    ///   could pass for a live one.
    @usableFromInline mutating func mend(timeoutMilliseconds: CInt) throws(Errno) -> Bool {
        try noticeFork()
        guard mustRebuild else { return true }
        let now = monotonicNanoseconds()
        if now < rebuildAllowedAt {
            let limit = timeoutMilliseconds < 0 ? .max : now + UInt64(timeoutMilliseconds) * 1_000_000
            sleepUntil(nanoseconds: min(limit, rebuildAllowedAt))
            if limit < rebuildAllowedAt { return false }
        }
        let start = monotonicNanoseconds()
        defer {
            let finish = monotonicNanoseconds()
            rebuildAllowedAt = finish + max(10_000_000, 10 * (finish - start))
        }
        do {
            try rebuild()
        } catch {
            incidents.failedRebuilds += 1
            if generationsBeganAnew { throw error }
        }
        return true
    }

    /// Makes the kernel's set anew of the descriptors that are live.
    private mutating func rebuild() throws(Errno) {
        let new = try Epoll()
        disarmUntaken()
        for number in 0..<slotCount {
            let slot = unsafe slots[number]
            // A number that was closed behind the set's back may be the one that the new set got.
            if slot.isLive && new.descriptor.rawValue == number {
                lose(new.descriptor)
                continue
            }
            // What is registered is armed, so a one-shot registration that has fired stays out until it is armed again.
            guard slot.isLive, slot.events & InterestSlot.disarmed == 0 else { continue }
            let descriptor = BorrowedDescriptor(rawValue: CInt(number))
            let token = InterestToken(descriptor, generation: slot.generation)
            do {
                try new.add(descriptor, EpollEvents(rawValue: slot.events), token: token.rawValue)
            } catch {
                guard error == .badFileDescriptor || error == .notPermitted else { throw error }
                lose(descriptor)
            }
        }
        for number in 0..<slotCount where unsafe slots[number].events & InterestSlot.disarmed != 0 {
            unsafe slots[number].events |= InterestSlot.absent
        }
        epoll = new
        mustRebuild = false
        generationsBeganAnew = false
        incidents.rebuilds += 1
    }

    /// Marks one-shot registrations whose events were waited for but not taken, because they have fired nevertheless.
    private mutating func disarmUntaken() {
        for index in next..<end {
            let token = InterestToken(rawValue: unsafe EpollEvent(buffer.storage[index]).token)
            guard holds(token), unsafe slots[token.number].events & InterestSlot.oneShot != 0 else { continue }
            unsafe slots[token.number].events |= InterestSlot.disarmed
        }
    }
}

private func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

private func sleepUntil(nanoseconds deadline: UInt64) {
    var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
    while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
}
