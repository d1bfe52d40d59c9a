public import CEpoll
import Glibc

/// Room for the events of one wait, allocated once and used again for every wait.
///
/// One buffer belongs to one thread at a time.
@safe @frozen public struct EpollEventBuffer: ~Copyable {
    @usableFromInline let storage: UnsafeMutablePointer<epoll_event>
    @usableFromInline let capacity: CInt

    /// The most events that one wait can return: more would be 2 GiB (`EP_MAX_EVENTS`).
    public static var maximumCapacity: Int { Int(CInt.max) / eventSize }

    /// Allocates room for `capacity` events.
    ///
    /// - Precondition: `capacity` is from 1 to ``maximumCapacity``, and there is as much memory.
    public init(capacity: Int) {
        precondition(capacity > 0, "a buffer needs room for one event")
        precondition(capacity <= Self.maximumCapacity, "no wait returns so many events")
        self.capacity = CInt(capacity)
        guard let memory = unsafe calloc(capacity, eventSize) else {
            preconditionFailure("no memory for so many events")
        }
        unsafe storage = memory.bindMemory(to: epoll_event.self, capacity: capacity)
    }

    /// The event at `index`, which must be below the count that the last wait returned.
    @inlinable public subscript(index: Int) -> EpollEvent {
        precondition(index >= 0 && index < Int(capacity), "no such event")
        return unsafe EpollEvent(storage[index])
    }

    /// The memory of all events, as `epoll_wait(2)` and a ring's epoll request write it: good for as long as the buffer.
    ///
    /// An `EpollEventBuffer` whose memory a request was given must live until that request has completed.
    @unsafe @inlinable public var memory: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: storage, count: Int(capacity)))
    }

    deinit {
        unsafe free(storage)
    }
}

/// 12 on x86-64, where the kernel's struct is packed, and 16 elsewhere.
private let eventSize = unsafe MemoryLayout<epoll_event>.stride
