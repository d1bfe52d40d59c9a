import Glibc
public import LinuxDescriptors
public import SystemPackage

/// An epoll set that owns what it watches, so that a registration cannot outlive its descriptor.
///
/// Inserting a descriptor gives it to the set and returns a token. Removing it takes it out of the kernel's set first
/// and gives it back; there is no way to close it before that. A token counts the lives of its descriptor number, so an
/// event of a former life is never delivered: it is counted in ``incidents``, and the kernel's set is made anew, which
/// ends the registration that nothing can name. A fork is noticed in the child, whose set is made anew before it is
/// used, because it would otherwise change its parent's.
///
/// Which accidents the type prevents and which it cannot: <doc:Registrations>.
///
/// A set belongs to one thread at a time. Beside bare ``Epoll``, a wait with one event takes 30 user-space instructions
/// more (175 instead of 145 for write, wait and read), each further event 19.
@safe @frozen public struct InterestSet: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has one owner, and every change needs exclusive access to it.
    @usableFromInline var epoll: Epoll
    @usableFromInline let buffer: EpollEventBuffer
    /// By descriptor number.
    @usableFromInline var slots: UnsafeMutablePointer<InterestSlot>
    @usableFromInline var slotCount: Int
    /// Events of the last wait that have not been taken: those from `next` to `end`.
    @usableFromInline var next = 0
    @usableFromInline var end = 0
    /// Counts waits, so that an event can be told to be older than a removal.
    @usableFromInline var waitNumber: UInt32 = 1
    @usableFromInline var stamp: ForkStamp
    @usableFromInline var mustRebuild = false
    /// True from the last generation of a number to the next time the kernel's set is made anew.
    var generationsBeganAnew = false
    /// When the kernel's set may be made anew for a ghost's sake, on the monotonic clock.
    var rebuildAllowedAt: UInt64 = 0

    /// Descriptors in the set.
    public internal(set) var count = 0
    /// What went wrong so far, and was dealt with.
    public internal(set) var incidents: Incidents

    /// Makes an empty set (`epoll_create1(2)`).
    ///
    /// - Parameter capacity: the most events that one wait takes from the kernel, at least one.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
    public init(capacity: Int = 64) throws(Errno) {
        let epoll = try Epoll()
        self.epoll = epoll
        buffer = EpollEventBuffer(capacity: capacity)
        slotCount = 64
        unsafe slots = .allocate(capacity: 64)
        unsafe slots.initialize(repeating: InterestSlot(), count: 64)
        stamp = .current()
        incidents = Incidents()
    }

    deinit {
        // A child shares the set with its parent, whose registrations these are.
        let isOwn = stamp.isCurrent
        for number in 0..<slotCount where unsafe slots[number].isLive {
            let descriptor = BorrowedDescriptor(rawValue: CInt(number))
            do {
                if isOwn { try unregister(descriptor) }
                _ = OwnedDescriptor(owning: FileDescriptor(rawValue: descriptor.rawValue))
            } catch {
                // Closed behind the set's back, so the number is nobody's or somebody else's by now.
            }
        }
        unsafe slots.deallocate()
    }

    // MARK: Membership

    /// Takes a descriptor over and watches it (`EPOLL_CTL_ADD`).
    ///
    /// - Parameters:
    ///   - descriptor: what to watch; the set closes it in the end.
    ///   - events: what to watch for. After an event, a registration with ``EpollEvents/oneShot`` is silent until
    ///     ``modify(_:_:)``.
    /// - Returns: what its events carry, and what names it from now on.
    /// - Throws: `EPERM` for a file that cannot be polled, `ENOSPC` past `/proc/sys/fs/epoll/max_user_watches`,
    ///   `EINVAL` for flags that exclude each other, `ENOMEM`. The descriptor is closed then.
    public mutating func insert(
        _ descriptor: consuming OwnedDescriptor, _ events: EpollEvents
    ) throws(Errno) -> InterestToken {
        try noticeFork()
        let number = descriptor.descriptor
        makeRoom(for: number)
        // The number was closed behind the set's back, or it could not be given away again.
        if unsafe slots[Int(number.rawValue)].isLive { lose(number) }
        let generation = unsafe slots[Int(number.rawValue)].generation &+ 1
        let token = InterestToken(number, generation: generation)
        do {
            try epoll.add(number, events, token: token.rawValue)
        } catch {
            // A ghost of the same file under the same number: it can be named again, so it can be removed.
            guard error == .fileExists else { throw error }
            try epoll.remove(number)
            try epoll.add(number, events, token: token.rawValue)
        }
        _ = descriptor.release()
        unsafe slots[Int(number.rawValue)].generation = generation
        unsafe slots[Int(number.rawValue)].events = events.rawValue
        count += 1
        return token
    }

    /// Stops watching a descriptor (`EPOLL_CTL_DEL`) and gives it back. Events of it that have been waited for and not
    /// been taken yet will not be delivered.
    ///
    /// - Throws: `ENOENT` for a token that is not live; `EBADF` or `ENOENT` when the number was closed behind the set's
    ///   back. The number is not given back then, because it is nobody's or somebody else's by now.
    public mutating func remove(_ token: InterestToken) throws(Errno) -> OwnedDescriptor {
        try noticeFork()
        guard holds(token) else { throw .noSuchFileOrDirectory }
        let descriptor = BorrowedDescriptor(rawValue: CInt(token.number))
        do {
            try unregister(descriptor)
        } catch {
            lose(descriptor)
            throw error
        }
        retire(token.number)
        return OwnedDescriptor(owning: FileDescriptor(rawValue: descriptor.rawValue))
    }

    /// Takes a live number out of the kernel's set, which fails if the number was closed behind the set's back.
    private func unregister(_ descriptor: BorrowedDescriptor) throws(Errno) {
        let number = descriptor.rawValue
        if unsafe slots[Int(number)].events & InterestSlot.absent == 0 {
            try epoll.remove(descriptor)
        } else {
            // The kernel's set knows nothing of it, so only that it is open can be asked.
            _ = try systemCall { fcntl(number, F_GETFD) }
        }
    }

    /// Stops watching a descriptor and closes it.
    ///
    /// - Throws: what ``remove(_:)`` and `close(2)` throw; the token is not live any more in any case.
    public mutating func close(_ token: InterestToken) throws(Errno) {
        try remove(token).close()
    }

    /// Replaces the events that a descriptor is watched for (`EPOLL_CTL_MOD`); arms a one-shot registration again.
    ///
    /// - Throws: `ENOENT` for a token that is not live, or whose number was closed behind the set's back (then also
    ///   `EBADF`); `EINVAL` when the registration is or would become exclusive.
    public mutating func modify(_ token: InterestToken, _ events: EpollEvents) throws(Errno) {
        try noticeFork()
        guard holds(token) else { throw .noSuchFileOrDirectory }
        let descriptor = BorrowedDescriptor(rawValue: CInt(token.number))
        if unsafe slots[token.number].events & InterestSlot.absent == 0 {
            try epoll.modify(descriptor, events, token: token.rawValue)
        } else {
            try epoll.add(descriptor, events, token: token.rawValue)
        }
        unsafe slots[token.number].events = events.rawValue
    }

    /// True if the token's descriptor is in the set.
    @inlinable public func holds(_ token: InterestToken) -> Bool {
        guard token.namesALife, token.number < slotCount else { return false }
        return unsafe slots[token.number].generation == token.generation
    }

    /// The descriptor, borrowed: to be read and written, not to be closed. Nil for a token that is not live.
    @inlinable public func descriptor(of token: InterestToken) -> BorrowedDescriptor? {
        holds(token) ? BorrowedDescriptor(rawValue: CInt(token.number)) : nil
    }

    // MARK: Events

    /// Waits for events (`epoll_wait(2)`), to be taken by ``nextEvent()``. Does nothing while some are left to be
    /// taken.
    ///
    /// - Parameter timeoutMilliseconds: -1 waits for ever, 0 does not wait. After a ghost the wait is up to 10 ms
    ///   longer, or ten times what it takes to make the kernel's set anew, whichever is more.
    /// - Returns: the most events that there are to take; fewer are delivered if some are of former lives.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC` in a child of `fork(2)` whose set could not be made anew, and
    ///   when a number's generations were used up; the next wait tries again. A set that could not be made anew for a
    ///   ghost's sake goes on with it, and counts that in ``Incidents/failedRebuilds``.
    @inlinable public mutating func wait(timeoutMilliseconds: CInt = -1) throws(Errno) -> Int {
        if next < end { return end - next }
        if mustRebuild || !stamp.isCurrent {
            guard try mend(timeoutMilliseconds: timeoutMilliseconds) else { return 0 }
        }
        waitNumber &+= 1
        next = 0
        end = 0
        end = try epoll.wait(
            into: buffer, timeout: timeoutMilliseconds < 0 ? nil : .milliseconds(timeoutMilliseconds))
        return end
    }

    /// The next event of the last wait; nil when all have been taken.
    @inlinable public mutating func nextEvent() -> InterestEvent? {
        while next < end {
            let event = unsafe EpollEvent(buffer.storage[next])
            next += 1
            let token = InterestToken(rawValue: event.token)
            let number = token.number
            if holds(token) {
                if unsafe slots[number].events & InterestSlot.oneShot != 0 {
                    unsafe slots[number].events |= InterestSlot.disarmed
                }
                return InterestEvent(token: token, events: event.events)
            }
            noteFormerLife(token)
        }
        return nil
    }
}
