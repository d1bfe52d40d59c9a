import Glibc

/// One thread's connections by slot, with a stack of free slots.
@safe struct SlotTable: ~Copyable {
    /// A connection and its operation.
    struct Slot {
        /// -1 in a free slot.
        var descriptor: CInt = -1
        var start: UInt64 = 0
        /// Which of the client's requests it is, and how many bytes of it are sent.
        var number: UInt64 = 0
        var sent = 0
    }

    let capacity: Int
    private let slots: UnsafeMutablePointer<Slot>
    private let free: UnsafeMutablePointer<Int32>
    private var freeCount: Int

    /// Allocates all memory.
    init(capacity: Int) {
        self.capacity = capacity
        unsafe slots = .allocate(capacity: capacity)
        unsafe slots.initialize(repeating: Slot(), count: capacity)
        unsafe free = .allocate(capacity: capacity)
        for slot in 0..<capacity { unsafe (free + slot).initialize(to: Int32(capacity - 1 - slot)) }
        freeCount = capacity
    }

    deinit {
        for slot in 0..<capacity where unsafe slots[slot].descriptor >= 0 { unsafe close(slots[slot].descriptor) }
        unsafe slots.deallocate()
        unsafe free.deallocate()
    }

    var hasFree: Bool { freeCount > 0 }
    var used: Int { capacity - freeCount }

    /// The slot that ``take(_:startedAt:number:)`` takes next.
    var next: Int { unsafe Int(free[freeCount - 1]) }

    subscript(slot: Int) -> Slot {
        get { unsafe slots[slot] }
        nonmutating set { unsafe slots[slot] = newValue }
    }

    /// Puts a connection, which the table owns from now on, into the next slot.
    mutating func take(_ descriptor: CInt, startedAt start: UInt64, number: UInt64) {
        self[next] = Slot(descriptor: descriptor, start: start, number: number)
        freeCount -= 1
    }

    /// Closes a slot's connection.
    mutating func release(_ slot: Int) {
        unsafe close(slots[slot].descriptor)
        unsafe slots[slot].descriptor = -1
        unsafe free[freeCount] = Int32(slot)
        freeCount += 1
    }
}
