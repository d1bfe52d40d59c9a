import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import Synchronization

/// Counts by a BPF program that finds the calling thread, or its process, in a table and adds to an array, which this
/// process has mapped.
///
/// Needs `CAP_BPF` and `CAP_PERFMON`, or root, and Linux 5.5; in a pid namespace other than the first, Linux 5.7.
@safe final class BPFCallCounter: CallCounting, @unchecked Sendable {
    // Unchecked because of the pointer: the kernel writes the numbers, each a 64-bit word, and they are only read.
    private let counts: UnsafePointer<UInt64>
    /// What is watched, by its number.
    private let table: OwnedDescriptor
    private let countsProcesses: Bool
    /// Closing it detaches the program.
    private let link: OwnedDescriptor
    private let hasFailed = Atomic(false)

    private static let bytes = CallCounts.places * MemoryLayout<UInt64>.stride

    /// Counts for so many threads.
    convenience init(threads: Int) throws(Errno) { try self.init(capacity: threads, countsProcesses: false) }

    /// Counts for so many processes.
    convenience init(processes: Int) throws(Errno) { try self.init(capacity: processes, countsProcesses: true) }

    private init(capacity: Int, countsProcesses: Bool) throws(Errno) {
        // One more, for the one that tries whether this counts.
        let table = try Self.owned { c_bpf_create_table(UInt32(clamping: capacity + 1)) }
        let array = try Self.owned { c_bpf_create_mapped_array(UInt32(CallCounts.places)) }
        let count = countsProcesses ? BPFInstruction.countCallsOfProcesses : BPFInstruction.countCallsOfThreads
        let code = count(
            table.descriptor.rawValue, array.descriptor.rawValue, Int32(CallCounts.places), PidNamespace.nested())
        let program = try Self.owned {
            unsafe code.withUnsafeBytes {
                unsafe c_bpf_load(BPF_PROG_TYPE_RAW_TRACEPOINT.rawValue, 0, $0.baseAddress, UInt32(code.count))
            }
        }
        let mapped = unsafe mmap(nil, Self.bytes, PROT_READ, MAP_SHARED, array.descriptor.rawValue, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw Errno(rawValue: errno) }
        do throws(Errno) {
            link = try Self.owned { unsafe c_bpf_open_raw_tracepoint("sys_enter", program.descriptor.rawValue) }
        } catch {
            unsafe munmap(mapped, Self.bytes)
            throw error
        }
        self.table = table
        self.countsProcesses = countsProcesses
        unsafe counts = UnsafePointer(mapped.assumingMemoryBound(to: UInt64.self))
    }

    deinit {
        unsafe munmap(UnsafeMutableRawPointer(mutating: counts), Self.bytes)
    }

    private static func owned(_ call: () -> CInt) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(owning: FileDescriptor(rawValue: try systemCall(call)))
    }

    func watchThisThread() {
        if !countsProcesses { watch(c_gettid()) }
    }

    func watch(_ threads: [Int32]) {}

    func watch(processes: [Int32]) {
        for process in processes where countsProcesses { watch(process) }
    }

    private func watch(_ number: Int32) {
        // No place of the array: no call was made before.
        var last = UInt32.max
        if unsafe c_bpf_update(table.descriptor.rawValue, UInt32(bitPattern: number), &last) != 0 {
            hasFailed.store(true, ordering: .relaxed)
        }
    }

    func read() -> CallCounts? {
        guard !hasFailed.load(ordering: .relaxed) else { return nil }
        return unsafe CallCounts(byNumber: Array(UnsafeBufferPointer(start: counts, count: CallCounts.places)))
    }

    func countKnownCalls() throws(Errno) -> UInt64 {
        countsProcesses ? Self.trial.withLock { _ in tryProcess() } : tryThread()
    }

    private func tryThread() -> UInt64 {
        watchThisThread()
        let before = read()
        for _ in 0..<knownCalls { _ = getppid() }
        // The call before is counted with the next one.
        _ = geteuid()
        let after = read()
        _ = c_bpf_delete(table.descriptor.rawValue, UInt32(bitPattern: c_gettid()))
        guard let before, let after else { return 0 }
        // By number, because taking the second reading needs memory, for which the kernel may be asked too.
        return (after - before).byName["getppid", default: 0]
    }

    /// Other threads work on meanwhile, so it makes calls that nobody makes, one counter at a time.
    private func tryProcess() -> UInt64 {
        let number = CallCounts.places - 2
        watch(processes: [getpid()])
        let before = read()
        for _ in 0..<knownCalls { c_call_nothing(number) }
        let after = read()
        _ = c_bpf_delete(table.descriptor.rawValue, UInt32(bitPattern: getpid()))
        guard let before, let after else { return 0 }
        return after.byNumber[number] &- before.byNumber[number]
    }

    private static let trial = Mutex(())
}

/// The pid namespace of this process, in which `gettid(2)` numbers threads.
struct PidNamespace {
    let device: UInt64
    let inode: UInt64

    /// The first namespace's (`PROC_PID_INIT_INO`), where numbers are those that BPF programs see.
    private static let firstInode: UInt64 = 0xefff_fffc

    /// nil in the first namespace, and where there is no `/proc` to tell.
    static func nested() -> PidNamespace? {
        var status = stat()
        guard unsafe stat("/proc/self/ns/pid", &status) == 0, status.st_ino != firstInode else { return nil }
        return PidNamespace(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

extension BPFInstruction {
    /// When a thread of `threads` enters a system call, adds one to `counts[number]` of the call that it made before, and
    /// keeps the number of this one: that of the last place for one beyond the array.
    ///
    /// So a call counts when it has ended, as it does in the loops, and a worker that waits when the counts are read has
    /// not made the call in which it waits. A thread is known by its number in `namespace`, or in the first one.
    static func countCallsOfThreads(
        _ threads: Int32, _ counts: Int32, _ places: Int32, _ namespace: PidNamespace?
    ) -> [BPFInstruction] {
        [BPFInstruction(0xbf, to: 6, from: 1)]  // r6 = the context: registers, number
            + storeCaller(namespace, process: false)
            + [
                BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
                BPFInstruction(0x07, to: 2, -8),  // r2 += -8
                BPFInstruction(0x18, to: 1, from: 1, threads),  // r1 = threads, in two instructions
                BPFInstruction(0x00),
                BPFInstruction(0x85, 1),  // call bpf_map_lookup_elem
                BPFInstruction(0x15, to: 0, offset: 14, 0),  // if r0 == 0, exit
                BPFInstruction(0x61, to: 2, from: 0),  // r2 = *(u32 *)r0, the number of the last call
                BPFInstruction(0x79, to: 1, from: 6, offset: 8),  // r1 = context[1], the number of this one
                BPFInstruction(0xb5, to: 1, offset: 1, places - 2),  // if r1 <= places - 2, skip
                BPFInstruction(0xb7, to: 1, places - 1),  // r1 = places - 1
                BPFInstruction(0x63, to: 0, from: 1),  // *(u32 *)r0 = r1
                BPFInstruction(0x63, to: 10, from: 2, offset: -8),  // *(u32 *)(r10 - 8) = r2
                BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
                BPFInstruction(0x07, to: 2, -8),  // r2 += -8
                BPFInstruction(0x18, to: 1, from: 1, counts),  // r1 = counts, in two instructions
                BPFInstruction(0x00),
                BPFInstruction(0x85, 1),  // call bpf_map_lookup_elem
                BPFInstruction(0x15, to: 0, offset: 2, 0),  // if r0 == 0, exit: there was no call before
                BPFInstruction(0xb7, to: 1, 1),  // r1 = 1
                BPFInstruction(0xdb, to: 0, from: 1),  // lock *(u64 *)r0 += r1
                BPFInstruction(0xb7, to: 0, 0),  // r0 = 0
                BPFInstruction(0x95),  // exit
            ]
    }

    /// When a thread of a process of `processes` enters a system call, adds one to `counts[number]`, to that of the last
    /// place for a number beyond the array.
    static func countCallsOfProcesses(
        _ processes: Int32, _ counts: Int32, _ places: Int32, _ namespace: PidNamespace?
    ) -> [BPFInstruction] {
        [BPFInstruction(0xbf, to: 6, from: 1)]  // r6 = the context: registers, number
            + storeCaller(namespace, process: true)
            + [
                BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
                BPFInstruction(0x07, to: 2, -8),  // r2 += -8
                BPFInstruction(0x18, to: 1, from: 1, processes),  // r1 = processes, in two instructions
                BPFInstruction(0x00),
                BPFInstruction(0x85, 1),  // call bpf_map_lookup_elem
                BPFInstruction(0x15, to: 0, offset: 12, 0),  // if r0 == 0, exit
                BPFInstruction(0x79, to: 1, from: 6, offset: 8),  // r1 = context[1], the number of the call
                BPFInstruction(0xb5, to: 1, offset: 1, places - 2),  // if r1 <= places - 2, skip
                BPFInstruction(0xb7, to: 1, places - 1),  // r1 = places - 1
                BPFInstruction(0x63, to: 10, from: 1, offset: -8),  // *(u32 *)(r10 - 8) = r1
                BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
                BPFInstruction(0x07, to: 2, -8),  // r2 += -8
                BPFInstruction(0x18, to: 1, from: 1, counts),  // r1 = counts, in two instructions
                BPFInstruction(0x00),
                BPFInstruction(0x85, 1),  // call bpf_map_lookup_elem
                BPFInstruction(0x15, to: 0, offset: 2, 0),  // if r0 == 0, exit
                BPFInstruction(0xb7, to: 1, 1),  // r1 = 1
                BPFInstruction(0xdb, to: 0, from: 1),  // lock *(u64 *)r0 += r1
                BPFInstruction(0xb7, to: 0, 0),  // r0 = 0
                BPFInstruction(0x95),  // exit
            ]
    }

    /// Stores the number of the calling thread, or of its process, at r10 - 8, or exits.
    private static func storeCaller(_ namespace: PidNamespace?, process: Bool) -> [BPFInstruction] {
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
