public import LinuxDescriptors
import SystemPackage

/// What a ``DescriptorRing`` owns, by index: a descriptor, its generation, and how many requests are pending on it.
@safe @usableFromInline struct RingSlots: ~Copyable {
    @usableFromInline struct Slot {
        /// Odd while the slot has a descriptor.
        @usableFromInline var generation: UInt32 = 0
        @usableFromInline var number: CInt = -1
        @usableFromInline var pending: UInt32 = 0

        @usableFromInline init() {}
    }

    @usableFromInline var slots: [Slot] = []
    private var free: [UInt32] = []

    init() {}

    // Inlinable because DescriptorRing's inlinable members may end the slots, which the optimizer insists on inlining.
    @inlinable deinit {
        closeAll()
    }

    @usableFromInline func closeAll() {
        for slot in slots where slot.generation & 1 == 1 {
            _ = OwnedDescriptor(owning: FileDescriptor(rawValue: slot.number))
        }
    }

    var liveCount: Int { slots.count - free.count }

    var liveTokens: [RingToken] {
        slots.indices.filter { slots[$0].generation & 1 == 1 }.map {
            RingToken(index: UInt32($0), generation: slots[$0].generation)
        }
    }

    mutating func insert(_ descriptor: BorrowedDescriptor) -> RingToken {
        if free.isEmpty {
            precondition(slots.count < RingToken.capacity, "a ring owns at most 16 777 216 descriptors")
            free.append(UInt32(slots.count))
            slots.append(Slot())
        }
        let index = free.removeLast()
        slots[Int(index)].generation &+= 1
        slots[Int(index)].number = descriptor.rawValue
        return RingToken(index: index, generation: slots[Int(index)].generation)
    }

    mutating func retire(_ token: RingToken) {
        slots[Int(token.index)].generation &+= 1
        slots[Int(token.index)].number = -1
        free.append(token.index)
    }

    @inlinable func isLive(_ token: RingToken) -> Bool {
        Int(token.index) < slots.count && slots[Int(token.index)].generation == token.generation
    }

    @inlinable func descriptor(of token: RingToken) -> BorrowedDescriptor? {
        isLive(token) ? BorrowedDescriptor(rawValue: slots[Int(token.index)].number) : nil
    }

    func pending(on token: RingToken) -> UInt32 { isLive(token) ? slots[Int(token.index)].pending : 0 }

    @inlinable mutating func began(_ token: RingToken) { slots[Int(token.index)].pending += 1 }

    @inlinable mutating func ended(_ token: RingToken) {
        if isLive(token) { slots[Int(token.index)].pending -= 1 }
    }
}
