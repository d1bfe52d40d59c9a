import LinuxDescriptors
import SystemPackage

/// Making the kernel's set anew: what ends ghosts, gives a child a set of its own, and replaces one that was closed
/// behind the set's back.
extension InterestSet {
    /// In a child, gives the set a kernel's set of its own before the parent's is changed.
    mutating func noticeFork() throws(Errno) {
        guard !stamp.isCurrent else { return }
        try rebuild()
        stamp = .current()
        incidents.forks += 1
    }

    /// Puts right what the last wait or a fork left, if it is allowed by now.
    ///
    /// Making the kernel's set anew takes time in proportion to what it watches, so for ghosts it is done at most a
    /// hundred times a second and with at most a tenth of a processor, whatever goes wrong. A set that cannot be made
    /// anew goes on as it is, because ghosts are told from what is live all the same.
    ///
    /// - Throws: why the set could not be made anew, if what it is instead is the parent's or has a registration that
    ///   could pass for a live one.
    mutating func mend() throws(Errno) {
        try noticeFork()
        guard mustRebuild else { return }
        let start = monotonicNanoseconds()
        guard start >= rebuildAllowedAt || generationsBeganAnew else { return }
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
    }

    /// After a call that failed: makes the kernel's set anew if it was closed behind the set's back.
    ///
    /// - Returns: false if the kernel's set is as it should be, so that the failure has another reason.
    mutating func madeLostSetAnew() throws(Errno) -> Bool {
        if kernel.isIntact { return false }
        try rebuild()
        return true
    }

    /// Makes the kernel's set anew of the descriptors that are live and still name what was inserted.
    private mutating func rebuild() throws(Errno) {
        let isIntact = kernel.isIntact
        var new = try KernelSet()
        for number in 0..<slotCount where unsafe slots[number].isLive {
            // A number that was closed behind the set's back may be one that the new set got.
            let isOfNewSet =
                new.epoll.descriptor.rawValue == number || new.mark.descriptor.rawValue == number
            guard !isOfNewSet && isStillOurs(number, isIntact) else {
                lose(number)
                continue
            }
            let slot = unsafe slots[number]
            // What is registered is armed, so a one-shot registration that has fired stays out until it is armed again.
            guard slot.registration == .armed else { continue }
            let descriptor = BorrowedDescriptor(rawValue: CInt(number))
            let life = Life.make(descriptor, generation: slot.generation)
            try new.epoll.add(descriptor, EpollEvents(rawValue: slot.events), token: life)
        }
        try moveGate(to: new.epoll, isIntact)
        for number in 0..<slotCount where unsafe slots[number].registration == .fired {
            unsafe slots[number].registration = .leftOut
        }
        swap(&kernel, &new)
        if !isIntact { new.letGo() }
        mustRebuild = false
        generationsBeganAnew = false
        incidents.rebuilds += 1
    }

    /// True if a live number still names the file that was inserted.
    ///
    /// The kernel's set knows for certain, of what is registered. In a child it is the parent's, which goes on using it,
    /// so there `fstat(2)` has to do. What that cannot tell apart is trusted while the set's own numbers are intact: who
    /// closes numbers by the range closes those as well.
    private func isStillOurs(_ number: Int, _ isIntact: Bool) -> Bool {
        let slot = unsafe slots[number]
        let descriptor = BorrowedDescriptor(rawValue: CInt(number))
        if isIntact && stamp.isCurrent && slot.isRegistered { return kernel.has(descriptor) }
        guard let identity = try? FileIdentity(of: descriptor), identity == slot.identity else { return false }
        return isIntact || !identity.isShared
    }

    /// Closes what is still the set's, for its end. A child shares the kernel's set with its parent, whose
    /// registrations these are.
    func closeAll(_ isIntact: Bool) {
        for number in 0..<slotCount where unsafe slots[number].isLive {
            if unsafe isIntact && stamp.isCurrent && slots[number].isRegistered {
                guard (try? unregister(number)) != nil else { continue }
            } else {
                guard isStillOurs(number, isIntact) else { continue }
            }
            _ = OwnedDescriptor(owning: FileDescriptor(rawValue: CInt(number)))
        }
    }

    /// Ends a life.
    mutating func retire(_ number: Int) {
        // Of several lives since the last wait only the first can have events in it.
        if unsafe slots[number].retiredIn != waitNumber {
            unsafe slots[number].retiredIn = waitNumber
            unsafe slots[number].retiredGeneration = slots[number].generation
        }
        unsafe slots[number].generation &+= 1
        unsafe slots[number].registration = .armed
        count -= 1
        // The generations begin anew: no registration of their first round may be left.
        if unsafe slots[number].generation == 0 {
            mustRebuild = true
            generationsBeganAnew = true
        }
    }

    /// Ends the life of a descriptor that was closed behind the set's back. Its registration may be a ghost by now.
    mutating func lose(_ number: Int) {
        retire(number)
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
}
