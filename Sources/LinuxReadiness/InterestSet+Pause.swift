import LinuxDescriptors
public import SystemPackage

extension InterestSet {
    /// Stops watching a descriptor until ``resume(_:)``, and keeps it (`EPOLL_CTL_DEL`). Nothing of it is delivered
    /// meanwhile: no event that was waited for already, and no hang-up or error, which the kernel reports of every
    /// registration, one with no events among them.
    ///
    /// Pausing a paused descriptor does nothing.
    ///
    /// - Throws: what ``remove(_:)`` throws. When the number was closed behind the set's back, the token is not live any
    ///   more.
    public mutating func pause(_ token: InterestToken) throws(Errno) {
        try unregister(token)
        unsafe slots[token.number].registration = .paused
    }

    /// Watches a paused descriptor again, for the events of before or of the last ``modify(_:_:)`` (`EPOLL_CTL_ADD`).
    /// What it is ready for now is reported, edge-triggered and one-shot too.
    ///
    /// Resuming a descriptor that is not paused does nothing.
    ///
    /// - Throws: `ENOENT` for a token that is not live; `ENOENT` or `EBADF` when the number was closed behind the set's
    ///   back, and then the token is not live any more; `ENOSPC`, `ENOMEM`, and it stays paused.
    public mutating func resume(_ token: InterestToken) throws(Errno) {
        try noticeFork()
        guard holds(token) else { throw .noSuchFileOrDirectory }
        guard unsafe slots[token.number].registration == .paused else { return }
        let events = EpollEvents(rawValue: unsafe slots[token.number].events)
        try register(token, events)
        arm(token.number, events)
    }

    /// True if the descriptor is paused.
    public func isPaused(_ token: InterestToken) -> Bool {
        unsafe holds(token) && slots[token.number].registration == .paused
    }

    /// Adds what is not in the kernel's set to it.
    mutating func register(_ token: InterestToken, _ events: EpollEvents) throws(Errno) {
        do {
            try checkIdentity(token.number)
        } catch {
            lose(token.number)
            throw error
        }
        do {
            try kernel.epoll.add(token.descriptor, events, token: token.life)
        } catch {
            guard try madeLostSetAnew() else { throw error }
            guard holds(token) else { throw .noSuchFileOrDirectory }
            try kernel.epoll.add(token.descriptor, events, token: token.life)
        }
    }

    /// Takes a descriptor out of the kernel's set, if it is in there.
    mutating func unregister(_ token: InterestToken) throws(Errno) {
        try noticeFork()
        guard holds(token) else { throw .noSuchFileOrDirectory }
        do {
            try unregister(token.number)
        } catch {
            if try madeLostSetAnew(), holds(token) { return try unregister(token) }
            if holds(token) { lose(token.number) }
            throw error
        }
    }

    /// Takes a live number out of the kernel's set, which fails if the number was closed behind the set's back.
    func unregister(_ number: Int) throws(Errno) {
        if unsafe slots[number].isRegistered {
            try kernel.epoll.remove(BorrowedDescriptor(rawValue: CInt(number)))
        } else {
            try checkIdentity(number)
        }
    }

    /// The kernel's set knows nothing of a number that is not registered, so only `fstat(2)` can be asked.
    ///
    /// - Throws: `EBADF` for a number that is not open, `ENOENT` for one that names another file than was inserted.
    func checkIdentity(_ number: Int) throws(Errno) {
        let identity = try FileIdentity(of: BorrowedDescriptor(rawValue: CInt(number)))
        guard unsafe identity == slots[number].identity else { throw .noSuchFileOrDirectory }
    }
}
