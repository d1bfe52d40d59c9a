/// Streams in the order in which something is to be done with them, for delays that are all alike.
///
/// All memory is allocated beforehand.
@safe struct TimedQueue: ~Copyable {
    private struct Entry {
        let time: UInt64
        let stream: Int
    }

    private let entries: UnsafeMutablePointer<Entry>
    private let capacity: Int
    private var first = 0
    private var count = 0
    private var latest: UInt64 = 0
    /// When the next one is due; `UInt64.max` if there is none.
    private(set) var nextTime = UInt64.max

    init(capacity: Int) {
        self.capacity = capacity
        unsafe entries = .allocate(capacity: max(capacity, 1))
    }

    deinit {
        unsafe entries.deallocate()
    }

    /// Adds a stream, due at this time or when the one before it is, if that is later.
    ///
    /// - Precondition: fewer are in the queue than it has room for.
    mutating func push(_ stream: Int, at time: UInt64) {
        precondition(count < capacity, "one is queued twice")
        latest = max(latest, time)
        unsafe (entries + (first + count) % capacity).initialize(to: Entry(time: latest, stream: stream))
        if count == 0 { nextTime = latest }
        count += 1
    }

    /// The stream that is due next; nil if there is none.
    var next: Int? { count == 0 ? nil : unsafe entries[first].stream }

    /// Takes the next stream if it is due.
    mutating func pop(dueAt now: UInt64) -> Int? {
        guard nextTime <= now else { return nil }
        let stream = unsafe entries[first].stream
        first = (first + 1) % capacity
        count -= 1
        nextTime = count == 0 ? .max : unsafe entries[first].time
        return stream
    }
}
