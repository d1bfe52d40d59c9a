/// Slots or streams that a unix listener's full queue did not let in, in the order in which they came.
///
/// The first one alone tries again, and those behind it once it got in: many that wait cost no more than one. All memory
/// is allocated beforehand.
@safe struct WaitingLine: ~Copyable {
    private let members: UnsafeMutablePointer<Int>
    private let capacity: Int
    private var front = 0
    private var count = 0
    /// When the first one tries again; `UInt64.max` if nobody waits.
    private(set) var nextTime = UInt64.max

    init(capacity: Int) {
        self.capacity = capacity
        unsafe members = .allocate(capacity: max(capacity, 1))
    }

    deinit {
        unsafe members.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// Adds one behind the others.
    ///
    /// - Precondition: fewer wait than there is room for.
    mutating func push(_ member: Int, at now: UInt64) {
        precondition(count < capacity, "somebody waits twice")
        unsafe (members + (front + count) % capacity).initialize(to: member)
        count += 1
        if count == 1 { postpone(at: now) }
    }

    /// The first one, if it is to try by now.
    func first(dueAt now: UInt64) -> Int? {
        nextTime <= now ? unsafe members[front] : nil
    }

    /// The first one got in, or waits no more; the one behind it is to try at once.
    mutating func removeFirst() {
        front = (front + 1) % capacity
        count -= 1
        if count == 0 { nextTime = .max }
    }

    /// The first one was refused again.
    mutating func postpone(at now: UInt64) { nextTime = now + fullQueueNanoseconds }
}
