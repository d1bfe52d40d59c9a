import Glibc
public import LinuxDescriptors
import Synchronization
public import SystemPackage

/// An epoll set that owns what it watches, so that a registration cannot outlive its descriptor.
///
/// Inserting a descriptor gives it to the set and returns a token. Removing it takes it out of the kernel's set first
/// and gives it back; there is no way to close it before that. A token counts the lives of its descriptor number, so an
/// event of a former life is never delivered: it is counted in ``incidents``, and the kernel's set is made anew, which
/// ends the registration that nothing can name. A fork is noticed in the child, whose set is made anew before it is
/// used, because it would otherwise change its parent's.
///
/// Beside what each operation throws, all of them throw `EMFILE`, `ENFILE`, `ENOMEM` and `ENOSPC` when the kernel's set
/// has to be made anew first, in a child or because it was closed behind the set's back, and cannot be; nothing has
/// changed then but that ``insert(_:_:)`` has closed its descriptor.
///
/// Which accidents the type prevents and which it cannot: <doc:Registrations>. A server built on it: <doc:EchoServer>.
///
/// A set belongs to one thread at a time, and takes two descriptors of its own, and a third once it is watched itself
/// (``descriptor``). What it costs beside bare ``Epoll`` is in <doc:Registrations>.
@safe @frozen public struct InterestSet: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has one owner, and every change needs exclusive access to it.
    @usableFromInline var kernel: KernelSet
    @usableFromInline let buffer: EpollEventBuffer
    /// By descriptor number.
    @usableFromInline var slots: UnsafeMutablePointer<InterestSlot>
    @usableFromInline var slotCount: Int
    /// Tells the tokens of this set from those of others.
    @usableFromInline let identifier: UInt32
    /// Events of the last wait that have not been taken: those from `next` to `end`.
    @usableFromInline var next = 0
    @usableFromInline var end = 0
    /// Counts waits, so that an event can be told to be older than a removal.
    @usableFromInline var waitNumber: UInt32 = 1
    @usableFromInline var stamp: ForkStamp
    @usableFromInline var mustRebuild = false
    /// True once a registration was one-shot: only then the events of a wait are looked through for them.
    @usableFromInline var hasOneShots = false
    /// True from the last generation of a number to the next time the kernel's set is made anew.
    var generationsBeganAnew = false
    /// When the kernel's set may be made anew for a ghost's sake, on the monotonic clock.
    var rebuildAllowedAt: UInt64 = 0
    /// The number of the set that stands for this one where it is watched; -1 until it is asked for.
    var gate: CInt = -1

    /// Descriptors in the set.
    public internal(set) var count = 0
    /// What went wrong so far, and was dealt with.
    public internal(set) var incidents: Incidents

    /// Makes an empty set (`epoll_create1(2)`, and a `socket(2)` by which it knows its own again).
    ///
    /// - Parameter capacity: the most events that one wait takes from the kernel.
    /// - Precondition: the capacity is 1 to ``EpollEventBuffer/maximumCapacity``.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC` past `/proc/sys/fs/epoll/max_user_watches`.
    public init(capacity: Int = 64) throws(Errno) {
        let kernel = try KernelSet()
        self.kernel = kernel
        buffer = EpollEventBuffer(capacity: capacity)
        slotCount = 64
        unsafe slots = .allocate(capacity: 64)
        unsafe slots.initialize(repeating: InterestSlot(), count: 64)
        identifier = lastIdentifier.add(1, ordering: .relaxed).newValue
        stamp = .current()
        incidents = Incidents()
    }

    deinit {
        let isIntact = kernel.isIntact
        closeGate(isIntact)
        closeAll(isIntact)
        unsafe slots.deallocate()
        if !isIntact { kernel.letGo() }
    }

    // MARK: Membership

    /// Takes a descriptor over and watches it (`EPOLL_CTL_ADD`).
    ///
    /// - Parameters:
    ///   - descriptor: what to watch; the set closes it in the end.
    ///   - events: what to watch for. After an event, a registration with ``EpollEvents/oneShot`` is silent until
    ///     ``modify(_:_:)``.
    /// - Returns: what its events carry, and what names it from now on.
    /// - Throws: `EBADF` for a number that is not open, `EPERM` for a file that cannot be polled, `ENOSPC` past
    ///   `/proc/sys/fs/epoll/max_user_watches`, `EINVAL` for flags that exclude each other, `ELOOP` for sets that would
    ///   watch each other, `ENOMEM`. The descriptor is closed then.
    public mutating func insert(
        _ descriptor: consuming OwnedDescriptor, _ events: EpollEvents
    ) throws(Errno) -> InterestToken {
        try noticeFork()
        let number = descriptor.descriptor
        let index = Int(number.rawValue)
        // The number was closed behind the set's back, or it could not be given away again.
        if unsafe index < slotCount && slots[index].isLive { lose(index) }
        let generation = index < slotCount ? unsafe slots[index].generation &+ 1 : 1
        let token = InterestToken(number, generation: generation, set: identifier)
        do {
            try kernel.epoll.add(number, events, token: token.life)
        } catch {
            if error == .fileExists {
                // A ghost of the same file under the same number: it can be named again, so it can be removed.
                try kernel.epoll.remove(number)
            } else {
                guard try madeLostSetAnew() else { throw error }
            }
            try kernel.epoll.add(number, events, token: token.life)
        }
        let identity = try FileIdentity(of: number)
        // Only now: the kernel has accepted the number, so it is one that a table can have.
        makeRoom(for: number)
        _ = descriptor.release()
        unsafe slots[index].generation = generation
        unsafe slots[index].identity = identity
        arm(index, events)
        count += 1
        return token
    }

    /// Stops watching a descriptor (`EPOLL_CTL_DEL`) and gives it back. Events of it that have been waited for and not
    /// been taken yet will not be delivered.
    ///
    /// - Throws: `ENOENT` for a token that is not live; `EBADF` or `ENOENT` when the number was closed behind the set's
    ///   back. The number is not given back then, because it is nobody's or somebody else's by now.
    public mutating func remove(_ token: InterestToken) throws(Errno) -> OwnedDescriptor {
        try unregister(token)
        retire(token.number)
        return OwnedDescriptor(owning: FileDescriptor(rawValue: CInt(token.number)))
    }

    /// Stops watching a descriptor and closes it.
    ///
    /// - Throws: what ``remove(_:)`` and `close(2)` throw; after an error of `close(2)` the token is not live any more.
    public mutating func close(_ token: InterestToken) throws(Errno) {
        try remove(token).close()
    }

    /// Replaces the events that a descriptor is watched for (`EPOLL_CTL_MOD`); arms a one-shot registration again. An
    /// event of it that was waited for before and is not taken yet is still delivered. A paused descriptor stays
    /// paused, and is watched for these events when it is resumed.
    ///
    /// - Throws: `ENOENT` for a token that is not live; `ENOENT` or `EBADF` when the number was closed behind the set's
    ///   back, and then the token is not live any more; `EINVAL` when the registration is or would become exclusive; `ENOSPC` and `ENOMEM` for one-shot
    ///   registrations that a set made anew left out.
    public mutating func modify(_ token: InterestToken, _ events: EpollEvents) throws(Errno) {
        try noticeFork()
        guard holds(token) else { throw .noSuchFileOrDirectory }
        if unsafe events.contains(.exclusive) || slots[token.number].isExclusive { throw .invalidArgument }
        switch unsafe slots[token.number].registration {
        case .armed, .fired:
            do {
                try kernel.epoll.modify(token.descriptor, events, token: token.life)
            } catch {
                if try madeLostSetAnew() { return try modify(token, events) }
                if error == .noSuchFileOrDirectory || error == .badFileDescriptor { lose(token.number) }
                throw error
            }
        case .leftOut: try register(token, events)
        case .paused:
            unsafe slots[token.number].events = events.rawValue
            return
        }
        arm(token.number, events)
    }

    /// True if the token's descriptor is in the set.
    @inlinable public func holds(_ token: InterestToken) -> Bool {
        token.set == identifier && isLive(token.life)
    }

    @inlinable @inline(__always) func isLive(_ life: UInt64) -> Bool {
        let number = Life.number(life)
        // In an even generation the number is in no set.
        guard life >> 32 & 1 == 1, number < slotCount else { return false }
        return unsafe slots[number].generation == Life.generation(life)
    }

    /// The descriptor, borrowed; nil for a token that is not live.
    @inlinable public func descriptor(of token: InterestToken) -> BorrowedDescriptor? {
        holds(token) ? token.descriptor : nil
    }

    mutating func arm(_ number: Int, _ events: EpollEvents) {
        unsafe slots[number].events = events.rawValue
        unsafe slots[number].registration = .armed
        if events.contains(.oneShot) { hasOneShots = true }
    }
}

/// The identifier of the youngest set. Sets of a child and of its parent may share one: neither can get at the other's.
private let lastIdentifier = Atomic<UInt32>(0)

extension InterestToken {
    @inlinable var descriptor: BorrowedDescriptor { BorrowedDescriptor(rawValue: CInt(truncatingIfNeeded: number)) }
}
