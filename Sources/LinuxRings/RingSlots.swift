public import LinuxDescriptors
import SystemPackage

/// What a ``DescriptorRing`` owns, by index: a descriptor, its generation, and the first of its requests.
@safe @usableFromInline struct RingSlots: ~Copyable {
    @usableFromInline struct Member {
        /// Odd while there is a descriptor.
        @usableFromInline var generation: UInt32 = 0
        @usableFromInline var number: CInt = -1
        @usableFromInline var firstRequest = RequestTable.none

        init() {}
    }

    @usableFromInline var members: UnsafeMutablePointer<Member>
    @usableFromInline var count = 0
    private var capacity = 16
    private var free: [UInt32] = []
    @usableFromInline let ring = RingToken.nextRing()

    init() { unsafe members = .allocate(capacity: capacity) }

    // Inlinable because DescriptorRing's inlinable members may end the slots, which the optimizer insists on inlining.
    @inlinable deinit { closeAll() }

    @usableFromInline func closeAll() {
        for index in 0..<count where unsafe members[index].generation & 1 == 1 {
            _ = unsafe OwnedDescriptor(owning: FileDescriptor(rawValue: members[index].number))
        }
        unsafe members.deallocate()
    }

    var liveCount: Int { count - free.count }

    var liveTokens: [RingToken] {
        (0..<count).filter { unsafe members[$0].generation & 1 == 1 }.map { token(UInt32($0)) }
    }

    mutating func insert(_ number: CInt) -> RingToken {
        if free.isEmpty { grow() }
        let index = free.removeLast()
        unsafe members[Int(index)].generation &+= 1
        unsafe members[Int(index)].number = number
        return token(index)
    }

    private mutating func grow() {
        precondition(count < 1 << 24, "a ring owns at most 16 777 216 descriptors")
        if count == capacity {
            capacity *= 2
            let larger = UnsafeMutablePointer<Member>.allocate(capacity: capacity)
            unsafe larger.moveInitialize(from: members, count: count)
            unsafe members.deallocate()
            unsafe members = unsafe larger
        }
        unsafe (members + count).initialize(to: Member())
        free.append(UInt32(count))
        count += 1
    }

    mutating func retire(_ token: RingToken) {
        unsafe members[Int(token.index)].generation &+= 1
        unsafe members[Int(token.index)].number = -1
        free.append(token.index)
    }

    /// What names the descriptor at an index now.
    @inlinable @inline(__always) func token(_ index: UInt32) -> RingToken {
        unsafe RingToken(index: index, generation: members[Int(index)].generation, ring: ring)
    }

    @inlinable @inline(__always) func find(_ token: RingToken) -> UnsafeMutablePointer<Member>? {
        guard token.ring == ring, Int(token.index) < count else { return nil }
        let member = unsafe members + Int(token.index)
        return unsafe member.pointee.generation == token.generation ? member : nil
    }

    @inlinable func isLive(_ token: RingToken) -> Bool { unsafe find(token) != nil }

    @inlinable func descriptor(of token: RingToken) -> BorrowedDescriptor? {
        guard let member = unsafe find(token) else { return nil }
        return unsafe BorrowedDescriptor(rawValue: member.pointee.number)
    }
}
