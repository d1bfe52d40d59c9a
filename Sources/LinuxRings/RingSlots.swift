import CIOUring
public import LinuxDescriptors
import SystemPackage

/// What a ``DescriptorRing`` owns, by index: a descriptor or a slot, its generation, and the first of its requests.
@safe @usableFromInline struct RingSlots: ~Copyable {
    @usableFromInline struct Member {
        /// Odd while there is a descriptor. With ``closingBit`` its close is queued, and it has no name any more.
        @usableFromInline var generation: UInt32 = 0
        /// -1 when it was closed and a request of it is pending yet.
        @usableFromInline var number: CInt = -1
        @usableFromInline var firstRequest = RequestTable.none
        @usableFromInline var kind = Kind.owned
        /// What a submission on it needs: `IOSQE_FIXED_FILE`, or nothing.
        @usableFromInline var fileFlags: UInt8 = 0
        /// The file that was inserted, as far as `fstat(2)` can tell; nil of a slot of the ring.
        @usableFromInline var identity: FileIdentity?

        init() {}

        var isClosing: Bool { generation & RingSlots.closingBit != 0 }
    }

    /// Whose the number of a member is.
    @usableFromInline enum Kind: UInt8 {
        /// The ring's.
        case owned
        /// The ring's, and a place in its own file table.
        case slot
        /// Somebody else's.
        case lent
        /// The ring's, another ring.
        case peer
        /// The ring's, a counter of its own: nobody has a token.
        case hidden
    }

    @inlinable static var closingBit: UInt32 { 1 << 31 }

    @usableFromInline var members: UnsafeMutablePointer<Member>
    @usableFromInline var count = 0
    private var capacity = 16
    private var free: [UInt32] = []
    private var hiddenCount = 0
    @usableFromInline let ring = RingToken.nextRing()

    init() { unsafe members = .allocate(capacity: capacity) }

    // Inlinable because DescriptorRing's inlinable members may end the slots, which the optimizer insists on inlining.
    @inlinable deinit { unsafe members.deallocate() }

    /// Closes what is still what was inserted, for the end of the ring; its own file table ends with it.
    ///
    /// - Parameter trustsShared: whether a number is believed to be the file that was inserted where `fstat(2)` cannot
    ///   tell it from others of its kind.
    func closeAll(trustsShared: Bool) {
        for index in 0..<count where unsafe members[index].generation & 1 == 1 {
            let member = unsafe members[index]
            if member.kind == .slot || member.kind == .lent || member.number < 0 { continue }
            // One whose close may have run could be a stranger's.
            let trustsShared = trustsShared && !member.isClosing
            guard Self.isIntact(member), trustsShared || member.identity?.isShared == false else { continue }
            _ = OwnedDescriptor(owning: FileDescriptor(rawValue: member.number))
        }
    }

    /// False if the number was closed behind the ring's back.
    static func isIntact(_ member: Member) -> Bool {
        guard let identity = try? FileIdentity(of: BorrowedDescriptor(rawValue: member.number)) else { return false }
        return identity == member.identity
    }

    var liveCount: Int { count - free.count - hiddenCount }

    var liveTokens: [RingToken] {
        func isLive(_ member: Member) -> Bool {
            member.generation & 1 == 1 && !member.isClosing && member.kind != .hidden
        }
        return (0..<count).filter { unsafe isLive(members[$0]) }.map { token(UInt32($0)) }
    }

    mutating func insert(_ number: CInt, _ identity: FileIdentity?, _ kind: Kind = .owned) -> RingToken {
        if free.isEmpty { grow() }
        let index = free.removeLast()
        let member = unsafe members + Int(index)
        unsafe member.pointee.generation = (member.pointee.generation &+ 1) & ~Self.closingBit
        unsafe member.pointee.number = number
        unsafe member.pointee.kind = kind
        unsafe member.pointee.fileFlags = kind == .slot ? C_IOSQE_FIXED_FILE : 0
        unsafe member.pointee.identity = identity
        if kind == .hidden { hiddenCount += 1 }
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

    mutating func retire(_ index: UInt32) {
        let member = unsafe members + Int(index)
        unsafe member.pointee.generation = (member.pointee.generation &+ 1) & ~Self.closingBit
        unsafe member.pointee.number = -1
        free.append(index)
    }

    /// What names the descriptor at an index now, or did before its close was queued.
    @inlinable @inline(__always) func token(_ index: UInt32) -> RingToken {
        unsafe RingToken(
            index: index, generation: members[Int(index)].generation & ~Self.closingBit, ring: ring)
    }

    @inlinable @inline(__always) func find(_ token: RingToken) -> UnsafeMutablePointer<Member>? {
        guard token.ring == ring, Int(token.index) < count else { return nil }
        let member = unsafe members + Int(token.index)
        return unsafe member.pointee.generation == token.generation ? member : nil
    }

    /// Like ``find(_:)``, and finds those whose close is queued, too.
    func findPending(_ token: RingToken) -> UnsafeMutablePointer<Member>? {
        guard token.ring == ring, Int(token.index) < count, self.token(token.index) == token else { return nil }
        return unsafe members + Int(token.index)
    }

    @inlinable func isLive(_ token: RingToken) -> Bool { unsafe find(token) != nil }

    @inlinable func descriptor(of token: RingToken) -> BorrowedDescriptor? {
        guard let member = unsafe find(token), unsafe member.pointee.kind != .slot else { return nil }
        return unsafe BorrowedDescriptor(rawValue: member.pointee.number)
    }
}
