import LinuxSockets

/// Programs that count system calls. What they look up is in r0, their context in r6, and what they look up by, or count,
/// at r10 - 8.
extension BPFInstruction {
    /// When a thread of `threads` enters a system call, adds one to `counts[number]` of the call that it made before, and
    /// keeps the number of this one: that of the last place for one beyond the array.
    ///
    /// So a call counts when it has ended, as it does in the loops, and a worker that waits when the counts are read has
    /// not made the call in which it waits. A thread is known by its number in `namespace`, or in the first one.
    static func countCallsOfThreads(
        _ threads: Int32, _ counts: Int32, _ places: Int32, _ namespace: PidNamespace?
    ) -> [BPFInstruction] {
        keepContext + storeCaller(namespace, process: false) + find(in: threads) + exitUnlessFound
            + [BPFInstruction(0x61, to: 2, from: 0)]  // r2 = *(u32 *)r0, the number of the last call
            + number(places)
            + [
                BPFInstruction(0x63, to: 0, from: 1),  // *(u32 *)r0 = r1
                BPFInstruction(0x63, to: 10, from: 2, offset: -8),  // *(u32 *)(r10 - 8) = r2
            ]
            // There is no such place if there was no call before.
            + addOne(in: counts) + exit
    }

    /// When a thread of a process of `processes` enters a system call, adds one to `counts[number]`, to that of the last
    /// place for a number beyond the array.
    static func countCallsOfProcesses(
        _ processes: Int32, _ counts: Int32, _ places: Int32, _ namespace: PidNamespace?
    ) -> [BPFInstruction] {
        keepContext + storeCaller(namespace, process: true) + find(in: processes) + exitUnlessFound
            + number(places)
            + [BPFInstruction(0x63, to: 10, from: 1, offset: -8)]  // *(u32 *)(r10 - 8) = r1
            + addOne(in: counts) + exit
    }

    /// r1 = the number of the call that is entered, at the most the last of so many places.
    static func number(_ places: Int32) -> [BPFInstruction] {
        [
            BPFInstruction(0x79, to: 1, from: 6, offset: 8),  // r1 = context[1]
            BPFInstruction(0xb5, to: 1, offset: 1, places - 2),  // if r1 <= places - 2, skip
            BPFInstruction(0xb7, to: 1, places - 1),  // r1 = places - 1
        ]
    }

    /// Stores the number of the calling thread, or of its process, at r10 - 8, or exits.
    static func storeCaller(_ namespace: PidNamespace?, process: Bool) -> [BPFInstruction] {
        guard let namespace else {
            let shift = BPFInstruction(0x77, to: 0, 32)  // r0 >>= 32, the process
            return [BPFInstruction(0x85, 14)]  // call bpf_get_current_pid_tgid
                + (process ? [shift] : [])
                + [BPFInstruction(0x63, to: 10, from: 0, offset: -8)]  // *(u32 *)(r10 - 8) = r0
        }
        let move = [
            BPFInstruction(0x61, to: 1, from: 10, offset: -4),  // r1 = *(u32 *)(r10 - 4), the process
            BPFInstruction(0x63, to: 10, from: 1, offset: -8),  // *(u32 *)(r10 - 8) = r1
        ]
        func half(_ value: UInt64, _ shift: UInt64) -> Int32 { Int32(truncatingIfNeeded: value >> shift) }
        return [
            BPFInstruction(0x18, to: 1, half(namespace.device, 0)),  // r1 = device, in two instructions
            BPFInstruction(0x00, half(namespace.device, 32)),
            BPFInstruction(0x18, to: 2, half(namespace.inode, 0)),  // r2 = inode, in two instructions
            BPFInstruction(0x00, half(namespace.inode, 32)),
            BPFInstruction(0xbf, to: 3, from: 10),  // r3 = r10
            BPFInstruction(0x07, to: 3, -8),  // r3 += -8
            BPFInstruction(0xb7, to: 4, 8),  // r4 = 8, the size of thread and process number
            BPFInstruction(0x85, 120),  // call bpf_get_ns_current_pid_tgid
            BPFInstruction(0x15, to: 0, offset: 2, 0),  // if r0 == 0, go on: it is one of the namespace
            BPFInstruction(0xb7, to: 0, 0),  // r0 = 0
            BPFInstruction(0x95),  // exit
        ] + (process ? move : [])
    }
}

// MARK: What programs are made of

extension BPFInstruction {
    /// r6 = the context.
    static let keepContext = [BPFInstruction(0xbf, to: 6, from: 1)]

    static let exit = [
        BPFInstruction(0xb7, to: 0, 0),  // r0 = 0
        BPFInstruction(0x95),  // exit
    ]

    /// Goes on unless r0 is 0.
    static let exitUnlessFound = [BPFInstruction(0x55, to: 0, offset: 2, 0)] + exit

    /// r0 = the address of what `map` holds by the number at r10 - 8, or 0.
    static func find(in map: Int32) -> [BPFInstruction] {
        [
            BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
            BPFInstruction(0x07, to: 2, -8),  // r2 += -8
            BPFInstruction(0x18, to: 1, from: 1, map),  // r1 = map, in two instructions
            BPFInstruction(0x00),
            BPFInstruction(0x85, 1),  // call bpf_map_lookup_elem
        ]
    }

    /// Adds one to the number of `array` whose place is at r10 - 8; exits if it has no such place.
    static func addOne(in array: Int32) -> [BPFInstruction] {
        find(in: array) + exitUnlessFound
            + [
                BPFInstruction(0xb7, to: 1, 1),  // r1 = 1
                BPFInstruction(0xdb, to: 0, from: 1),  // lock *(u64 *)r0 += r1
            ]
    }
}
