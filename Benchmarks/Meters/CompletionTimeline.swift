/// When one client's operations were completed, finely enough to find a pause of all clients.
///
/// The window is cut into at most ``slotCount`` slots, each with its first and last completion. So a pause that is longer
/// than a slot is known exactly, and a shorter one not at all. Noting costs a comparison and a store.
@usableFromInline package struct CompletionTimeline: Sendable {
    package init() {}

    /// A slot is between a 512th and a 1024th of a window whose length is known.
    static let slotCount = 1024

    @usableFromInline var start: UInt64 = .max
    @usableFromInline var length: UInt64 = 0
    /// A slot is two to the power of this long, in nanoseconds.
    var shift: UInt64 = 0
    /// By slot; 0 where nothing was completed.
    var firsts = [UInt64](repeating: 0, count: slotCount)
    @usableFromInline var lasts = [UInt64](repeating: 0, count: slotCount)
    @usableFromInline var slot = 0
    /// Where the slot ends that the last completion lies in.
    @usableFromInline var slotEnd: UInt64 = 0

    /// True if a window was begun.
    package var hasBegun: Bool { start != .max }

    /// Forgets what was noted, and notes what is in this window from now on.
    ///
    /// - Parameter isOpen: its end is not known: slots begin short, and are joined in pairs when they do not reach.
    package mutating func begin(_ window: RunWindow, isOpen: Bool = false) {
        guard window.end > window.start else { return }
        start = window.start
        length = window.end - window.start
        shift = 16
        if !isOpen {
            while length >> shift >= UInt64(Self.slotCount) { shift += 1 }
        }
        (slot, slotEnd) = (0, 0)
        for index in firsts.indices { (firsts[index], lasts[index]) = (0, 0) }
    }

    /// An operation was completed at this time, which is not before the last one.
    @inlinable @inline(__always) package mutating func note(_ now: UInt64) {
        // A time before the start wraps around.
        guard now &- start < length else { return }
        if now < slotEnd { lasts[slot] = now } else { enterSlot(now) }
    }

    /// An operation was completed at this time, in any order.
    package mutating func note(unordered time: UInt64) {
        guard time &- start < length else { return }
        while (time - start) >> shift >= UInt64(Self.slotCount) { coarsen() }
        let slot = Int((time - start) >> shift)
        firsts[slot] = firsts[slot] == 0 ? time : min(firsts[slot], time)
        lasts[slot] = max(lasts[slot], time)
    }

    @usableFromInline @inline(never) mutating func enterSlot(_ now: UInt64) {
        while (now - start) >> shift >= UInt64(Self.slotCount) { coarsen() }
        slot = Int((now - start) >> shift)
        slotEnd = start + UInt64(slot + 1) << shift
        if firsts[slot] == 0 { firsts[slot] = now }
        lasts[slot] = now
    }

    /// Joins slots in pairs.
    private mutating func coarsen() {
        for index in 0..<Self.slotCount / 2 {
            let (left, right) = (2 * index, 2 * index + 1)
            firsts[index] = firsts[left] != 0 ? firsts[left] : firsts[right]
            lasts[index] = max(lasts[left], lasts[right])
        }
        for index in Self.slotCount / 2..<Self.slotCount { (firsts[index], lasts[index]) = (0, 0) }
        shift += 1
        slotEnd = 0
    }

    /// Takes in what another client of the same window noted.
    package mutating func add(_ other: CompletionTimeline) {
        guard other.hasBegun else { return }
        guard hasBegun else {
            self = other
            return
        }
        var other = other
        while other.shift < shift { other.coarsen() }
        while shift < other.shift { coarsen() }
        for index in 0..<Self.slotCount {
            if firsts[index] == 0 || other.firsts[index] == 0 {
                firsts[index] = max(firsts[index], other.firsts[index])
            } else {
                firsts[index] = min(firsts[index], other.firsts[index])
            }
            lasts[index] = max(lasts[index], other.lasts[index])
        }
        slotEnd = 0
    }

    /// The same by a clock that is so many nanoseconds behind.
    package func moved(by nanoseconds: Int64) -> CompletionTimeline {
        guard hasBegun else { return self }
        var moved = self
        func earlier(_ time: UInt64) -> UInt64 { time == 0 ? 0 : time &- UInt64(bitPattern: nanoseconds) }
        moved.start = earlier(start)
        moved.firsts = firsts.map(earlier)
        moved.lasts = lasts.map(earlier)
        moved.slotEnd = 0
        return moved
    }

    /// The longest time between `start` and `end`, which count as edges, in which none of the clients completed
    /// anything.
    package static func longestPause(of timelines: [CompletionTimeline], from start: UInt64, to end: UInt64) -> UInt64 {
        var timelines = timelines.filter(\.hasBegun)
        let shift = timelines.map(\.shift).max() ?? 0
        for index in timelines.indices {
            while timelines[index].shift < shift { timelines[index].coarsen() }
        }
        var longest: UInt64 = 0
        var previous = start
        for slot in 0..<slotCount {
            let first = timelines.map { $0.firsts[slot] }.filter { $0 != 0 }.min()
            guard let first, first <= end else { continue }
            longest = max(longest, first > previous ? first - previous : 0)
            previous = max(previous, timelines.map { $0.lasts[slot] }.max() ?? first)
        }
        return max(longest, end > previous ? end - previous : 0)
    }
}
