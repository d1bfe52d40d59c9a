/// Slots or streams that a unix listener's full queue did not let in, in the order in which they came.
///
/// The first one alone tries again, and those behind it once it got in: many that wait cost no more than one.
struct WaitingLine: ~Copyable {
    private var members: TimedQueue
    /// When the first one tries again; `UInt64.max` if nobody waits.
    private(set) var nextTime = UInt64.max

    init(capacity: Int) { members = TimedQueue(capacity: capacity) }

    var isEmpty: Bool { members.next == nil }

    /// Adds one behind the others.
    ///
    /// - Precondition: fewer wait than there is room for.
    mutating func push(_ member: Int, at now: UInt64) {
        if isEmpty { postpone(at: now) }
        members.push(member, at: now)
    }

    /// The first one, if it is to try by now.
    func first(dueAt now: UInt64) -> Int? { nextTime <= now ? members.next : nil }

    /// The first one got in, or waits no more; the one behind it is to try at once.
    mutating func removeFirst() {
        _ = members.pop(dueAt: .max)
        if isEmpty { nextTime = .max }
    }

    /// The first one was refused again.
    mutating func postpone(at now: UInt64) { nextTime = now + fullQueueNanoseconds }
}
