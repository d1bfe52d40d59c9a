public import CEpoll

/// Room for the events of one wait, allocated once and used again for every wait.
///
/// One buffer belongs to one thread at a time.
@safe @frozen public struct EpollEventBuffer: ~Copyable {
    @usableFromInline let storage: UnsafeMutablePointer<epoll_event>
    @usableFromInline let capacity: CInt

    /// Allocates room for `capacity` events, at least one.
    public init(capacity: Int) {
        precondition(capacity > 0, "a buffer needs room for one event")
        self.capacity = CInt(capacity)
        unsafe storage = .allocate(capacity: capacity)
        unsafe storage.initialize(repeating: epoll_event(), count: capacity)
    }

    /// The event at `index`, which must be below the count that the last wait returned.
    @inlinable public subscript(index: Int) -> EpollEvent {
        precondition(index >= 0 && index < Int(capacity), "no such event")
        return unsafe EpollEvent(storage[index])
    }

    deinit {
        unsafe storage.deallocate()
    }
}
