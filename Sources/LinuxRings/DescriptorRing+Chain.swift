import CIOUring
import Glibc
import LinuxDescriptors
public import SystemPackage

extension DescriptorRing {
    /// Queues the requests of a chain: all of them, for one enter, or none.
    ///
    /// - Throws: `ENOENT` for a token that is not live or is another ring's; `EINVAL` for a chain without parts or with more
    ///   than the queue holds, for a receive into a buffer without room, and for the close of what is lent or a
    ///   ring; `EBUSY` for the close of a token on which something else is pending, which would keep the connection open:
    ///   cancel that first (``cancel(_:on:)``); `EBADF` for the close of a number that was closed behind the ring's back;
    ///   `ESTALE` in a child; and what ``Ring/reserve(_:)`` throws. All buffers are freed then, or given back to their
    ///   groups.
    public mutating func prepare(_ chain: consuming RequestChain) throws(Errno) {
        try ensureUsable()
        let count = chain.count
        guard count > 0 else { throw .invalidArgument }
        for index in 0..<count { try check(chain, index) }
        try ring.reserve(UInt32(count))
        let given = unsafe chain.giveAway()
        for index in unsafe 0..<given.count { unsafe queue(given.parts[index], isLast: index == count - 1) }
    }

    private func check(_ chain: borrowing RequestChain, _ index: Int) throws(Errno) {
        let part = unsafe chain.parts[index]
        let member = unsafe try live(part.token).pointee
        if unsafe part.operation == .receive, let buffer = unsafe part.buffer {
            let header = unsafe buffer.assumingMemoryBound(to: RequestBuffer.Header.self)
            if unsafe header.pointee.upper - header.pointee.lower == header.pointee.capacity { throw .invalidArgument }
        }
        for earlier in 0..<index where unsafe chain.parts[earlier].operation == .close {
            if unsafe chain.parts[earlier].token == part.token { throw .noSuchFileOrDirectory }
        }
        guard unsafe part.operation == .close else { return }
        if member.kind == .slot { return try checkQuiet(member) }
        guard member.kind == .owned else { throw .invalidArgument }
        guard RingSlots.isIntact(member) else { throw .badFileDescriptor }
        try checkQuiet(member)
    }

    private func checkQuiet(_ member: RingSlots.Member) throws(Errno) {
        if member.firstRequest != RequestTable.none { throw .resourceBusy }
    }

    /// Fills the next submission, for which there is room.
    @unsafe private mutating func queue(_ part: RequestChain.Part, isLast: Bool) {
        let identifier = requests.nextIdentifier()
        guard let member = unsafe slots.find(part.token), let entry = unsafe try? ring.nextEntry(identifier) else {
            preconditionFailure("a part that was checked, and a place that was reserved")
        }
        unsafe fill(entry, part, member.pointee, isLast: isLast)
        // IORING_OP_CLOSE and IORING_OP_LINK_TIMEOUT take no IOSQE_FIXED_FILE.
        let hasFile = unsafe part.operation != .close && part.operation != .limit
        unsafe entry.pointee.flags = (hasFile ? member.pointee.fileFlags : 0) | (isLast ? 0 : C_IOSQE_IO_LINK)
        unsafe entry.pointee.user_data = identifier
        unsafe requests.begin(
            part.operation, on: part.token.index, &member.pointee.firstRequest, part.content, buffer: part.buffer)
        if unsafe part.operation == .close { unsafe member.pointee.generation |= RingSlots.closingBit }
    }

    @unsafe private func fill(
        _ entry: UnsafeMutablePointer<io_uring_sqe>, _ part: RequestChain.Part, _ member: RingSlots.Member, isLast: Bool
    ) {
        let number = member.number
        switch unsafe part.operation {
        case .send:
            let (start, count) = unsafe bytes(of: part)
            let flags = CInt(MSG_NOSIGNAL) | (isLast ? 0 : CInt(MSG_WAITALL))
            unsafe io_uring_prep_send(entry, number, start, min(count, largestTransferBytes), flags)
        case .receive:
            guard let buffer = unsafe part.buffer else { return }
            let header = unsafe buffer.assumingMemoryBound(to: RequestBuffer.Header.self)
            let request = unsafe RequestBuffer(header)
            if let room = unsafe try? request.room() {
                unsafe io_uring_prep_recv(entry, number, room.start, min(room.count, largestTransferBytes), 0)
            }
            _ = unsafe request.giveAway()
        case .poll: unsafe io_uring_prep_poll_add(entry, number, part.events.rawValue)
        case .close:
            if member.kind == .slot {
                unsafe io_uring_prep_close_direct(entry, UInt32(bitPattern: number))
            } else {
                unsafe io_uring_prep_close(entry, number)
            }
        case .limit:
            let place = unsafe (ring.ring.sq.sqe_tail &- 1) & ring.ring.sq.ring_mask
            unsafe io_uring_prep_link_timeout(entry, limits.keep(part.limit, at: place), 0)
        default: preconditionFailure("no part of a chain")
        }
    }

    @unsafe private func bytes(of part: RequestChain.Part) -> (start: UnsafeRawPointer?, count: Int) {
        guard let buffer = unsafe part.buffer else { return (nil, 0) }
        if unsafe part.content == .groupBuffer {
            let entry = unsafe buffer.assumingMemoryBound(to: GroupBuffer.Entry.self).pointee
            return unsafe (UnsafeRawPointer(entry.start + entry.lower), entry.upper - entry.lower)
        }
        let header = unsafe buffer.assumingMemoryBound(to: RequestBuffer.Header.self).pointee
        return unsafe (UnsafeRawPointer(buffer + RequestBuffer.headerBytes + header.lower), header.upper - header.lower)
    }

    /// What became of a token whose close was a part of a chain.
    mutating func endClose(_ index: UInt32, _ result: Int32) {
        let member = unsafe slots.members + Int(index)
        switch -result {
        case ECANCELED, EINVAL, EOPNOTSUPP:
            // It did not come to that: the token is live again.
            unsafe member.pointee.generation &= ~RingSlots.closingBit
        default:
            // The number is free, whatever the file system said.
            unsafe member.pointee.number = -1
            retireIfClosed(index)
        }
    }

    /// Ends a token whose descriptor was closed, with its last request.
    mutating func retireIfClosed(_ index: UInt32) {
        let member = unsafe slots.members[Int(index)]
        guard member.isClosing, member.number < 0, member.firstRequest == RequestTable.none else { return }
        slots.retire(index)
    }
}
