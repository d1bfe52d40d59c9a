import Glibc

/// One thread's connections by slot, with a stack of free slots.
@safe struct SlotTable: ~Copyable {
    /// A connection and its operation.
    struct Slot {
        /// -1 in a free slot, and while it is not connected.
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

    subscript(slot: Int) -> Slot {
        get { unsafe slots[slot] }
        nonmutating set { unsafe slots[slot] = newValue }
    }

    /// Takes a free slot for an operation, without a connection so far.
    mutating func take(startedAt start: UInt64, number: UInt64) -> Int {
        freeCount -= 1
        let slot = unsafe Int(free[freeCount])
        unsafe slots[slot] = Slot(start: start, number: number)
        return slot
    }

    /// Gives a slot its connection, which the table owns from now on.
    func connect(_ slot: Int, _ descriptor: CInt) { unsafe slots[slot].descriptor = descriptor }

    /// Frees a slot, and closes its connection if it has one.
    mutating func release(_ slot: Int) {
        if unsafe slots[slot].descriptor >= 0 { unsafe close(slots[slot].descriptor) }
        unsafe slots[slot].descriptor = -1
        unsafe free[freeCount] = Int32(slot)
        freeCount += 1
    }
}
