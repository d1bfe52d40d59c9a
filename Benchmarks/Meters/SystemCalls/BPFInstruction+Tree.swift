import LinuxSockets

/// What a program keeps of a thread, and where.
enum FollowedThread {
    static let bytes = 24
    /// The number of the call that it is in, of 32 bits.
    static let call: Int16 = 0
    /// Reads that brought something.
    static let reads: Int16 = 8
    /// Connections.
    static let accepts: Int16 = 16
}

/// Programs that follow the threads of a server. Each looks in `threads` for the thread that something happens to.
extension BPFInstruction {
    /// As the thread enters a system call: adds one to `counts[number]`.
    static func enterCall(_ threads: Int32, _ counts: Int32, _ places: Int32) -> [BPFInstruction] {
        keepContext + storeCaller(nil, process: false) + find(in: threads) + exitUnlessFound
            + number(places)
            + [
                BPFInstruction(0x63, to: 0, from: 1, offset: FollowedThread.call),  // *(u32 *)(r0 + call) = r1
                BPFInstruction(0x63, to: 10, from: 1, offset: -8),  // *(u32 *)(r10 - 8) = r1
            ]
            + addOne(in: counts) + exit
    }

    /// As the thread leaves a system call: adds one to its own `reads` or `accepts` if the call returned more than 0.
    static func leaveCall(_ threads: Int32, reads: [Int32], accepts: [Int32]) -> [BPFInstruction] {
        func count(_ number: Int32, _ place: Int16) -> [BPFInstruction] {
            [
                BPFInstruction(0x55, to: 2, offset: 2, number),  // if r2 != number, skip
                BPFInstruction(0xb7, to: 1, 1),  // r1 = 1
                BPFInstruction(0xdb, to: 0, from: 1, offset: place),  // lock *(u64 *)(r0 + place) += r1
            ]
        }
        return keepContext + storeCaller(nil, process: false) + find(in: threads) + exitUnlessFound
            + [
                BPFInstruction(0x79, to: 1, from: 6, offset: 8),  // r1 = context[1], what it returns
                BPFInstruction(0x65, to: 1, offset: 2, 0),  // if r1 > 0, go on
            ] + exit
            + [BPFInstruction(0x61, to: 2, from: 0, offset: FollowedThread.call)]  // r2 = *(u32 *)(r0 + call)
            + reads.flatMap { count($0, FollowedThread.reads) }
            + accepts.flatMap { count($0, FollowedThread.accepts) } + exit
    }

    /// As the thread starts a thread or a process: adds that to `threads`, or one to `counts[lost]` if they are full.
    static func follow(_ threads: Int32, _ counts: Int32, child: Int16, lost: Int32) -> [BPFInstruction] {
        keepContext + storeCaller(nil, process: false) + find(in: threads) + exitUnlessFound
            + store(child)
            + stride(from: Int16(-32), to: -8, by: 8).map { BPFInstruction(0x7a, to: 10, offset: $0, 0) }
            + [
                BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
                BPFInstruction(0x07, to: 2, -8),  // r2 += -8
                BPFInstruction(0xbf, to: 3, from: 10),  // r3 = r10
                BPFInstruction(0x07, to: 3, -32),  // r3 += -32, all 0
                BPFInstruction(0x18, to: 1, from: 1, threads),  // r1 = threads, in two instructions
                BPFInstruction(0x00),
                BPFInstruction(0xb7, to: 4, 0),  // r4 = 0
                BPFInstruction(0x85, 2),  // call bpf_map_update_elem
            ]
            // It is 0 where that was done.
            + exitUnlessFound
            + [BPFInstruction(0x62, to: 10, offset: -8, lost)]  // *(u32 *)(r10 - 8) = lost
            + addOne(in: counts) + exit
    }

    /// As a thread ends: its number may be another's from now on.
    static func forget(_ threads: Int32) -> [BPFInstruction] {
        storeCaller(nil, process: false)
            + [
                BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
                BPFInstruction(0x07, to: 2, -8),  // r2 += -8
                BPFInstruction(0x18, to: 1, from: 1, threads),  // r1 = threads, in two instructions
                BPFInstruction(0x00),
                BPFInstruction(0x85, 3),  // call bpf_map_delete_elem
            ] + exit
    }

    /// As a thread is woken: adds one to `counts[wakeups]`.
    static func wake(_ threads: Int32, _ counts: Int32, woken: Int16, wakeups: Int32) -> [BPFInstruction] {
        keepContext + store(woken) + find(in: threads) + exitUnlessFound
            + [BPFInstruction(0x62, to: 10, offset: -8, wakeups)]  // *(u32 *)(r10 - 8) = wakeups
            + addOne(in: counts) + exit
    }

    /// *(u32 *)(r10 - 8) = *(u32 *)(context + field).
    private static func store(_ field: Int16) -> [BPFInstruction] {
        [
            BPFInstruction(0x61, to: 1, from: 6, offset: field),  // r1 = *(u32 *)(r6 + field)
            BPFInstruction(0x63, to: 10, from: 1, offset: -8),  // *(u32 *)(r10 - 8) = r1
        ]
    }
}
