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
